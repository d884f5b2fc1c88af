"""Widgets with sliders, whose figure stays in a saved notebook."""
