"""The tutorial's quizzes and predictions, and how answers are compared; widgets and assignments use the same."""
