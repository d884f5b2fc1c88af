"""The ways in which people store labeled images, and how each is recognized."""
