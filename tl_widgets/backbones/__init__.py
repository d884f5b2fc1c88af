"""Pretrained networks: what there is, where weights come from, and how they are loaded."""
