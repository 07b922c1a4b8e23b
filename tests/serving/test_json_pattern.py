import numpy as np
import pytest
from pydantic_core import from_json, to_json

from loantap.serving.desk.batch import fill_by, make_pattern, write_numbers, write_texts

TEXTS = [[], ["a"], ["a", "b"], ['a","b', "c"], ['"', ","], [",", ""], ["\\", "\\"], [None], ["é", None]]


@pytest.mark.parametrize("texts", TEXTS, ids=str)
def test_texts_are_written_as_each_alone(texts):
	assert write_texts(texts) == [to_json(text).decode() for text in texts]


def test_numbers_are_written_as_each_alone_and_nan_as_null():
	numbers = [0.1, -0.0, 1e-7, 1e22, 3.0, 1 / 3]

	written = write_numbers(np.array([*numbers, np.nan]))

	assert written == [*(to_json(number).decode() for number in numbers), "null"]
	assert write_numbers(np.zeros(0)) == []
	with pytest.raises(ValueError, match="infinite"):
		write_numbers(np.array([1.0, np.inf]))


def test_a_pattern_has_its_blanks_where_they_were_and_all_else_as_it_was():
	def make(blank):
		return {"100%": "50% of %s", "a": blank("a"), "deep": [blank("b"), {"c": blank("c")}]}

	columns = {"c": ["1", "2"], "a": ['"x"', "null"], "b": ["[]", "true"]}

	first, second = make_pattern(make).fill(columns)

	assert from_json(first) == {"100%": "50% of %s", "a": "x", "deep": [[], {"c": 1}]}
	assert second == '{"100%":"50% of %s","a":null,"deep":[true,{"c":2}]}'


def test_each_row_chooses_its_pattern():
	patterns = {kind: make_pattern(lambda blank, kind=kind: [kind, blank("n")]) for kind in ("x", "y")}

	assert fill_by(patterns, ["y", "x"], {"n": ["1", "2"]}) == ['["y",1]', '["x",2]']

	odd = {**patterns, "z": make_pattern(lambda blank: blank("m"))}
	with pytest.raises(ValueError, match="different blanks"):
		fill_by(odd, ["x"], {"n": ["1"], "m": ["1"]})
