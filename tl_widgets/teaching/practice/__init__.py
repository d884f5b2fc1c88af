"""Transfer learning in practice: the exercises and figures of notebooks 06 to 09."""
