"""What went wrong, and what the person at the screen can do."""

from dataclasses import dataclass
from typing import Final

from loantap.portfolio.dictionary import portfolio_columns
from loantap.serving.api.schemas import FieldProblem
from loantap.serving.dashboard.client import ApiError

NO_KEY: Final = (
	"Sign in: paste your API key on the left. `loantap-keys create --owner NAME --scope score --scope read` makes one."
)
LOST: Final = (
	"Your session ended, since the page was loaded again or the dashboard was restarted. Paste "
	"your key again on the left. Decisions are kept: find them under Decisions."
)
NO_RUN: Final = "There is nothing to show yet. `make run` makes it; it takes about two minutes."
_LABELS: Final = {str(one.source_name): one.label for one in portfolio_columns()}
# No right of a key would help.
_FORBIDDEN: Final = {"four-eyes": "Another person must do this"}
_RIGHTS: Final = {
	"score": "to score applications",
	"decide": "to take and decide cases",
	"read": "to read decisions",
	"help": "to record help",
	"admin": "to propose and activate policies",
}


@dataclass(frozen=True, slots=True)
class Message:
	"""Markdown of what is wrong and what to do; whether the person can mend it."""

	text: str
	is_mendable: bool


def explain_error(error: ApiError) -> Message:
	"""What an error of the API means for the dashboard's user."""
	match error.status:
		case 0:
			return Message(
				f"**{error.title}.** Start it with `make serve`, or tell the platform team, then try again.", is_mendable=False
			)
		case 401:
			return Message(
				"**This key is unknown or was revoked.** Paste another one on the left; `loantap-keys create` makes one.",
				is_mendable=True,
			)
		case 403:
			what = _FORBIDDEN.get(error.kind, "Your key does not allow this")
			return Message(f"**{what}.** {_say(error)}", is_mendable=True)
		case 404:
			return Message(f"**There is none.** {_say(error)}", is_mendable=True)
		case 409:
			return Message(f"**Not possible now.** {_say(error)}", is_mendable=True)
		case 410:
			return Message(
				"**Its personal data was erased**, so it can neither be read nor replayed. "
				"What was decided, when and by which model and policy is still on record.",
				is_mendable=False,
			)
		case 429:
			wait = f"{error.retry_after} seconds" if error.retry_after else "a minute"
			return Message(f"**Too many requests with this key.** Wait {wait}, then try again.", is_mendable=True)
		case 400 | 413 | 415 | 422:
			return Message(f"**{error.title}.** {_say(error)}", is_mendable=True)
		case 503:
			return Message(f"**No decisions at the moment.** {_say(error)}", is_mendable=False)
	return Message(
		f"**{error.title}.** {_say(error)} Try again; if it stays so, tell the platform team.", is_mendable=False
	)


def tell_missing_right(scope: str) -> str:
	"""What to do where a key lacks a scope."""
	does = _RIGHTS.get(scope, f"for {scope}")
	return (
		f"Your key has no right {does}. Paste one that has it on the left: "
		f"`loantap-keys create --owner NAME --scope {scope} --scope read`."
	)


def _say(error: ApiError) -> str:
	fields = [_tell_field(one) for one in error.fields]
	first = error.fields[0] if error.fields else None
	# The list tells that field as well.
	is_said = first is not None and error.detail.startswith(f"{first.field}: {first.problem}")
	detail = "" if is_said else _end(error.detail)
	if not detail and len(fields) == 1:
		return fields[0]
	# The list begins on its own line anyway.
	return "\n\n".join([detail, *(f"- {text}" for text in fields)])


def _tell_field(one: FieldProblem) -> str:
	if not one.field:
		return one.problem
	label = _LABELS.get(one.field)
	named = f"**{label}** (`{one.field}`)" if label else f"`{one.field}`"
	return _end(f"{named}: {one.problem}. {one.remedy}".strip())


def _end(sentence: str) -> str:
	return sentence if not sentence or sentence.endswith((".", "!", "?", "`")) else f"{sentence}."
