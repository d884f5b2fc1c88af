"""The basis of all other packages: errors, events, settings, resources, downloads."""
