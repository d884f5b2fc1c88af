"""Parts that TransferLab and StudyLab share."""
