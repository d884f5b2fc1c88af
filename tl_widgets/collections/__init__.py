"""A learner's own images: uploads, edits, and where they are stored."""
