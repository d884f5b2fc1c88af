"""`check_setup`, which finds common mistakes in a learner's own Keras model and data."""
