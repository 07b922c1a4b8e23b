def spread_all(**figures):
	"""Several figures, each with half the length of its interval."""
	return {key: told for name, given in figures.items() for key, told in spread(name, *given).items()}


def spread(name, value, half):
	return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
