import json
import logging

import duckdb
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro.validation.exceptions import DataValidationError

from loantap.databases.sql_rows import RowShaper
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import make_decider
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import render
from tests.conftest import train, training_options
from tests.pipelines.in_memory import AS_OF, load_options, run_on_files

pytestmark = pytest.mark.usefixtures("small_batches")


@pytest.fixture
def scorer(lending_model):
	return Scorer(lending_model, "loantap-lending-demo", "1")


@pytest.fixture
def applications(simulated_loans):
	"""50 applications, two of which cannot be scored."""
	rows = render(simulated_loans.head(50), portfolio_columns()).drop(columns="loan_status")
	rows.loc[[7, 33], "dti"] = -1.0
	return rows


@pytest.fixture
def score(scorer, tmp_path):
	def score(applications, name="new.parquet", by=scorer, as_of=AS_OF, **options):
		source, target = tmp_path / name, tmp_path / "out" / "scores.parquet"
		if source.suffix == ".csv":
			applications.to_csv(source, index=False)
		else:
			applications.to_parquet(source)
		given = {"scoring": options} if options else {}
		run_on_files(
			"scoring", {"applications": source, "scores": target}, {"lending_model@champion": by}, as_of=as_of, **given
		)
		return pd.read_parquet(target)

	return score


@pytest.fixture
def nothing_is_written(tmp_path):
	yield
	names = ("out/scores.parquet", "warehouse.duckdb", "scoring_account.json")
	assert not [name for name in names if (tmp_path / name).exists()]


def decider():
	options = load_options()
	return make_decider(options["params:policy"], options["params:economics"])


@pytest.mark.parametrize("name", ["new.parquet", "new.csv"])
def test_a_file_is_underwritten_as_a_frame_is(name, applications, scorer, score):
	scores = score(applications, name)

	expected = Underwriter(scorer, decider()).underwrite(applications, pd.Timestamp(AS_OF))
	pd.testing.assert_frame_equal(
		scores.drop(columns=[c for c in scores if c.startswith("reason")]),
		expected.drop(columns=[c for c in expected if c.startswith("reason")]),
		check_exact=False,
		rtol=0,
		atol=1e-9,
	)
	good = expected["decision"] != "invalid"
	reasons = [c for c in scores if c.startswith("reason")]
	pd.testing.assert_frame_equal(scores.loc[good, reasons], expected.loc[good, reasons])
	assert scores.loc[[7, 33], "reason_1"].tolist() == ["dti '-1.0': below 0"] * 2


@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
@pytest.mark.parametrize("rows", [0, 16, 17])
def test_a_file_of_any_length_is_scored(rows, name, applications, score, tmp_path):
	scores = score(applications.head(rows), name)

	assert scores["application_id"].tolist() == [str(number) for number in range(rows)]
	assert scores["score"].dtype == "Int64"
	assert scores["reason_1"].dtype == "str"
	assert json.loads((tmp_path / "scoring_account.json").read_text())["rows"] == rows


def test_applications_without_a_rate_are_scored_by_the_model_that_needs_none_and_referred(
	applications, simulated_loans, score
):
	model = train(simulated_loans, training_options("application"))
	ungraded = applications.drop(columns=["grade", "sub_grade", "int_rate", "installment"])

	scores = score(ungraded, by=Scorer(model, "loantap-application-demo", "1")).drop([7, 33])

	assert scores["probability_of_default"].notna().all()
	# Without a rate there is nothing to value the loan by.
	assert set(scores["decision"]) == {"refer"}
	assert scores["expected_npv"].isna().all()


@pytest.mark.usefixtures("nothing_is_written")
class TestRefused:
	"""What cannot be scored is told; a file that is plainly another is refused."""

	@pytest.mark.parametrize(
		("change", "said"),
		[
			(lambda rows: rows.drop(columns="dti"), "applications: column dti missing"),
			(lambda rows: rows.assign(int_rate=rows["int_rate"] / 100), r"int_rate .* contradicted by the instalment of"),
			(
				lambda rows: rows.assign(revol_util=rows["revol_util"] / 100),
				"applications: column revol_util is at most 1 in ",
			),
			(
				lambda rows: rows.assign(annual_inc=rows["annual_inc"].mask(rows.index < 3, -1.0)),
				"applications: 5 of 50 cannot be scored",
			),
		],
		ids=["no column", "rates as shares", "a column of shares", "many invalid rows"],
	)
	def test_a_file_is_refused(self, change, said, applications, score):
		ids = [f"A-{number}" for number in range(50)]

		with pytest.raises(InputError, match=said):
			score(change(applications).assign(application_id=ids), "new.csv")

	def test_every_batch_is_validated_before_it_is_written(self, applications, score, monkeypatch):
		real = Scorer.assess

		def go_astray(self, rows, *others):
			assessed = real(self, rows, *others)
			if len(rows) < 16:  # the last batch
				assessed.probability_of_default[:] = np.inf
			return assessed

		monkeypatch.setattr(Scorer, "assess", go_astray)

		with pytest.raises(DataValidationError, match="probability_of_default"):
			score(applications)


