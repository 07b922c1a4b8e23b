"""`scoring` from a file to a file, batch by batch, each checked before it is written."""

import json
import logging

import duckdb
import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation.exceptions import DataValidationError

from loantap import settings
from loantap.databases.sql_rows import RowShaper
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import make_decider
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import render
from loantap.tables import files
from tests.conftest import PROJECT
from tests.pipelines.in_memory import AS_OF, PIPELINES, load_options


@pytest.fixture
def scorer(lending_model):
    return Scorer(lending_model, "loantap-lending-demo", "1")


@pytest.fixture
def applications(simulated_loans):
    """50 applications, two of which cannot be scored."""
    rows = render(simulated_loans.head(50), portfolio_columns()).drop(columns="loan_status")
    rows.loc[[7, 33], "dti"] = -1.0
    return rows


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(files.TableFile.__init__, "__defaults__", (16, None))


def write(rows, path):
    if path.suffix == ".csv":
        rows.to_csv(path, index=False)
    else:
        rows.to_parquet(path)
    return path


def score(source, target, scorer, as_of=AS_OF, **options):
    """Run the pipeline on the shipped catalog; what it wrote to the file.

    The warehouse and the account are beside the applications.
    """
    given = {"applications": str(source), "scores": str(target), "as_of": as_of}
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"), env="local", runtime_params=given, **settings.CONFIG_LOADER_ARGS
    )
    names = (
        "applications", "scores", "scoring.scoring_account", "scoring.warehouse_decisions",
        "recommendations",
    )  # fmt: skip
    warehouse = {"backend": "duckdb", "path": str(source.parent / "warehouse.duckdb")}
    entries = {name: loader["catalog"][name] for name in names}
    entries["scoring.scoring_account"]["dataset"]["filepath"] = str(source.parent / "account.json")
    entries["recommendations"]["dataset"]["filepath"] = str(source.parent / "recommendations.json")
    catalog = DataCatalog.from_config(entries, {"warehouse_output": warehouse})
    given_options = (
        load_options(as_of=as_of, scoring=options) if options else load_options(as_of=as_of)
    )
    for name, data in {"lending_model@champion": scorer, **given_options}.items():
        catalog[name] = MemoryDataset(data, copy_mode="assign")
    try:
        SequentialRunner().run(PIPELINES["scoring"], catalog)
    except BaseException:
        for name in names[1:4]:
            catalog.get(name).discard()
        raise
    for name in names[1:4]:
        catalog.get(name).publish()
    return pd.read_parquet(target)


def decider():
    options = load_options()
    return make_decider(options["params:policy"], options["params:economics"])


@pytest.mark.parametrize("name", ["new.parquet", "new.csv"])
def test_a_file_is_underwritten_as_a_frame_is(name, applications, scorer, tmp_path):
    scores = score(write(applications, tmp_path / name), tmp_path / "scores.parquet", scorer)

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


@pytest.mark.parametrize("rows", [0, 1, 16, 17])
def test_a_file_of_any_length_is_scored(rows, applications, scorer, tmp_path):
    source = write(applications.head(rows), tmp_path / "new.parquet")

    scores = score(source, tmp_path / "scores.parquet", scorer)

    assert scores["application_id"].tolist() == [str(number) for number in range(rows)]
    assert scores["score"].dtype == "Int64"
    assert scores["reason_1"].dtype == "str"


def test_identifiers_of_any_type_are_given_back(applications, scorer, tmp_path):
    ids = pd.array([2**60 + n for n in range(49)] + [None], dtype="Int64")
    source = write(applications.assign(application_id=ids), tmp_path / "new.parquet")

    scores = score(source, tmp_path / "scores.parquet", scorer)

    assert scores["application_id"].iloc[0] == str(2**60)
    assert pd.isna(scores["application_id"].iloc[49])


def test_a_file_without_a_column_is_refused_by_name_and_nothing_is_written(
    applications, scorer, tmp_path
):
    source = write(applications.drop(columns="dti"), tmp_path / "new.parquet")

    with pytest.raises(InputError, match="applications: column dti missing"):
        score(source, tmp_path / "out" / "scores.parquet", scorer)

    assert not list(tmp_path.glob("out/*"))


