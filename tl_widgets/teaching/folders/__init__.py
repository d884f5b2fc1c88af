"""Folders of pictures that notebooks write, tidy and untidy."""
