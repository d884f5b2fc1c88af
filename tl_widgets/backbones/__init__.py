"""Pretrained networks: their catalogue, their weights, and how they are loaded."""
