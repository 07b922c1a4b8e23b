"""Texts of a simulated application: profession, title and address. All invented."""

import numpy as np
import pandas as pd

from loantap.portfolio.arrays import BoolArray, MonthArray, TextArray
from loantap.simulator import calibration as known
from loantap.simulator import words
from loantap.simulator.borrowers import choose, share_places
from loantap.simulator.streams import Streams

COMMON_PROFESSION_SHARE = 0.22
EMPLOYER_SHARE = 0.25  # of the other titles: borrowers who wrote where they work
LEVEL_SHARE = 0.55  # of those who wrote what they do
CASE_SHARES = (0.80, 0.13, 0.07)  # as written, lower case, upper case
FORM_TITLE_SHARES = (0.28, 0.95)  # before and since titles come from the form's list
PINCODE_DIGITS = 5


def professions(streams: Streams, employment_missing: BoolArray) -> TextArray:
	"""Job titles in the applicants' words: a few common ones and a long tail; None is missing."""
	loans = len(employment_missing)
	common = words.COMMON_PROFESSIONS
	zipf = 1 / (np.arange(len(common)) + 3.0)
	places = share_places(streams.open("common profession").random(loans), list(zipf))
	usual = np.array(common, dtype=object)[places]
	own = np.where(
		streams.open("employer").random(loans) < EMPLOYER_SHARE,
		_pick(streams, "employer name", words.LAST_NAMES, loans)
		+ " "
		+ _pick(streams, "employer kind", words.EMPLOYER_KINDS, loans),
		_composed_professions(streams, loans),
	)
	is_common = streams.open("is common profession").random(loans) < COMMON_PROFESSION_SHARE
	text = _vary_case(np.where(is_common, usual, own), streams.open("profession case"))
	missing_share = np.where(employment_missing, known.PROFESSION_MISSING_WITH_EMPLOYMENT, known.PROFESSION_MISSING_ALONE)
	missing = streams.open("profession missing").random(loans) < missing_share
	return _without(text, missing)


def _composed_professions(streams: Streams, loans: int) -> TextArray:
	level = _pick(streams, "profession level", words.PROFESSION_LEVELS, loans) + " "
	has_level = streams.open("has profession level").random(loans) < LEVEL_SHARE
	field = _pick(streams, "profession field", words.PROFESSION_FIELDS, loans)
	role = _pick(streams, "profession role", words.PROFESSION_ROLES, loans)
	composed: TextArray = np.where(has_level, level, "") + field + " " + role
	return composed


def titles(streams: Streams, purpose: TextArray, issued: MonthArray) -> TextArray:
	"""Loan titles: the form's own for the purpose, else the borrower's words; None is missing."""
	loans = len(purpose)
	by_form = np.vectorize(words.FORM_TITLES.__getitem__, otypes=[object])(purpose)
	topic_place = streams.open("title topic").integers(0, 5, loans)
	topic = np.empty(loans, dtype=object)
	for name, topics in words.OWN_TITLE_TOPICS.items():
		mine = purpose == name
		topic[mine] = np.array(topics, dtype=object)[topic_place[mine]]
	own = (
		_pick(streams, "title opener", words.OWN_TITLE_OPENERS, loans)
		+ topic
		+ _pick(streams, "title closer", words.OWN_TITLE_CLOSERS, loans)
	)
	own = _vary_case(own, streams.open("title case"))
	share = np.where(issued < known.FORM_TITLES_ONLY, *FORM_TITLE_SHARES)
	text = np.where(streams.open("form title").random(loans) < share, by_form, own)
	return _without(text, streams.open("title missing").random(loans) < known.TITLE_MISSING)


def addresses(streams: Streams, charged_off: BoolArray) -> TextArray:
	"""Postal addresses in two lines, with the pincode of `pincodes`."""
	loans = len(charged_off)
	is_military = streams.open("military").random(loans) < known.MILITARY_SHARE
	lines = np.where(is_military, _military(streams, loans), _civilian(streams, loans))
	address: TextArray = lines + " " + pincodes(streams, charged_off)
	return address


