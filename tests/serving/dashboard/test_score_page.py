"""The Score page: what is decided is what stands in the form."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.amortisation import emi_of_one
from loantap.serving.dashboard.answers import Decision
from loantap.serving.dashboard.documents import write_letter, write_sheet
from loantap.serving.keys.keys import Scope
from tests.conftest import train, training_options
from tests.serving.api.served import Api, make_api
from tests.serving.dashboard.screen import Screen, press, read_all


@pytest.fixture(scope="module")
def application(simulated_loans: pd.DataFrame) -> Scorer:
    """What prices offers, which the page always asks for."""
    trained = train(simulated_loans, training_options("application"))
    return Scorer(trained, "loantap-application-demo", "2")


@pytest.fixture
def api(tmp_path: Path, lending: Scorer, application: Scorer) -> Api:
    """An API with an empty log, which also makes offers."""
    return make_api(tmp_path, lending, application)


def _read_input(api: Api, place: int = 0) -> dict[str, object]:
    """The input of a decision on record, newest first."""
    listed = api.get("/v1/decisions").json["items"]
    given: dict[str, object] = api.get(f"/v1/decisions/{listed[place]['id']}").json["input"]
    return given


def test_the_form_begins_at_the_example_and_sends_it_as_it_stands(api: Api, screen: Screen) -> None:
    example = api.get("/v1/schema/application").json["example"]

    said = read_all(press(screen.open("score", api.key), "Decide"))

    assert "Probability of default" in said
    given = _read_input(api)
    assert given["emp_length"] == float(str(example["emp_length"]).split()[0])
    assert given["term"] == float(str(example["term"]).split()[0])
    as_they_are = {"loan_amnt", "int_rate", "installment", "annual_inc", "dti", "sub_grade"}
    assert {name: given[name] for name in as_they_are} == {
        name: example[name] for name in as_they_are
    }


def test_what_if_has_the_instalment_of_its_own_terms(api: Api, screen: Screen) -> None:
    page = press(screen.open("score", api.key), "Decide")
    slider = next(one for one in page.slider if "loan_amnt" in str(one.key))

    slider.set_value(20_000.0)
    press(page, "Decide what if")

    given = _read_input(api)
    assert given["loan_amnt"] == 20_000.0
    assert given["installment"] == pytest.approx(emi_of_one(20_000, 14, 36), abs=0.01)
    assert _read_input(api, 1)["loan_amnt"] == 12_000


def test_a_key_that_may_not_score_is_told_what_to_do(api: Api, screen: Screen) -> None:
    said = read_all(screen.open("score", api.make_key("Ada", [Scope.READ])))

    assert "no right to score applications" in said


def test_a_figure_that_is_not_known_is_no_zero_on_the_sheet() -> None:
    sheet = write_sheet({}, _make_decision())

    assert "<th>Probability of default</th><td>none</td>" in sheet
    assert "<th>Expected NPV</th><td>none</td>" in sheet


def test_the_letter_names_reasons_but_nothing_of_the_model() -> None:
    letter = write_letter(_make_decision())

    assert "The yearly income: &lt;b&gt;1&lt;/b&gt;" in letter
    assert "SIMULATED" in letter
    for internal in ("secret-model", "npv 2026-11", "robability", "Score"):
        assert internal not in letter


def _make_decision() -> Decision:
    return Decision.model_validate(
        {
            "id": "dec_1", "at": datetime(2026, 11, 28, tzinfo=UTC), "decision": "decline",
            "reasons": ["The yearly income: <b>1</b>"], "simulated": True,
            "model": {"name": "secret-model", "version": "1"}, "policy": {"version": "npv 2026-11"},
        }
    )  # fmt: skip
