"""Guesses, predictions and quizzes, with their texts."""
