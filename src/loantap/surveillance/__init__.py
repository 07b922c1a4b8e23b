"""Watching over the loans that were made: the book, early warning, help."""
