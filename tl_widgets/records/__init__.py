"""Results of experiments: frozen records, their statistics and sentences, and their JSON."""
