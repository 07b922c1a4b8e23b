import pandas as pd
import pytest

from loantap.features.outcomes import NOT_PAID, NOT_RUNNING
from loantap.portfolio.dictionary import CHARGED_OFF, CURRENT, FULLY_PAID
from loantap.surveillance.schemas import SITUATIONS, WATCHLIST
from loantap.surveillance.watchlist.situations import SAYS_CURRENT, Situation
from tests.pipelines.in_memory import ingest, run


def watch(ingested):
	names = ("loan_months", "loans", "running_loans", "reconciliation")
	small = {"hazard": {"max_landmarks": 10_000, "resamples": 20}}
	return run("early_warning", {name: ingested[name] for name in names}, early_warning=small)


def test_where_no_loan_runs_there_is_a_book_and_the_empty_list_says_so(ingested):
	made = watch(ingested)

	assert WATCHLIST.validate(made["watchlist"]).empty
	assert SITUATIONS.validate(made["early_warning.watchlist_situations"]).empty
	assert "No loan runs" in made["early_warning.watchlist_page"]
	for page in ("book", "watchlist"):
		assert "SIMULATED DATA" in made[f"early_warning.{page}_page"]


FAULTS = ("gap", "twice", "late", "paid", "overdue", "behind", "unknown", "missing")


@pytest.fixture(scope="module")
def ids(book):
	"""Loans that get a fault each; the first eight are current, and never were late."""
	of_loan = book["source_loan_events"].groupby("loan_id")["days_past_due"].agg(["size", "max"])
	status = book["source_loans"].set_index("loan_id").loc[of_loan.index, "loan_status"]
	is_calm = of_loan["max"].eq(0) & of_loan["size"].between(12, 30)
	ends = {"lost": CHARGED_OFF, "unpaid": FULLY_PAID}
	current = dict(zip(FAULTS, status.index[is_calm & status.eq(CURRENT)], strict=False))
	return current | {name: status.index[status == word][0] for name, word in ends.items()}


@pytest.fixture(scope="module")
def faulty(book, ids, tmp_path_factory):
	"""Each fault once, and in the last month no utilisation for anybody."""
	months = book["source_loan_events"].copy()
	of_loan = months.groupby("loan_id").indices
	row = {name: of_loan[loan] for name, loan in ids.items()}
	months.loc[row["paid"][-1], "balance"] = 0.0
	months.loc[row["overdue"][-1], "days_past_due"] = 45.0
	months.loc[row["unknown"][-1], "dti"] = 9_999.0
	months.loc[row["missing"][-1], "dti"] = None
	months.loc[months["month"].eq("Mar-2017"), "revol_util"] = None
	older = months.loc[[row["twice"][-1]]].assign(balance=1.0, updated_at=months["updated_at"] - pd.Timedelta(days=9))
	after = months.loc[[row["lost"][-1]]].assign(month="Mar-2017", balance=0.0, days_past_due=0.0)
	gone = [row["gap"][-2], *row["late"][:3], row["behind"][-1], row["unpaid"][-1]]
	events = pd.concat([months.drop(index=gone), older, after], ignore_index=True)
	ingested = ingest(book | {"source_loan_events": events}, tmp_path_factory.mktemp("faulty"))
	return watch(ingested) | ingested


def test_the_book_counts_what_is_wrong_with_months(faulty):
	condition = faulty["early_warning.book_figures"]["condition"]

	assert {name: loans for name, loans in condition.items() if name != "loans_with_months"} == {
		"loans_without_months": 0,
		"gaps": 1,
		"late_starts": 1,
		"months_after_end": 1,
		"paid_without_zero": 1,
		"running_at_zero": 1,
		"behind": 1,
	}


def test_a_month_that_is_there_twice_is_kept_as_updated_last_and_one_without_dti_as_it_is(faulty, ids):
	quarantine = faulty["ingestion.loan_events_quarantine"]
	last = faulty["loan_months"].groupby("loan_id").tail(1).set_index("loan_id")

	assert quarantine["loan_id"].tolist() == [ids["twice"]]
	assert quarantine["reason"].tolist() == ["repeats the loan_id and month of a row as new or newer"]
	assert last.loc[ids["twice"], "outstanding_balance"] > 1
	assert last.loc[[ids["missing"], ids["unknown"]], "current_dti_pct"].isna().tolist() == [True, False]
	panel = faulty["early_warning.loan_panel"].groupby("loan_id").tail(1).set_index("loan_id")
	assert panel.loc[[ids["missing"], ids["unknown"]], ["dti_pct", "dti_change_1m"]].isna().all(axis=None)


def test_the_list_names_loans_that_contradict_themselves_or_are_behind_and_what_reached_nobody(faulty, ids):
	situations = faulty["early_warning.watchlist_situations"].set_index("loan_id")
	contradicted = faulty["early_warning.loan_outcomes"].dropna(subset="contradiction").set_index("loan_id")

	assert situations.loc[ids["behind"], "situation"] == Situation.STALE
	assert situations.loc[ids["paid"], "situation"] == Situation.ENDED
	assert situations.loc[situations["contradiction"].ne(""), "contradiction"].to_dict() == {ids["overdue"]: SAYS_CURRENT}
	assert contradicted["contradiction"].to_dict() == {ids["paid"]: NOT_RUNNING, ids["unpaid"]: NOT_PAID}
	assert ids["overdue"] in set(faulty["watchlist"]["loan_id"])
	assert not {ids["unknown"], ids["missing"], ids["paid"]} & set(faulty["watchlist"]["loan_id"])
	assert "Did not arrive for any loan this month: utilisation_change_3m" in faulty["early_warning.watchlist_page"]
