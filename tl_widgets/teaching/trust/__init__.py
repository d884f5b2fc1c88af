"""Notebook 12: whether a model can be trusted. Its figures, prediction and exercises."""
