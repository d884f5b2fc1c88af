"""TransferLab and the views that it consists of."""
