"""TransferLab."""
