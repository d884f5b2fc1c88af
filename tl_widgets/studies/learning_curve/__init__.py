"""The study of data: accuracy against images per class."""
