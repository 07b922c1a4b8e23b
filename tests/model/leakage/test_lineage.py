import numpy as np
import pandas as pd
import pytest

from loantap.features.definitions import Feature
from loantap.model.leakage import evidence, lineage
from loantap.model.leakage.borrowers import find_duplicate_borrowers
from loantap.model.leakage.evidence import GateVerdict
from loantap.model.leakage.lineage import LaterDates, check_dates, check_lineage, find_later_dates
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.schemas import LOAN_MONTHS, LOANS
from loantap.portfolio.truth_columns import NEVER_A_FEATURE
from loantap.surveillance.schemas import LOAN_PANEL
from tests.model.leakage.limits import OPTIONS


def test_dates_after_the_month_of_issue_are_counted_with_the_first_five_loans():
	line = pd.to_datetime(pd.Series(["2014-01-01", None, *["2014-02-01"] * 6]))
	loans = pd.DataFrame({"loan_id": [*"abcdefgh"], "issue_month": pd.Timestamp("2014-01-01"), "dti_pct": 1.0})
	[lines, updated] = find_later_dates(loans.assign(earliest_credit_line=line, updated_at=loans["issue_month"]))
	[unnamed] = find_later_dates(loans.drop(columns="loan_id").assign(earliest_credit_line=line))

	assert lines == LaterDates("earliest_credit_line", 7, 6, tuple("cdefg"), ("credit_history_years",))
	assert list(lines.as_dict().values()) == ["earliest_credit_line", 7, 6, [*"cdefg"], ["credit_history_years"]]
	assert updated == LaterDates("updated_at", 8, 0, (), ())
	assert (unnamed.later, unnamed.examples) == (6, ())
	assert (LaterDates("x", 0, 0, (), ()).share, lines.share) == (0, 6 / 7)

	used = LaterDates("line", 1_000, 1, ("a",), ("age",)), LaterDates("none", 9, 0, (), ("age",))
	for most, verdict in ((0.001, "warned"), (0.0009, "caught")):
		evidence = check_dates("age", [*used, lines], OPTIONS.model_copy(update={"max_later_share": most}))
		assert (evidence.verdict, evidence.figures) == (verdict, {"line": 0.001})


def test_a_feature_comes_out_the_same_to_the_last_digits_for_every_second_loan():
	loans = pd.DataFrame({"dti_pct": [0.0, 1.0, 20.0, 2.0, np.nan, 3.0, 5.0], "purpose": [*"abcdefg"]})
	dti, purpose = loans["dti_pct"], loans["purpose"]

	# The loans in between are not looked at.
	for same in (dti.add([1e-13, 9, 1e-11, 9, 0, 9, 0]), purpose):
		assert check_lineage(same, loans).verdict == "passed"
	for other in (dti.add([5e-9, *[0] * 6]), dti.add([0, 0, 1e-5, *[0] * 4]), purpose.replace({"a": "b", "b": "c"})):
		assert check_lineage(other, loans).figures == {"differing": 1, "loans": 4}
	assert check_lineage(purpose.rename("dti_pct"), loans).figures["differing"] == 4
	assert check_lineage(dti.rename("my_dti"), loans).statement.startswith("not declared in features/definitions.py")


def test_duplicates_are_counted_across_the_split_and_between_folds():
	train = pd.Series(np.arange(10) < 6)
	#                               fold 0  1  2  0  1  2  held out
	loans = pd.DataFrame({"a": [6.0, 2, 3, 1, 2, 4, 2, 4, 9, 9], "b": 1.0})
	loans["c"] = [7.0, 8, 8, 7, 5, np.nan, np.nan, 5, 7, 6]

	def find(loans, *keys):
		folds = [(None, np.array([k, k + 3])) for k in range(3)]
		return find_duplicate_borrowers(loans, train[loans.index], folds, keys).as_dict()

	# By a: 2 and 4 are in training too, 9 is held out twice. By c: 5 and 7; and 8 lies in two folds, 7 in one.
	assert find(loans, ("a", "b"), ("c",)) == {
		"keys": ["a + b", "c"],
		"test_loans": 4,
		"test_duplicates": 3,
		"test_duplicates_by_key": [2, 2],
		"train_loans": 6,
		"fold_duplicates": 2,
	}
	assert find(loans[:6], ("a",))["test_duplicates"] == 0
	assert find(loans.assign(borrower_id=[*"ABCDEFGHIA"]), ("a",))["test_duplicates_by_key"] == [1]


@pytest.mark.parametrize("name", sorted(NEVER_A_FEATURE))
def test_the_gate_refuses_each_column_of_the_truth_by_name(name):
	loans = pd.DataFrame({"loan_id": ["a", "b"], name: [0.1, 0.2]})
	found = check_lineage(loans[name], loans)

	assert found.verdict is GateVerdict.CAUGHT
	assert "the simulator's truth" in found.statement


@pytest.mark.parametrize("column", sorted({*LOAN_PANEL.columns, *LOAN_MONTHS.columns} - {*LOANS.columns}))
def test_the_gate_refuses_features_of_the_months(monkeypatch, column):
	made = {"sneaked_in": Feature("sneaked_in", "what came of it", (column,))}
	for module in (lineage, evidence):
		monkeypatch.setattr(module, "FEATURES", made)

	found = check_lineage(pd.Series([1.0, 2.0], name="sneaked_in"), pd.DataFrame({column: [1.0, 2.0]}))

	assert evidence.check_known("sneaked_in").verdict is found.verdict is GateVerdict.CAUGHT
	assert f"{column}: in no application" in found.statement


def test_no_source_column_has_the_name_of_one():
	assert not NEVER_A_FEATURE & set(COLUMNS)


def test_the_truth_is_read_where_it_is_made_and_nowhere_else():
	readers = {node.name for node in register_pipelines()["all"].nodes if "sources.simulated_truth" in node.inputs}

	assert readers == {"sources.account_for_portfolio", "sources.simulate_loan_events"}
