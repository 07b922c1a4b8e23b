"""Papers on a case that a person decided: they say that decision, and nothing of the house."""

from __future__ import annotations

import pytest

from loantap.serving.cases.case import Outcome, Reason
from loantap.serving.dashboard.answers import Decision
from loantap.serving.dashboard.documents import write_letter, write_sheet
from tests.serving.api.served import Api
from tests.serving.api.test_queue import refer

NOTE = "the neighbour called"


@pytest.fixture(scope="module")
def referred_once() -> Decision:
    """A referred decision that is told without an API."""
    return Decision.model_validate(
        {
            "id": "dec_1", "at": "2026-11-28T10:00:00Z", "decision": "refer", "case": "closed",
            "reasons": ["the amount is above the highest", "The yearly income: 40,000"],
            "model": {"name": "m", "version": "1"}, "policy": {"version": "npv 2026-11"},
        }
    )  # fmt: skip


def decide(api: Api, outcome: str, reason: str) -> Decision:
    case = refer(api, application_id="A-9")
    api.post(f"/v1/cases/{case}/take")
    body = {"decision": outcome, "reason": reason, "note": NOTE}
    assert api.post(f"/v1/cases/{case}/decide", body).status_code == 200
    return Decision.model_validate(api.get(f"/v1/decisions/{case}").json)


def test_an_approved_case_has_a_letter_that_says_so_without_reasons(api: Api) -> None:
    letter = write_letter(decide(api, "approve", Reason.INCOME_CONFIRMED))

    assert "your application can be approved" in letter
    assert "Your application A-9" in letter
    assert "<ul>" not in letter
    assert "A colleague will look" not in letter


def test_a_declined_case_has_a_letter_with_the_fact_that_decided(api: Api) -> None:
    letter = write_letter(decide(api, "decline", Reason.TOO_MUCH_DEBT))

    assert "We are sorry that we cannot offer you this loan." in letter
    assert "<ul><li>There is too much other debt.</li></ul>" in letter


def test_where_a_person_named_no_fact_the_letter_says_what_weighed_most(api: Api) -> None:
    made = decide(api, "decline", Reason.OTHER)

    letter = write_letter(made)

    assert "above the highest that is approved" in made.reasons[0]
    assert "above the highest that is approved" not in letter
    assert len(made.reasons) > 1
    for reason in made.reasons[1:]:
        assert reason in letter


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("outcome", list(Outcome))
def test_no_letter_tells_what_stays_in_the_house(
    referred_once: Decision, outcome: Outcome, reason: Reason
) -> None:
    letter = write_letter(_with(referred_once, outcome, reason))

    for internal in (NOTE, "tests", "fraud", "robability", "Score", "note", "npv 2026"):
        assert internal not in letter
    is_explained = outcome is Outcome.DECLINE and reason is not Reason.WITHDRAWN
    assert ("What weighed most" in letter) == is_explained
    assert ("we do not go on" in letter) == (
        outcome is Outcome.DECLINE and reason is Reason.WITHDRAWN
    )


def _with(decision: Decision, outcome: Outcome, reason: Reason) -> Decision:
    event = {
        "id": "ovr_1", "kind": "case_decided", "at": "2026-12-01T09:00:00Z", "person": "tests",
        "public": {"decision": outcome, "reason": reason}, "note": NOTE,
    }  # fmt: skip
    return Decision.model_validate(decision.model_dump() | {"events": [event]})


def test_the_letter_has_the_day_on_which_the_person_decided(referred_once: Decision) -> None:
    assert "<p>28 November 2026</p>" in write_letter(referred_once)
    decided = _with(referred_once, Outcome.APPROVE, Reason.INCOME_CONFIRMED)
    assert "<p>01 December 2026</p>" in write_letter(decided)


def test_the_sheet_has_both_decisions(referred_once: Decision) -> None:
    sheet = write_sheet([], _with(referred_once, Outcome.DECLINE, Reason.POLICY))

    for name, value in (
        ("Decision", "Decline"), ("Decided by", "tests"), ("Reason", "credit policy"),
        ("Decision of model and policy", "Refer to a person"),
    ):  # fmt: skip
        assert f"<th>{name}</th><td>{value}</td>" in sheet
