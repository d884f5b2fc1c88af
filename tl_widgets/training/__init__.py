"""The training loop and fine-tuning, with stored features and a head in NumPy."""
