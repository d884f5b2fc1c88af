"""Parts that both apps use."""
