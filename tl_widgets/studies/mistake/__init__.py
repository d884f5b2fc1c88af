"""What goes wrong? A common mistake, made on purpose and measured beside the right way."""
