"""The command tl-widgets."""
