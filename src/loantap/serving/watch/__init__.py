"""The watch-list as serving reads it."""
