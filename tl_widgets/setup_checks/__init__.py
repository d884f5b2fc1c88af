"""check_setup: what is wrong with somebody's own Keras model and data."""