def test_every_batch_is_validated_before_it_is_written(applications, scorer, tmp_path, monkeypatch):
    real = Scorer.assess

    def go_astray(self, rows, *others):
        assessed = real(self, rows, *others)
        if len(rows) < 16:  # the last batch
            assessed.probability_of_default[:] = np.inf
        return assessed

    monkeypatch.setattr(Scorer, "assess", go_astray)
    source = write(applications, tmp_path / "new.parquet")

    with pytest.raises(DataValidationError, match="probability_of_default"):
        score(source, tmp_path / "out" / "scores.parquet", scorer)

    assert not list(tmp_path.glob("out/*"))


class TestInvalid:
    """What cannot be scored is told; a file that is plainly another is refused."""

    @pytest.fixture
    def broken(self, applications):
        """The 50 applications, so many of them without a usable income."""

        def broken(rows):
            bad = applications.index < rows
            good = applications.assign(dti=applications["dti"].clip(lower=0))
            return good.assign(annual_inc=good["annual_inc"].mask(bad, -1.0))

        return broken

    def test_they_are_counted_with_their_cause_and_their_rows(self, applications, scorer, tmp_path):
        score(write(applications, tmp_path / "new.csv"), tmp_path / "scores.parquet", scorer)

        account = json.loads((tmp_path / "account.json").read_text())
        assert (account["rows"], account["invalid"], account["invalid_share"]) == (50, 2, 0.04)
        assert account["causes"] == [
            {"rows": 2, "example": "dti '-1.0': below 0", "first_rows": [8, 34]}
        ]

    @pytest.mark.parametrize(
        ("rows", "given", "stops"),
        [
            (2, {}, False),
            (3, {}, True),
            (3, {"max_invalid_share": 0.06}, False),
            (4, {"max_invalid_share": 0.06}, True),
            (0, {"max_invalid_share": 0}, False),
            (1, {"max_invalid_share": 0}, True),
            (50, {"max_invalid_share": 1}, False),
        ],
    )
    def test_more_than_the_share_allowed_stop_the_run_and_nothing_is_published(
        self, rows, given, stops, broken, scorer, tmp_path
    ):
        ids = [f"A-{number}" for number in range(50)]
        source = write(broken(rows).assign(application_id=ids), tmp_path / "new.csv")

        if not stops:
            scores = score(source, tmp_path / "scores.parquet", scorer, **given)
            assert (scores["decision"] == "invalid").sum() == rows
            return
        with pytest.raises(InputError, match=f"applications: {rows} of 50 cannot be scored"):
            score(source, tmp_path / "out" / "scores.parquet", scorer, **given)
        assert not list(tmp_path.glob("out/*"))
        assert not (tmp_path / "warehouse.duckdb").exists()
        assert not (tmp_path / "account.json").exists()

    @pytest.mark.parametrize(("rows", "stops"), [(9, False), (10, True)])
    def test_of_a_small_file_half_may_be_invalid(self, rows, stops, broken, scorer, tmp_path):
        source = write(broken(rows).head(19), tmp_path / "new.csv")

        if stops:
            with pytest.raises(InputError, match="10 of 19 cannot be scored"):
                score(source, tmp_path / "scores.parquet", scorer)
        else:
            assert len(score(source, tmp_path / "scores.parquet", scorer)) == 19

    def test_a_file_of_rates_as_shares_is_refused_with_both_readings(
        self, applications, scorer, tmp_path
    ):
        shares = applications.assign(int_rate=applications["int_rate"] / 100)

        with pytest.raises(InputError, match=r"int_rate .* contradicted by the instalment of"):
            score(write(shares, tmp_path / "new.csv"), tmp_path / "scores.parquet", scorer)

    @pytest.mark.parametrize("column", ["dti", "revol_util"])
    def test_a_column_of_shares_is_refused(self, column, applications, scorer, tmp_path):
        shares = applications.assign(**{column: applications[column].clip(lower=0) / 100})

        with pytest.raises(InputError, match=f"applications: column {column} is at most 1 in "):
            score(write(shares, tmp_path / "new.csv"), tmp_path / "out/scores.parquet", scorer)
        assert not list(tmp_path.glob("out/*"))

    def test_what_is_odd_but_no_fault_is_a_warning(self, applications, scorer, tmp_path, caplog):
        odd = applications.copy()
        odd.loc[[3, 20], "purpose"] = ["Rénovation ", "boat"]
        odd.loc[[5, 40], "purpose"] = ["Debt Consolidation", "debt-consolidation"]
        odd.loc[[2, 30], "installment"] *= 0.5

        score(write(odd, tmp_path / "new.csv"), tmp_path / "scores.parquet", scorer)

        said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        off, unseen = said
        assert off.startswith("2 of 50 applications (rows 3, 31) have an instalment that is not ")
        assert "never seen: 'Rénovation' (1), 'boat' (1); they are scored as a rare" in unseen


