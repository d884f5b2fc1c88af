"""Building the two models of a comparison, and saving models to files."""
