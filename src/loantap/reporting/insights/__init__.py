"""The insights page: what goes with default, what each policy earns, what to do."""
