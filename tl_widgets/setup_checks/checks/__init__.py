"""Checks for problems that no study measures, by subject."""
