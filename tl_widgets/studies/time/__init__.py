"""The study of time: accuracy against seconds."""
