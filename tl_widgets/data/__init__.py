"""Loading images: data sets by name, folders, archives, splits and quality checks."""
