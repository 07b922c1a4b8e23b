from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loantap.model.scoring.scorer import REASONS
from loantap.portfolio.dictionary import COLUMNS, Kind
from loantap.portfolio.errors import InputError
from tests.conftest import AS_OF, MADE_UP_LOAN

SOURCE_NAMES = {c.source_name: c for c in COLUMNS.values() if c.source_name}
STRANGE_VALUES = [
	None,
	np.nan,
	pd.NA,
	pd.NaT,
	Decimal("NaN"),
	"",
	"  ",
	"n/a",
	"nan",
	"None",
	True,
	False,
	np.bool_(True),
	-1,
	0,
	1,
	36,
	60,
	10**400,
	-5.5,
	9_999,
	1e300,
	np.inf,
	-np.inf,
	"inf",
	"-inf",
	"9999",
	"-1",
	"1_000",
	"1,000",
	"1e3",
	" 12.5 ",
	"0x10",
	"12 000",
	"\u0661",
	Decimal("12.5"),
	np.float32(12.1),
	np.int64(7),
	np.float64(7.25),
	np.str_("B2"),
	"36 months",
	" 60 months",
	"48 months",
	"10+ years",
	"< 1 year",
	"11 years",
	"A1",
	"G5",
	" C3 ",
	"c3",
	"H1",
	"car",
	"a trip to the moon",
	"x" * 50,
	"Jan-2015",
	"2015-01-31",
	"Dec-2099",
	date(2015, 1, 31),
	datetime(2099, 1, 1, 12, tzinfo=UTC),
	pd.Timestamp("2015-01-31", tz="Asia/Kolkata"),
	np.datetime64("2015-01-31"),
	b"12",
	[12],
]
STRANGE = st.sampled_from(STRANGE_VALUES)


def usual_values(column):
	if column.kind is Kind.CATEGORY:
		return st.sampled_from(column.categories or ("car", "other", "debt_consolidation"))
	if column.values:
		return st.sampled_from([MADE_UP_LOAN[str(column.source_name)], *column.values])
	least, most = column.minimum or 0, min(column.maximum or 0, 200_000)
	number = st.floats(least, most).map(round if column.kind is Kind.COUNT else float)
	return st.one_of(number, number.map(str))


def assert_same_answers(scorer, *applications):
	"""Of all of them in one frame, and of each alone."""
	frame = pd.DataFrame(
		{name: pd.Series([each[name] for each in applications], dtype="object") for name in MADE_UP_LOAN}
	)
	rows = scorer.score(frame, AS_OF)
	for application, (_, row) in zip(applications, rows.iterrows(), strict=True):
		assert_same_answer(scorer, application, row)


def assert_same_answer(scorer, application, row):
	one = scorer.score_one(application, AS_OF)

	assert list(one.reasons) == row[list(REASONS)].tolist()
	if one.probability_of_default is None:
		assert pd.isna(row["probability_of_default"])
		assert pd.isna(row["score"])
		assert one.score is None
	else:
		assert one.probability_of_default == pytest.approx(row["probability_of_default"], rel=0, abs=1e-9)
		assert one.score == row["score"]


# A frame costs the same for one row as for twenty, so twenty applications are drawn at a time.
@settings(max_examples=10)
@given(data=st.data())
def test_a_valid_application_gets_the_same_answer_either_way(scorer, data):
	usual = st.fixed_dictionaries({str(column.source_name): usual_values(column) for column in scorer.columns})
	changes = data.draw(st.lists(usual, min_size=20, max_size=20))

	assert_same_answers(scorer, *[MADE_UP_LOAN | each for each in changes])


@settings(max_examples=20)
@given(
	changes=st.lists(
		st.dictionaries(st.sampled_from(sorted(SOURCE_NAMES.keys() & MADE_UP_LOAN.keys())), STRANGE, min_size=1),
		min_size=20,
		max_size=20,
	)
)
@example(
	changes=[
		{"annual_inc": -1, "dti": 9_999, "purpose": None},
		{"dti": np.inf, "sub_grade": "H1", "earliest_cr_line": "Dec-2099"},
	]
)
def test_whatever_is_sent_gets_the_same_answer_either_way(scorer, changes):
	assert_same_answers(scorer, *[MADE_UP_LOAN | each for each in changes])


@pytest.mark.parametrize("value", STRANGE_VALUES, ids=repr)
def test_a_strange_value_gets_the_same_answer_alone_in_its_column(scorer, value):
	"""In a frame of one row a column holds nothing but it."""
	assert_same_answers(scorer, MADE_UP_LOAN | {"dti": value})


@pytest.mark.parametrize(
	("changes", "message"),
	[
		({"annual_inc": -1}, "annual_inc '-1': below 0"),
		({"dti": np.inf}, "dti 'inf': not a finite number"),
		({"sub_grade": "H1"}, "sub_grade 'H1': not one of A1, A2, A3, ..., G5"),
		({"purpose": " "}, "purpose '': missing"),
		({"open_acc": 2.5}, "open_acc '2.5': not a whole number"),
		({"annual_inc": "plenty", "dti": "-3"}, "annual_inc 'plenty': not a number; dti '-3': below 0"),
	],
	ids=str,
)
def test_what_cannot_be_scored_says_why_with_column_and_value(scorer, changes, message):
	one = scorer.score_one(MADE_UP_LOAN | changes, AS_OF)

	assert one.probability_of_default is None
	assert one.score is None
	assert one.reasons == (message, "", "", "")


@pytest.mark.parametrize(
	"changes",
	[
		{"dti": 9_999},  # how the bureau writes "no income"
		{"purpose": "a trip to the moon"},
		{"pub_rec_bankruptcies": None, "revol_util": pd.NA, "emp_length": "n/a"},
		{"annual_inc": 0},
		{"open_acc": 0, "total_acc": 0},
		{"issue_d": "Dec-2099"},  # no feature of the model: not looked at
	],
	ids=str,
)
def test_what_is_unusual_is_scored_all_the_same(scorer, changes):
	one = scorer.score_one(MADE_UP_LOAN | changes, AS_OF)

	assert one.probability_of_default is not None
	assert_same_answers(scorer, MADE_UP_LOAN | changes)


def test_a_field_the_model_needs_is_missed_by_name(scorer):
	partial = {k: v for k, v in MADE_UP_LOAN.items() if k not in {"dti", "int_rate"}}

	with pytest.raises(InputError, match="columns dti, int_rate missing"):
		scorer.score_one(partial, AS_OF)
