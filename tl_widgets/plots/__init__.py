"""Figures of comparisons, runs and data sets."""
