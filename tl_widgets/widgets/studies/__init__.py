"""StudyLab."""
