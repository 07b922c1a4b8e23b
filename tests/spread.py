"""Figures with their intervals, as tables have them."""


def spread_all(**figures: tuple[float, float]) -> dict[str, float]:
	"""Several figures, each with half the length of its interval."""
	return {key: told for name, given in figures.items() for key, told in spread(name, *given).items()}


def spread(name: str, value: float, half: float) -> dict[str, float]:
	return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
