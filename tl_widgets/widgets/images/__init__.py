"""The tab "Images", for a learner's own images."""
