"""Months as other lenders write them: by the form that a map names, or by the only one that fits."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from loantap.portfolio.values import MONTH_FORMAT

# What LoanTap's form is read by; a date in one of them needs no other.
_OWN: Final = (MONTH_FORMAT, "%Y-%m", "%Y-%m-%d")
_OTHERS: Final = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%m/%Y",
    "%Y/%m", "%Y%m%d", "%Y%m", "%d-%b-%Y", "%d %b %Y", "%b %Y", "%b %d, %Y", "%B %Y", "%d %B %Y",
    "%B %d, %Y",
)  # fmt: skip
_TRIED: Final = datetime(2015, 12, 1)  # noqa: DTZ001 (a month has no zone)


class TwoFormsError(ValueError):
    """A date that fits two forms, with another month in each."""

    def __init__(self, text: str, readings: dict[str, str]) -> None:
        self.first_form = next(iter(readings))
        super().__init__(f"'{text}' may be {' or '.join(f'{month} ({form})' for form, month in readings.items())}")


def is_date_form(form: str) -> bool:
    """Whether a form tells year and month, so that a date can be read by it."""
    return _to_month(f"{_TRIED:{form}}", form) == f"{_TRIED:{MONTH_FORMAT}}"


def read_date(text: str, form: str) -> tuple[str, str]:
    """The month of a date, and what is wrong with it, "" where nothing is.

    Raises:
        TwoFormsError: no form is given, and the date fits two.
    """
    found = {form: _to_month(text.strip(), form)} if form else list_forms(text)
    if len(set(found.values())) > 1:
        raise TwoFormsError(text.strip(), found)
    # What fits none of many is for LoanTap's own rules, which know times and zones.
    month = next(iter(found.values()), text)
    return (month, "") if month or not form else (text, f"'{text.strip()}' is not of the form {form}")


def list_forms(text: str) -> dict[str, str]:
    """The month that a text is in each form it fits; LoanTap's own forms go before others."""
    for forms in (_OWN, _OTHERS):
        found = {form: month for form in forms if (month := _to_month(text.strip(), form))}
        if found:
            return found
    return {}


@lru_cache(maxsize=4_096)
def _to_month(text: str, form: str) -> str:
    try:
        day = datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return ""
    # By %Y%m%d strptime takes 201511 for Jan-2015.
    if re.fullmatch(r"(?:%\w)+", form) and f"{day:{form}}".lower() != text.lower():
        return ""
    return f"{day:{MONTH_FORMAT}}" if day.year >= 1000 else ""
