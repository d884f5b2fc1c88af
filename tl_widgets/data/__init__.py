"""Images in, and nothing else: data sets by name, folders, archives, splits and quality checks."""
