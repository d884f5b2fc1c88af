"""The command `tl-widgets`."""
