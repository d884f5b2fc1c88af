"""StudyLab, the app for all studies."""
