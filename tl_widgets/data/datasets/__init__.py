"""The named data sets, one module each, as the constant DATASET."""
