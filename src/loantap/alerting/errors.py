"""What goes wrong on the way to somebody."""


class DeliveryError(Exception):
	"""A message did not arrive; it is kept and tried again."""
