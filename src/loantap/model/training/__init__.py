"""From loans to a fitted model."""
