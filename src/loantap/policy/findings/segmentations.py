"""What loans are divided by, and into which segments.

Of job titles in the applicant's own words abbreviations are written out, one slip of the pen from a word of a group is
corrected. A title is in the first group that has one of its words, or two in a row.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd

from loantap.portfolio.dictionary import COLUMNS

NOT_STATED = "not stated"
OTHER = "other"


def _read_groups(text: str) -> dict[str, list[str]]:
	lines = (line.strip().partition(": ") for line in text.strip().splitlines())
	return {group: re.split(r",\s*", words) for group, _, words in lines}


_PROFESSIONS = _read_groups("""
  project manager: project manager
  programme manager: program manager
  director: director
  executive: vice president, president, chief, partner
  manager: manager
  supervisor: supervisor, foreman, lead, team leader, superintendent
  teacher: teacher, professor, instructor, educator, faculty
  nurse: nurse, nursing
  driver: driver, courier, hauler
  engineer: engineer
  lawyer: attorney, lawyer, paralegal, counsel
  doctor, therapist or pharmacist: doctor, physician, dentist, pharmacist, therapist, veterinarian, optometrist, \
    hygienist
  sales: sales, salesman, account executive, realtor, real estate
  software or systems: developer, programmer, software, systems administrator, network
  technician or mechanic: technician, mechanic, electrician, plumber, installer, maintenance
  analyst or accountant: analyst, accountant, auditor, controller, bookkeeper, accounting
  banking or insurance: banker, loan officer, teller, underwriter, adjuster, financial advisor, insurance
  office or administration: administrator, administrative, secretary, clerk, assistant, receptionist, \
    coordinator, processor
  owner: owner, self employed, proprietor
  police, fire or military: police, sheriff, deputy, firefighter, fire fighter, correction, correctional, army, \
    navy, marine, air force, usaf, military, sergeant, captain
  post: usps, postal, mail carrier, letter carrier
  customer service: customer service, customer care, customer
  food or hotel: server, chef, cook, bartender, waitress, waiter, housekeeper
  social work: counselor, social worker, caregiver, case worker
  consultant: consultant
  production or trade: operator, machinist, welder, carpenter, laborer, labor, assembler, production, \
    warehouse, material handler, construction, custodian
""")

# Written out first; British spellings as American ones, which the titles use.
_SYNONYMS = {
	short: word
	for word, shorts in _read_groups("""
    manager: mgr, mngr
    program: programme, prog
    project: proj
    director: dir
    vice president: vp, svp, evp, avp
    chief: ceo, cfo, coo, cto, cio
    assistant: asst, assist
    administrator: admin
    supervisor: supv, sup
    superintendent: supt
    nurse: rn, lpn, lvn, cna, rnc
    technician: tech
    engineer: eng, engr
    accountant: acct
    customer service: csr
    customer: cust
    representative: rep
    laborer: labourer
    labor: labour
    counselor: counsellor
    self employed: selfemployed
    driver: truckdriver
    team leader: leader
  """).items()
	for short in shorts
}

# What is corrected into; too long for a slip of the pen to make another word ...
_SPELT = """
  manager director teacher engineer supervisor technician mechanic electrician accountant analyst president assistant
  secretary receptionist administrator administrative professor instructor project program attorney paralegal operator
  machinist consultant physician pharmacist therapist sergeant bookkeeper underwriter coordinator carpenter bartender
  firefighter superintendent counselor programmer
