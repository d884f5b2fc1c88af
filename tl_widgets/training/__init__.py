"""The training loop, and what makes it fast: kept features and a head in NumPy."""
