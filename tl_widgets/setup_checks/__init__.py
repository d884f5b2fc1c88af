"""Common mistakes, and finding them in a learner's own Keras model and data."""
