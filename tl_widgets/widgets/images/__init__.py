"""The tab for a learner's own images."""