class TestDecisions:
    """What was decided is written back to the warehouse."""

    @pytest.fixture
    def identified(self, applications):
        return applications.assign(application_id=[f"A-{number}" for number in range(50)])

    @pytest.fixture
    def decide(self, scorer, tmp_path):
        def decide(applications, as_of=AS_OF):
            source = write(applications, tmp_path / "new.parquet")
            return score(source, tmp_path / "scores.parquet", scorer, as_of)

        return decide

    def read(self, folder):
        with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
            return connection.execute("FROM decisions ORDER BY decided_on, application_id").df()

    def test_they_are_the_scores_with_the_day_and_nothing_of_the_applicants(
        self, identified, decide, tmp_path
    ):
        scores = decide(identified)

        decided = self.read(tmp_path)
        assert set(decided["decided_on"]) == {pd.Timestamp(AS_OF)}
        # The model that decided is one from simulated loans.
        assert set(decided["origin"]) == {"simulated"}
        pd.testing.assert_frame_equal(
            decided.drop(columns=["origin", "decided_on"]),
            scores.sort_values("application_id", ignore_index=True),
            check_dtype=False,
        )

    def test_a_run_repeated_adds_nothing_and_another_day_adds_its_own(
        self, identified, decide, tmp_path
    ):
        for as_of in (AS_OF, AS_OF, "2026-11-24"):
            decide(identified, as_of)

        days = self.read(tmp_path)["decided_on"].value_counts()
        assert days.to_dict() == {pd.Timestamp(AS_OF): 50, pd.Timestamp("2026-11-24"): 50}

    def test_row_numbers_are_no_identifiers(self, applications, decide, tmp_path, caplog):
        caplog.set_level(logging.INFO, "loantap")
        decide(applications)

        assert not (tmp_path / "warehouse.duckdb").exists()
        assert "The file has no application_id: its decisions are not written back" in caplog.text

    def test_rows_without_an_identifier_are_left_out(self, identified, decide, tmp_path):
        some = identified.assign(
            application_id=identified["application_id"].where(identified.index % 10 > 0)
        )
        scores = decide(some)

        assert len(scores) == 50
        assert len(self.read(tmp_path)) == 45

    def test_of_a_repeated_identifier_the_last_row_counts(
        self, identified, decide, tmp_path, caplog
    ):
        caplog.set_level(logging.INFO, "loantap")
        ids = identified["application_id"].where(identified.index < 48, "A-0")
        scores = decide(identified.assign(application_id=ids))

        decided = self.read(tmp_path).set_index("application_id")
        last = scores.iloc[-1]
        assert decided.loc["A-0", "probability_of_default"] == last["probability_of_default"]
        assert len(decided) == 48
        assert "2 passed over for a later one with the same key" in caplog.text

    def test_an_identifier_may_look_like_a_row(self, identified, decide, tmp_path):
        ids = [f"row {number}" for number in range(50)]
        decide(identified.assign(application_id=ids))

        assert set(self.read(tmp_path)["application_id"]) == set(ids)

    @pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
    def test_a_file_with_a_header_only_gives_no_decision_and_no_failure(
        self, name, identified, scorer, tmp_path
    ):
        source = write(identified.head(0), tmp_path / name)

        scores = score(source, tmp_path / "scores.parquet", scorer)

        assert scores.empty
        assert not (tmp_path / "warehouse.duckdb").exists()
        assert json.loads((tmp_path / "account.json").read_text())["rows"] == 0

    def test_a_batch_without_any_identifier_is_left_out(self, identified, decide, tmp_path):
        # Batches have 16 rows.
        decide(
            identified.assign(
                application_id=identified["application_id"].where(identified.index >= 16)
            )
        )

        assert len(self.read(tmp_path)) == 34

    def test_a_run_that_fails_writes_none(self, identified, decide, tmp_path, monkeypatch):
        decide(identified)
        before = self.read(tmp_path)
        monkeypatch.setattr(RowShaper, "_require_keys", lambda *_: 1 / 0)

        with pytest.raises(DatasetError, match="division by zero"):
            decide(identified, "2026-11-24")

        pd.testing.assert_frame_equal(self.read(tmp_path), before)
