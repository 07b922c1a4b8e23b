"""What can be offered to a borrower."""

from enum import StrEnum


class Action(StrEnum):
	"""What is offered to a borrower, from the lightest touch."""

	REMINDER = "reminder"
	COUNSELLING = "counselling"
	DUE_DATE_SHIFT = "due_date_shift"
	TERM_EXTENSION = "term_extension"
	STEP_UP = "step_up"
	NONE = "none"