def pincodes(streams: Streams, charged_off: BoolArray) -> TextArray:
	"""Pincode of each loan: three codes only for charged-off, three only for paid, four for all.

	The shared codes take what the published counts leave of either outcome.
	"""
	fully_paid = known.PUBLISHED_ROWS - known.PUBLISHED_CHARGED_OFF
	shared = sum(known.PINCODES_SHARED.values())
	pools = []
	for exclusive, total in (
		(known.PINCODES_FULLY_PAID, fully_paid),
		(known.PINCODES_CHARGED_OFF, known.PUBLISHED_CHARGED_OFF),
	):
		left = (total - sum(exclusive.values())) / shared
		pools.append(exclusive | {code: n * left for code, n in known.PINCODES_SHARED.items()})
	paid, bad = (
		choose(streams.open(f"pincode {name}"), pool, len(charged_off))
		for name, pool in zip(("paid", "charged off"), pools, strict=True)
	)
	return np.where(charged_off, bad, paid)


def give_shared_pincodes(streams: Streams, address: pd.Series) -> pd.Series:
	"""The same addresses, their pincodes out of the four that say nothing about the outcome."""
	codes = choose(streams.open("shared pincode"), known.PINCODES_SHARED, len(address))
	lines = address.str[:-PINCODE_DIGITS]
	return lines + pd.Series(codes, index=address.index, dtype="str")


def _civilian(streams: Streams, loans: int) -> TextArray:
	digits = streams.open("house digits").integers(3, 6, loans)
	number = streams.open("house number").random(loans)
	house = np.array([f"{int(u * 10**d):0{d}d} " for u, d in zip(number, digits, strict=True)], dtype=object)
	names = (*words.FIRST_NAMES, *words.LAST_NAMES)
	street = _pick(streams, "street", names, loans) + " "
	suffix = _pick(streams, "street suffix", words.STREET_SUFFIXES, loans)
	kind = choose(streams.open("flat"), known.FLAT_SHARES, loans)
	flat = np.where(kind == "", "", kind + _numbers(streams, "flat number", 3, loans))
	state = _pick(streams, "state", words.STATES, loans)
	city = _cities(streams, loans)
	lines: TextArray = house + street + suffix + flat + "\r\n" + city + ", " + state
	return lines


def _cities(streams: Streams, loans: int) -> TextArray:
	surname = _pick(streams, "city name", words.LAST_NAMES, loans)
	made: TextArray = surname + _pick(streams, "city suffix", words.CITY_SUFFIXES, loans)
	first = _pick(streams, "city first name", words.FIRST_NAMES, loans)
	named = np.where(streams.open("city is first name").random(loans) < 0.5, first, made)
	prefixed = _pick(streams, "city prefix", words.CITY_PREFIXES, loans) + " " + named
	return np.where(streams.open("city has prefix").random(loans) < 0.5, prefixed, made)


def _military(streams: Streams, loans: int) -> TextArray:
	unit = _numbers(streams, "unit", 4, loans)
	box = _numbers(streams, "box", 4, loans)
	ship = (
		_pick(streams, "ship prefix", words.SHIP_PREFIXES, loans) + " " + _pick(streams, "ship", words.LAST_NAMES, loans)
	)
	form = choose(streams.open("military form"), known.MILITARY_FORM_SHARES, loans)
	first = np.select(
		[form == "unit", form == "psc"], ["Unit " + unit + " Box " + box, "PSC " + unit + ", Box " + box], ship
	)
	office = _pick(streams, "military office", words.MILITARY_OFFICES, loans)
	region = _pick(streams, "military region", words.MILITARY_REGIONS, loans)
	lines: TextArray = first + "\r\n" + office + " " + region
	return lines


def _pick(streams: Streams, name: str, pool: tuple[str, ...], loans: int) -> TextArray:
	places = streams.open(name).integers(0, len(pool), loans)
	return np.array(pool, dtype=object)[places]


def _numbers(streams: Streams, name: str, digits: int, loans: int) -> TextArray:
	below = 10**digits
	pool = np.array([f"{number:0{digits}d}" for number in range(below)], dtype=object)
	return pool[streams.open(name).integers(0, below, loans)]


def _without(text: TextArray, missing: BoolArray) -> TextArray:
	kept = text.copy()
	kept[missing] = None
	return kept


def _vary_case(text: TextArray, rng: np.random.Generator) -> TextArray:
	place = share_places(rng.random(len(text)), CASE_SHARES)
	varied = text.copy()
	varied[place == 1] = [value.lower() for value in text[place == 1]]
	varied[place == 2] = [value.upper() for value in text[place == 2]]
	return varied
