"""A comparison of several models on the same images, its repeats, and predictions."""
