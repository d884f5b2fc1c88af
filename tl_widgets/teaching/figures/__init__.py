"""Figures of the notebooks, which carry their text alternatives."""
