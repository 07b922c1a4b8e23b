"""Policies side by side on the same loans: whom each approves, and what it would have earned."""
