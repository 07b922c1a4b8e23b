"""Job titles in the applicant's own words, cleaned and put into groups.

Case and punctuation go, abbreviations are written out, one slip of the pen from a word of a group
is corrected. A title is in the first group that has one of its words, or two in a row.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

NOT_STATED: Final = "not stated"
OTHER: Final = "other"

_PROFESSIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
  {
    "project manager": ("project manager",), "programme manager": ("program manager",), "director": ("director",),
    "executive": ("vice president", "president", "chief", "partner"), "manager": ("manager",),
    "supervisor": ("supervisor", "foreman", "lead", "team leader", "superintendent"),
    "teacher": ("teacher", "professor", "instructor", "educator", "faculty"), "nurse": ("nurse", "nursing"),
    "driver": ("driver", "courier", "hauler"), "engineer": ("engineer",),
    "lawyer": ("attorney", "lawyer", "paralegal", "counsel"),
    "doctor, therapist or pharmacist": (
      "doctor", "physician", "dentist", "pharmacist", "therapist", "veterinarian", "optometrist", "hygienist",
    ),
    "sales": ("sales", "salesman", "account executive", "realtor", "real estate"),
    "software or systems": (
      "developer", "programmer", "software", "systems administrator", "network",
    ),
    "technician or mechanic": (
      "technician", "mechanic", "electrician", "plumber", "installer", "maintenance",
    ),
    "analyst or accountant": (
      "analyst", "accountant", "auditor", "controller", "bookkeeper", "accounting",
    ),
    "banking or insurance": (
      "banker", "loan officer", "teller", "underwriter", "adjuster", "financial advisor", "insurance",
    ),
    "office or administration": (
      "administrator", "administrative", "secretary", "clerk", "assistant", "receptionist",
      "coordinator", "processor",
    ),
    "owner": ("owner", "self employed", "proprietor"),
    "police, fire or military": (
      "police", "sheriff", "deputy", "firefighter", "fire fighter", "correction", "correctional", "army", "navy",
      "marine", "air force", "usaf", "military", "sergeant", "captain",
    ),
    "post": ("usps", "postal", "mail carrier", "letter carrier"),
    "customer service": ("customer service", "customer care", "customer"),
    "food or hotel": (
      "server", "chef", "cook", "bartender", "waitress", "waiter", "housekeeper",
    ),
    "social work": ("counselor", "social worker", "caregiver", "case worker"), "consultant": ("consultant",),
    "production or trade": (
      "operator", "machinist", "welder", "carpenter", "laborer", "labor", "assembler",
      "production", "warehouse", "material handler", "construction", "custodian",
    ),
  }
)  # fmt: skip

# Written out first; British spellings as American ones, which the titles use.
_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
  {
    "mgr": "manager", "mngr": "manager", "programme": "program", "prog": "program", "proj": "project",
    "dir": "director", "vp": "vice president", "svp": "vice president", "evp": "vice president",
    "avp": "vice president", "ceo": "chief", "cfo": "chief", "coo": "chief", "cto": "chief", "cio": "chief",
    "asst": "assistant", "assist": "assistant", "admin": "administrator", "supv": "supervisor", "sup": "supervisor",
    "supt": "superintendent", "rn": "nurse", "lpn": "nurse", "lvn": "nurse", "cna": "nurse", "rnc": "nurse",
    "tech": "technician", "eng": "engineer", "engr": "engineer", "acct": "accountant", "csr": "customer service",
    "cust": "customer", "rep": "representative", "labourer": "laborer", "labour": "labor",
    "counsellor": "counselor", "selfemployed": "self employed", "truckdriver": "driver", "leader": "team leader",
  }
)  # fmt: skip

# What is corrected into; too long for a slip of the pen to make another word ...
_SPELT: Final = (
  "manager", "director", "teacher", "engineer", "supervisor", "technician", "mechanic", "electrician", "accountant",
  "analyst", "president", "assistant", "secretary", "receptionist", "administrator", "administrative", "professor",
  "instructor", "project", "program", "attorney", "paralegal", "operator", "machinist", "consultant", "physician",
  "pharmacist", "therapist", "sergeant", "bookkeeper", "underwriter", "coordinator", "carpenter", "bartender",
  "firefighter", "superintendent", "counselor", "programmer",
)  # fmt: skip
# ... but for these.
_OTHER_WORDS: Final = frozenset({"resident", "protect", "directory", "operation"})

_WORD: Final = re.compile(r"[a-z]+")
_MIN_LETTERS: Final = 6
# 396,030 loans have some 125,000 titles.
_TITLES: Final = 2**18


def group_professions(titles: pd.Series) -> pd.Series:
  """The group of each job title, a categorical; `not stated` where there is none, `other` where none fits."""
  codes, stated = pd.factorize(titles)
  groups = pd.Index([*_PROFESSIONS, OTHER, NOT_STATED])
  places = np.array([*(_place(str(title)) for title in stated), len(_PROFESSIONS) + 1], dtype=int)
  # The code of a missing title is -1, the last place.
  return pd.Series(pd.Categorical.from_codes(places[codes], groups), titles.index)


def _clean_words(title: str) -> list[str]:
  return [part for word in _WORD.findall(title.lower()) for part in _correct(word).split()]


# A run groups the same titles four times.
@lru_cache(_TITLES)
def _place(title: str) -> int:
  words = _clean_words(title)
  pairs = (f"{first} {second}" for first, second in pairwise(words))
  none = len(_PROFESSIONS)
  return min((_PLACES.get(text, none) for text in (*words, *pairs)), default=none)


@lru_cache(_TITLES)
def _correct(word: str) -> str:
  """Written out, spelt right, and in the singular where that is a word of a group."""
  if word in _SYNONYMS:
    return _SYNONYMS[word]
  singular = word.removesuffix("s")
  if word in _WORDS or singular in _WORDS:
    return word if word in _WORDS else singular
  if len(word) < _MIN_LETTERS or singular in _OTHER_WORDS:
    return word
  return next((_SLIPS[slip] for slip in _slips(word) if slip in _SLIPS), word)


def _slips(word: str) -> Iterator[str]:
  """The word, and all that is left of it when a letter is left out (the symmetric deletes of Garbe's SymSpell).

  Words that share one of these are one letter more, less, other or misplaced apart.
  """
  yield word
  yield from (word[:at] + word[at + 1 :] for at in range(len(word)))


_PLACES: Final = {words: place for place, group in enumerate(_PROFESSIONS.values()) for words in group}
_WORDS: Final = frozenset(word for words in _PLACES for word in words.split())
_SLIPS: Final = {slip: word for word in _SPELT for slip in _slips(word)}