""".split()
# ... but for these.
_OTHER_WORDS = frozenset({"resident", "protect", "directory", "operation"})

_WORD = re.compile(r"[a-z]+")
_MIN_LETTERS = 6
# 396,030 loans have some 125,000 titles.
_TITLES = 2**18


def group_professions(titles: pd.Series) -> pd.Series:
	"""The group of each job title, a categorical; `not stated` where there is none, `other` where none fits."""
	codes, stated = pd.factorize(titles)
	groups = pd.Index([*_PROFESSIONS, OTHER, NOT_STATED])
	places = np.array([*(_place(str(title)) for title in stated), len(_PROFESSIONS) + 1], dtype=int)
	# The code of a missing title is -1, the last place.
	return pd.Series(pd.Categorical.from_codes(places[codes], groups), titles.index)


# A run groups the same titles four times.
@lru_cache(_TITLES)
def _place(title: str) -> int:
	words = [part for word in _WORD.findall(title.lower()) for part in _correct(word).split()]
	pairs = (f"{first} {second}" for first, second in pairwise(words))
	none = len(_PROFESSIONS)
	return min((_PLACES.get(text, none) for text in (*words, *pairs)), default=none)


@lru_cache(_TITLES)
def _correct(word: str) -> str:
	"""Written out, spelt right, and in the singular where that is a word."""
	if word in _SYNONYMS:
		return _SYNONYMS[word]
	singular = word.removesuffix("s")
	if word in _WORDS or singular in _WORDS:
		return word if word in _WORDS else singular
	if len(word) < _MIN_LETTERS or singular in _OTHER_WORDS:
		return word
	return next((_SLIPS[slip] for slip in _slips(word) if slip in _SLIPS), word)


def _slips(word: str) -> Iterator[str]:
	"""Words that share one of these are at most one letter apart (the symmetric deletes of Garbe's SymSpell)."""
	yield word
	yield from (word[:at] + word[at + 1 :] for at in range(len(word)))


_PLACES = {words: place for place, group in enumerate(_PROFESSIONS.values()) for words in group}
_WORDS = frozenset(word for words in _PLACES for word in words.split())
_SLIPS = {slip: word for word in _SPELT for slip in _slips(word)}


class Role(StrEnum):
	"""Whose doing a factor is, hence what may be done about it."""

	APPLICANT = "applicant"  # the applicant's facts and wishes
	LENDER = "lender"  # the lender's own price, and what the lender chose to check
	AUDIT = "audit"  # looked at in the audit only; nothing is lent on it


@dataclass(frozen=True, slots=True)
class Segmentation:
	"""One way to divide the portfolio, by a canonical column.

	`bands` are lower bounds, inclusive, of a number. A `twin` says the same in other words; neither is adjusted for the
	other, beside which it would have no effect.
	"""

	name: str
	phrase: str
	role: Role
	bands: tuple[float, ...] = ()
	twin: str = ""


_ALL = (
	Segmentation("loan_amount", "loan amount", Role.APPLICANT, (0, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000)),
	Segmentation("purpose", "purpose", Role.APPLICANT),
	Segmentation("annual_income", "yearly income", Role.APPLICANT, (0, 30_000, 45_000, 60_000, 75_000, 100_000, 150_000)),
	Segmentation("dti_pct", "DTI", Role.APPLICANT, (0, 5, 10, 15, 20, 25, 30, 35)),
	Segmentation("revolving_utilisation_pct", "revolving utilisation", Role.APPLICANT, (0, 20, 40, 60, 80, 100)),
	Segmentation("home_ownership", "home ownership", Role.APPLICANT),
	Segmentation("profession", "profession", Role.APPLICANT),
	Segmentation("grade", "grade", Role.LENDER, twin="interest_rate_pct"),
	Segmentation("interest_rate_pct", "interest rate", Role.LENDER, (0, 8, 11, 14, 17, 20, 24), twin="grade"),
	Segmentation("term_months", "term", Role.LENDER),
	Segmentation("income_verification", "income verification", Role.LENDER),
	Segmentation("pincode", "pincode", Role.AUDIT),
	Segmentation("state", "state", Role.AUDIT),
)
SEGMENTATIONS: Mapping[str, Segmentation] = {s.name: s for s in _ALL}


def segment_loans(loans: pd.DataFrame) -> pd.DataFrame:
	"""The segment of each loan in each segmentation, one categorical each.

	Categories are the segments that have loans, bands rising, others by name; `not stated` last.
	"""
	return pd.DataFrame(
		{name: _segment(loans[name], chosen).cat.remove_unused_categories() for name, chosen in SEGMENTATIONS.items()}
	)


def _segment(values: pd.Series, segmentation: Segmentation) -> pd.Series:
	if segmentation.bands:
		return _band(values, segmentation)
	match segmentation.name:
		case "profession":
			return group_professions(values)
		case "term_months":
			texts = values.map("{:.0f} months".format)
		case _:
			texts = values.astype("str").str.replace("_", " ")
	found = texts.astype("category")
	return found.cat.add_categories(NOT_STATED).fillna(NOT_STATED)


def _band(values: pd.Series, segmentation: Segmentation) -> pd.Series:
	sign = "%" if COLUMNS[segmentation.name].unit.startswith("percent") else ""
	labels = [f"{low:,g} to {high:,g}{sign}" for low, high in pairwise(segmentation.bands)]
	labels.append(f"{segmentation.bands[-1]:,g}{sign} and more")
	bands = pd.cut(values, [*segmentation.bands, np.inf], right=False, labels=labels)
	return bands.cat.add_categories(NOT_STATED).fillna(NOT_STATED)
