"""Months as other lenders write them: by the form that a map names, or by the only one that fits."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

from loantap.portfolio.values import MONTH_FORMAT

_ISO: Final = "%Y-%m-%d"
# What LoanTap's form is read by; a date in one of them needs no other.
_OWN: Final = (MONTH_FORMAT, "%Y-%m", _ISO)
_OTHERS: Final = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%m/%Y",
    "%Y/%m", "%Y%m%d", "%Y%m", "%d-%b-%Y", "%d %b %Y", "%b %Y", "%b %d, %Y", "%B %Y", "%d %B %Y",
    "%B %d, %Y",
)  # fmt: skip
_TRIED: Final = datetime(2015, 12, 1)  # noqa: DTZ001 (a month has no zone)
# Takes a text; gives what it is read as, and what is wrong with it, "" where nothing is.
DateReader = Callable[[str], tuple[str, str]]


class TwoFormsError(ValueError):
    """A date that fits two forms, with another month in each."""

    def __init__(self, text: str, readings: dict[str, str]) -> None:
        self.text = text
        self.readings = readings
        super().__init__(f"'{text}' may be {' or '.join(f'{month} ({form})' for form, month in readings.items())}")


def is_date_form(form: str) -> bool:
    """Whether a form tells year and month, so that a date can be read by it."""
    try:
        read = datetime.strptime(_TRIED.strftime(form), form)  # noqa: DTZ007
    except ValueError:
        return False
    return (read.year, read.month) == (_TRIED.year, _TRIED.month)


def make_date_reader(form: str) -> DateReader:
    """The reader of a column whose dates have this form, or any that leaves no doubt.

    It raises `TwoFormsError` where no form is given and a date fits two.
    """

    def read(text: str) -> tuple[str, str]:
        month = _to_month(text.strip(), form)
        return (month, "") if month else (text, f"'{text.strip()}' has not the form {form}")

    return read if form else _read_any


def list_forms(text: str) -> dict[str, str]:
    """The month that a text is in each form it fits; LoanTap's own forms go before others."""
    for forms in (_OWN, _OTHERS):
        found = {form: month for form in forms if (month := _to_month(text.strip(), form))}
        if found:
            return found
    return {}


def _read_any(text: str) -> tuple[str, str]:
    found = list_forms(text)
    if len(set(found.values())) > 1:
        raise TwoFormsError(text.strip(), found)
    # What fits none is for LoanTap's own rules, which know times and zones.
    return next(iter(found.values()), text), ""


@lru_cache(maxsize=4_096)
def _to_month(text: str, form: str) -> str:
    try:
        day = datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return ""
    return f"{day:{MONTH_FORMAT}}" if day.year >= 1000 else ""
