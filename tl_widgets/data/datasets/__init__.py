"""The named data sets, one module each: its constant DATASET is all that the toolkit knows of it."""
