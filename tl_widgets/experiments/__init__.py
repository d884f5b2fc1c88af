"""Comparing several models on the same images, repeating a comparison, and predicting new pictures."""
