"""Comparisons of models on the same images, their repeats, and predictions."""
