"""What only notebooks 03 to 05 use: figures, exercises and their judges."""
