"""What the lender sells: terms, grades and currency, read from one file when a process starts.

All processes of a deployment must agree on it, since models rank sub-grades by their place in
it: so the environment names the file, and no run sets it.
"""

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from yaml import YAMLError, safe_load

from loantap.portfolio.errors import InputError

# Names the file; without it LoanTap's own products are sold.
VARIABLE: Final = "LOANTAP_PRODUCTS"
MAX_TERM_MONTHS: Final = 120
_Name = Annotated[str, Field(min_length=1, max_length=20)]
_Term = Annotated[int, Field(ge=1, le=MAX_TERM_MONTHS)]


class Products(BaseModel):
	"""The products of one lender.

	Attributes:
		terms_months: numbers of instalments, rising.
		grades: sub-grades of each grade, both best first.
		currency: ISO 4217 code, named in pages; may be left out.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	terms_months: Annotated[tuple[_Term, ...], Field(min_length=1)]
	grades: Annotated[dict[_Name, Annotated[tuple[_Name, ...], Field(min_length=1)]], Field(min_length=1)]
	currency: Annotated[str, Field(pattern="^([A-Z]{3})?$")] = ""

	@field_validator("terms_months")
	@classmethod
	def _rise(cls, terms: tuple[int, ...]) -> tuple[int, ...]:
		if list(terms) != sorted(set(terms)):
			raise ValueError("give each term once, the shortest first")
		return terms

	@model_validator(mode="after")
	def _name_sub_grades_once(self) -> "Products":
		names = self.sub_grades
		repeated = sorted({name for name in names if names.count(name) > 1})
		if repeated:
			raise ValueError(f"sub-grade {', '.join(repeated)} is listed twice")
		return self

	@property
	def sub_grades(self) -> tuple[str, ...]:
		"""All sub-grades, best first."""
		return tuple(name for names in self.grades.values() for name in names)

	@property
	def grade_of(self) -> dict[str, str]:
		"""The grade of each sub-grade."""
		return {name: grade for grade, names in self.grades.items() for name in names}


def read_products(path: Path | None = None) -> Products:
	"""The products that a file lists, LoanTap's own without one; InputError where it says none."""
	where = str(path or "products.yml")
	try:
		text = (path or files("loantap.portfolio") / "products.yml").read_text(encoding="utf-8")
		return Products.model_validate(safe_load(text))
	except (OSError, UnicodeDecodeError, YAMLError) as error:
		told = str(error).splitlines()[0]
	except ValidationError as error:
		first = error.errors()[0]
		told = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
	raise InputError(where, told, f"Mend the file that {VARIABLE} names; docs/running.md says what it holds")


_named = os.environ.get(VARIABLE, "")
PRODUCTS: Final = read_products(Path(_named) if _named else None)
