"""The project's folder: where it is, who runs in it, and what is being published there."""
