"""Policy lab: rules that decline loans, and which are worth it."""
