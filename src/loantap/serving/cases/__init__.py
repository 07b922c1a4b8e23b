"""The refer queue: what a person decides, and who does."""
