"""The leakage gate."""