def test_what_is_invalid_is_counted_with_its_cause_and_rows_up_to_the_share_allowed(applications, score, tmp_path):
	bad = applications["annual_inc"].mask(applications.index < 3, -1.0)
	score(applications.assign(annual_inc=bad), "new.csv", max_invalid_share=0.1)

	account = json.loads((tmp_path / "scoring_account.json").read_text())
	assert (account["rows"], account["invalid"], account["invalid_share"]) == (50, 5, 0.1)
	assert account["causes"] == [
		{"rows": 3, "example": "annual_inc '-1.0': below 0", "first_rows": [1, 2, 3]},
		{"rows": 2, "example": "dti '-1.0': below 0", "first_rows": [8, 34]},
	]


def test_what_is_odd_but_no_fault_is_a_warning(applications, score, caplog):
	odd = applications.copy()
	odd.loc[[3, 20], "purpose"] = ["Rénovation ", "boat"]
	odd.loc[[5, 40], "purpose"] = ["Debt Consolidation", "debt-consolidation"]
	odd.loc[[2, 30], "installment"] *= 0.5

	score(odd, "new.csv")

	off, unseen = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
	assert off.startswith("2 of 50 applications (rows 3, 31) have an instalment that is not ")
	assert "never seen: 'Rénovation' (1), 'boat' (1); they are scored as a rare" in unseen


@pytest.fixture
def identified(applications):
	return applications.assign(application_id=[f"A-{number}" for number in range(50)])


def read(folder):
	with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
		return connection.execute("FROM decisions ORDER BY decided_on, application_id").df()


def test_decisions_are_the_scores_of_each_day_and_nothing_of_the_applicants(identified, score, tmp_path):
	scores = score(identified)
	decided = read(tmp_path)
	score(identified)
	pd.testing.assert_frame_equal(read(tmp_path), decided)

	assert set(decided["decided_on"]) == {pd.Timestamp(AS_OF)}
	# The model that decided is one from simulated loans.
	assert set(decided["origin"]) == {"simulated"}
	pd.testing.assert_frame_equal(
		decided.drop(columns=["origin", "decided_on"]),
		scores.sort_values("application_id", ignore_index=True),
		check_dtype=False,
	)

	score(identified, as_of="2026-11-24")
	days = read(tmp_path)["decided_on"].value_counts()
	assert days.to_dict() == {pd.Timestamp(AS_OF): 50, pd.Timestamp("2026-11-24"): 50}


def test_row_numbers_are_no_identifiers(applications, score, tmp_path, caplog):
	caplog.set_level(logging.INFO, "loantap")
	score(applications)

	assert not (tmp_path / "warehouse.duckdb").exists()
	assert "The file has no application_id: its decisions are not written back" in caplog.text


def test_rows_without_an_identifier_are_left_out(identified, score, tmp_path):
	# The first batch, of 16 rows, has none.
	ids = identified["application_id"].where((identified.index >= 16) & (identified.index < 49))
	scores = score(identified.assign(application_id=ids))

	assert len(scores) == 50
	assert len(read(tmp_path)) == 33


def test_decisions_of_a_repeated_identifier_the_last_row_counts(identified, score, tmp_path, caplog):
	caplog.set_level(logging.INFO, "loantap")
	ids = identified["application_id"].where(identified.index < 48, "A-0")
	scores = score(identified.assign(application_id=ids))

	decided = read(tmp_path).set_index("application_id")
	last = scores.iloc[-1]
	assert decided.loc["A-0", "probability_of_default"] == last["probability_of_default"]
	assert len(decided) == 48
	assert "2 passed over for a later one with the same key" in caplog.text


def test_a_run_that_fails_writes_none(identified, score, tmp_path, monkeypatch):
	score(identified)
	before = read(tmp_path)
	monkeypatch.setattr(RowShaper, "_require_keys", lambda *_: 1 / 0)

	with pytest.raises(DatasetError, match="division by zero"):
		score(identified, as_of="2026-11-24")

	pd.testing.assert_frame_equal(read(tmp_path), before)
