"""Policy lab: rules that decline loans, what each would have cost or earned, which are worth it."""
