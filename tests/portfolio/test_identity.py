import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from loantap.portfolio.identity import ContentIds, content_ids

rows_of_two = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y"])), max_size=12)


def ids(*rows):
	frame = pd.DataFrame(rows, columns=list("pqr")[: len(rows[0])], dtype="str")
	return list(content_ids(frame, list(frame.columns)))


def test_the_same_content_always_has_the_same_identifier():
	# Other systems keep these identifiers, so they must not change:
	# printf '10000.0\x1f 36 months' | b2sum --length 64
	assert ids(("10000.0", " 36 months")) == ["e8e186901ee85cb1-1"]


def test_equal_rows_are_told_apart_by_their_occurrence_number():
	first, second, other, third = ids(("a", "x"), ("a", "x"), ("b", "x"), ("a", "x"))

	digest = first.removesuffix("-1")
	assert (first, second, third) == (f"{digest}-1", f"{digest}-2", f"{digest}-3")
	assert other.endswith("-1")
	assert not other.startswith(digest)


def test_where_a_value_stands_matters():
	assert len(set(ids(("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")))) == 4


def test_a_missing_value_counts_as_empty():
	assert ids(("a", None)) == ids(("a", ""))


@given(rows_of_two)
def test_no_two_rows_share_an_identifier_and_their_order_does_not_matter(rows):
	frame = pd.DataFrame(rows, columns=["p", "q"], dtype="str").set_axis(range(5, 5 + len(rows)), axis="index")
	shuffled = frame.sample(frac=1, random_state=len(rows))

	made = content_ids(frame, ["p", "q"])

	assert made.is_unique
	assert list(made.index) == list(frame.index)
	assert sorted(content_ids(shuffled, ["p", "q"])) == sorted(made)


def test_columns_that_are_not_named_do_not_matter():
	one, two = (pd.DataFrame({"p": ["a"], "outcome": [o]}) for o in ("Fully Paid", "Charged Off"))

	assert list(content_ids(one, ["p"])) == list(content_ids(two, ["p"]))


def test_identifiers_of_batches_are_those_of_the_whole():
	rows = pd.DataFrame({"a": ["x", "y", "x", "x", "y", "z"], "b": ["1"] * 6})
	ids = ContentIds(["a", "b"])
	batches = [ids.number(rows[start : start + 2]) for start in (0, 2, 4)]

	pd.testing.assert_series_equal(pd.concat(batches), content_ids(rows, ["a", "b"]))
	assert content_ids(rows, ["a", "b"]).str[-2:].tolist() == ["-1", "-1", "-2", "-3", "-2", "-1"]
