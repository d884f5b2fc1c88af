"""The tab "My pictures", for a learner's own images."""
