"""`offers` from a file to a file, batch by batch, each checked before it is written."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from loantap import settings
from loantap.model.scoring.scorer import Scorer
from loantap.policy.credit_policy import digest_policy
from loantap.policy.decisions import make_decider
from loantap.policy.money.cash_flows import value_units
from loantap.policy.offers.maker import OfferMaker
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import render
from loantap.tables import files
from tests.conftest import PROJECT, train, training_options
from tests.pipelines.in_memory import AS_OF, PIPELINES, load_options


@pytest.fixture(scope="module")
def scorer(simulated_loans):
    model = train(simulated_loans, training_options("application"))
    return Scorer(model, "loantap-application-demo", "1")


@pytest.fixture
def applications(simulated_loans):
    """50 applications of the columns that an applicant gives; two cannot be scored."""
    rows = render(simulated_loans.head(50), portfolio_columns())
    rows.loc[[7, 33], "dti"] = -1.0
    return rows.drop(columns=["loan_status", "int_rate", "grade", "sub_grade", "installment"])


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(files.TableFile.__init__, "__defaults__", (16, None))


def make_offers(applications, folder, scorer, name="offers.parquet", **changed):
    """Run the pipeline on the shipped catalog; what it wrote to the file."""
    source, target = folder / "new.parquet", folder / "out" / name
    applications.to_parquet(source)
    given = {"applications": str(source), "offered": str(target), "as_of": AS_OF}
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"), env="local", runtime_params=given, **settings.CONFIG_LOADER_ARGS
    )
    names = ("applications", "offers", "offers.offers_account")
    entries = {name: loader["catalog"][name] for name in names}
    entries["offers.offers_account"]["dataset"]["filepath"] = str(folder / "account.json")
    catalog = DataCatalog.from_config(entries)
    for dataset, data in {
        "application_model@champion": scorer,
        **load_options(as_of=AS_OF),
        **changed,
    }.items():
        catalog[dataset] = MemoryDataset(data, copy_mode="assign")
    try:
        SequentialRunner().run(PIPELINES["offers"], catalog)
    except BaseException:
        for dataset in names[1:]:
            catalog.get(dataset).discard()
        raise
    for dataset in names[1:]:
        catalog.get(dataset).publish()
    read = pd.read_csv if target.suffix == ".csv" else pd.read_parquet
    return read(target)


def test_a_file_gets_the_offers_that_a_frame_gets(applications, scorer, tmp_path):
    offers = make_offers(applications, tmp_path, scorer)

    options = load_options(as_of=AS_OF)
    decider = make_decider(options["params:policy"], options["params:economics"])
    maker = OfferMaker(scorer, options["params:offers"], decider)
    expected = maker.make_offers_batch(applications, 0, pd.Timestamp(AS_OF))
    texts = expected.columns[expected.dtypes == "category"]
    pd.testing.assert_frame_equal(
        offers, expected.astype(dict.fromkeys(texts, "str")), check_exact=False, rtol=1e-9
    )
    assert offers.columns.tolist() == [
        "application_id", "offer", "kind", "amount", "term_months", "rate_pct", "instalment",
        "probability_of_default", "is_counterfactual", "expected_npv", "decision", "reason",
        "model_name", "model_version",
    ]  # fmt: skip


def test_the_account_says_what_became_of_the_file(applications, scorer, tmp_path):
    ids = [f"A-{number}" for number in range(50)]
    offers = make_offers(applications.assign(application_id=ids), tmp_path, scorer)

    account = json.loads((tmp_path / "account.json").read_text("utf-8"))
    assert (account["rows"], account["invalid"], account["has_ids"]) == (50, 2, True)
    assert account["causes"][0]["first_rows"] == [8, 34]
    assert account["kinds"]["smaller"] == offers["kind"].eq("smaller").sum()
    assert sum(account["decisions"].values()) == 50
    assert account["repeated"]["rows"] == 0


def test_offers_may_go_to_a_csv(applications, scorer, tmp_path):
    offers = make_offers(applications, tmp_path, scorer, "offers.csv")

    assert offers["application_id"].nunique() == 50


def test_a_file_that_is_plainly_another_is_refused_and_nothing_is_written(
    applications, scorer, tmp_path
):
    with pytest.raises(InputError, match="applications: 50 of 50 cannot be scored"):
        make_offers(applications.assign(annual_inc=-1.0), tmp_path, scorer)

    assert not list(tmp_path.glob("out/*"))
    assert not (tmp_path / "account.json").exists()


def test_a_column_that_is_missing_is_named(applications, scorer, tmp_path):
    with pytest.raises(InputError, match="applications: column annual_inc missing"):
        make_offers(applications.drop(columns="annual_inc"), tmp_path, scorer)


def test_a_column_of_shares_is_refused(applications, scorer, tmp_path):
    shares = applications.assign(dti=applications["dti"].clip(lower=0) / 100)

    with pytest.raises(InputError, match="applications: column dti is at most 1 in "):
        make_offers(shares, tmp_path, scorer)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"effective_from": date(2026, 11, 24)}, "it takes effect on 2026-11-24, after 2026-11-23"),
        ({"version": "2026-12"}, "was changed after LoanTap credit policy approved it"),
    ],
    ids=["takes effect later", "changed since"],
)
def test_a_policy_that_does_not_decide_yet_offers_nothing(
    applications, scorer, tmp_path, changed, said
):
    options = load_options(as_of=AS_OF)
    policy = options["params:policy"].model_copy(update=changed)
    if "effective_from" in changed:
        digest = digest_policy(policy, options["params:economics"].main_scenario)
        policy = policy.model_copy(update={"digest": digest})

    with pytest.raises(InputError, match=said):
        make_offers(applications, tmp_path, scorer, **{"params:policy": policy})

    assert not list(tmp_path.glob("out/*"))


def test_offers_are_priced_in_the_scenario_of_the_policy_and_keep_its_highest_amount(
    applications, scorer, tmp_path
):
    options = load_options(as_of=AS_OF)
    policy, economics = options["params:policy"], options["params:economics"]
    rules = policy.rules.model_copy(update={"max_loan_amount": 9_000})
    hard = policy.model_copy(update={"scenario": "hard", "rules": rules})
    digest = digest_policy(hard, economics.scenarios["hard"])
    approved = hard.model_copy(update={"digest": digest})

    offers = make_offers(applications, tmp_path, scorer, **{"params:policy": approved})

    assert offers["amount"].max() <= 9_000
    made = offers[offers["offer"] > 0]
    values = value_units(made["rate_pct"], made["term_months"], economics.scenarios["hard"])
    expected = values.margin(made["probability_of_default"].to_numpy()) * made["amount"]
    assert np.allclose(made["expected_npv"], expected)
    assert len(made) > 0
