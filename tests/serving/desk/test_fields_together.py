import math

import pytest

from loantap.model.scoring.scorer import Scorer
from loantap.serving.desk.applications import Applications
from loantap.serving.desk.fields import ApplicationFields, make_example

_CHANGES = [
	{},
	{"application_id": 17},
	{"application_id": "A\n1"},
	{"application_id": 1.5},
	{"application_id": "A" * 10_000},
	{"annual_inc": None},
	{"annual_inc": "60000"},
	{"annual_inc": 1e300},
	{"annual_inc": -(10**400)},
	{"annual_inc": math.nan},
	{"annual_inc": True},
	{"purpose": "x" * 100_000},
	{"fico": 700},
]


@pytest.fixture(scope="module")
def fields(lending_model):
	return ApplicationFields(Scorer(lending_model, "loantap-lending-demo", "1").columns)


@pytest.mark.parametrize("change", _CHANGES, ids=lambda change: str(change)[:40])
def test_together_they_are_good_where_each_alone_is(fields, change):
	example = make_example(fields.needed)
	changed = example | change
	same = {name: example.get(name) for name in changed}
	# The others have the field as well, so that it is the value that counts.
	is_known = not fields.check(changed) or change.keys() <= {*example, "application_id"}
	rows = [same, changed, same] if is_known else [changed] * 3

	assert fields.are_good(Applications(rows)) is not any(fields.check(row) for row in rows)


def test_a_missing_or_further_field_is_left_to_the_check_of_each(fields):
	example = make_example(fields.needed)
	without = dict(list(example.items())[1:])

	assert not fields.are_good(Applications([without, without]))
	assert not fields.are_good(Applications([example, example | {"application_id": "A-1"}]))
	assert not fields.are_good(Applications([]))
