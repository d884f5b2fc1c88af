"""Common mistakes: one object for each, and the registry that finds them."""
