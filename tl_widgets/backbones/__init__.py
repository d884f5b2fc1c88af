"""The catalogue of pretrained networks, where their weights come from, and how they are loaded."""
