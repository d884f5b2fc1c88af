"""The exercises, topic by topic, and what judges the answers."""
