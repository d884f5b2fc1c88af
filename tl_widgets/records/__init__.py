"""What an experiment found: frozen results, their statistics and sentences, and their JSON."""
