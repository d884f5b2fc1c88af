"""The training loop, fine-tuning, and what makes training fast: cached features and a head in NumPy."""
