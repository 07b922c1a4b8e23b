"""Policies side by side on the same loans: whom each approves, and what that earns."""
