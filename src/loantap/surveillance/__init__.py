"""Watching over loans that were made: what their months show, and who may need help."""
