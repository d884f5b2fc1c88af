"""The study of what goes on inside the models."""
