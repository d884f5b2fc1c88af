"""Builders of the two models, and their files."""
