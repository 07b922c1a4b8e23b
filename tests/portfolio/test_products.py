import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loantap.portfolio.dictionary import SUB_GRADES, TERMS_MONTHS
from loantap.portfolio.errors import InputError
from loantap.portfolio.products import VARIABLE, read_products

OTHERS = "terms_months: [12, 24, 120]\ngrades:\n  Prime: [P, P-]\n  Near: [Near]\ncurrency: INR\n"


@pytest.fixture
def others(tmp_path: Path) -> Path:
	path = tmp_path / "ours.yml"
	path.write_text(OTHERS)
	return path


def test_loantap_sells_two_terms_and_35_sub_grades():
	assert TERMS_MONTHS == (36, 60)
	assert len(SUB_GRADES) == 35


def test_another_list_is_read_in_its_order(others):
	products = read_products(others)

	assert products.terms_months == (12, 24, 120)
	assert products.sub_grades == ("P", "P-", "Near")
	assert products.grade_of == {"P": "Prime", "P-": "Prime", "Near": "Near"}


@pytest.mark.parametrize(
	("old", "new", "told"),
	[
		("[12, 24, 120]", "[12, 24, 121]", r"terms_months\.2: .*120"),
		("[12, 24, 120]", "[24, 12]", "shortest first"),
		("[12, 24, 120]", "[12, 12]", "each term once"),
		("[Near]", "[P]", "sub-grade P is listed twice"),
		("[Near]", "[]", r"grades\.Near"),
		("INR", "rupees", "currency"),
		("currency", "money", "currency|money"),
		("Prime:", "Prime", "ours.yml"),
	],
)
def test_a_list_that_cannot_be_used_names_file_and_entry(others, old, new, told):
	others.write_text(OTHERS.replace(old, new))

	with pytest.raises(InputError, match=told) as raised:
		read_products(others)
	assert str(others) in str(raised.value)
	assert VARIABLE in str(raised.value)


def test_a_list_that_is_not_there_is_an_error(tmp_path):
	with pytest.raises(InputError, match=r"none\.yml"):
		read_products(tmp_path / "none.yml")


# What a process that sells other products makes of loans: it reads the list once, when it starts.
SELLS_OTHERS = """
import json
import pandas as pd
from loantap.features.build import build_features
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import parse
from loantap.simulator import iter_portfolio

names = ("term_months", "grade", "sub_grade")
rows = pd.DataFrame({"term": ["120 months", "36 months", "12"], "grade": ["Near", "Prime", "Prime"],
                     "sub_grade": ["Near", "P-", "Near"]})
parsed = parse(rows, [COLUMNS[name] for name in names], pd.Timestamp("2020-01-01"))
try:
    next(iter(iter_portfolio(1_000, 1)))
    refused = ""
except InputError as error:
    refused = str(error)
features = build_features(parsed.rows, ["term_months", "sub_grade_rank"])
problems = parsed.problems["column"] + ": " + parsed.problems["reason"]
print(json.dumps({"problems": problems.tolist(),
                  "terms": features["term_months"].tolist()[:1],
                  "ranks": features["sub_grade_rank"].tolist(), "refused": refused}))
"""


@pytest.mark.slow
def test_a_process_that_sells_others_knows_their_terms_and_ranks_their_grades(others):
	environment = os.environ | {VARIABLE: str(others)}
	told = subprocess.run(
		[sys.executable, "-c", SELLS_OTHERS], env=environment, check=True, capture_output=True, text=True, timeout=120
	).stdout
	found = json.loads(told)

	assert found["terms"] == [120]
	assert found["ranks"] == [2, 1, 2]
	assert found["problems"] == ["term: not 12 or 24 or 120", "sub_grade: not one of grade Prime"]
	assert "only LoanTap's own products can be simulated" in found["refused"]
