"""Figures with their intervals, as tables have them."""


def spread(name: str, value: float, half: float) -> dict[str, float]:
  return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
