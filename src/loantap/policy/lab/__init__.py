"""Policy lab: rules that decline loans, what each would have earned, which are worth it."""
