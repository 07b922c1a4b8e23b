"""The leakage gate: what tells more about the outcome than an honest feature can."""
