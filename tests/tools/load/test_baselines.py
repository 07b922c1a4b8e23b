"""The baselines do the work that they stand for."""

import json

import pytest
from pydantic import ValidationError

from tools.load.applications import SCORE_PATH, list_applications, simulate_applications
from tools.load.baselines import fit_published, make_body_model, make_constant, make_published


def test_the_constant_is_answered_after_the_body_is_checked():
    application = list_applications(simulate_applications(1))[0]
    answer = make_constant().test_client().post(SCORE_PATH, json=application)
    assert answer.status_code == 200
    assert answer.json["decision"] == "refer"


@pytest.mark.parametrize(
    "change", [{"loan_amnt": "12"}, {"loan_amnt": True}, {"fico": 700}, {"term": 36}]
)
def test_the_body_is_checked_strictly(change):
    application = list_applications(simulate_applications(1))[0] | change
    with pytest.raises(ValidationError):
        make_body_model().model_validate_json(json.dumps(application))


@pytest.mark.slow
def test_the_published_way_scores_one_row_as_it_does_many():
    applications = simulate_applications(5)
    expected = fit_published().predict_proba(applications)[:, 1]
    client = make_published().test_client()
    answers = [client.post(SCORE_PATH, json=row).json for row in list_applications(applications)]
    assert [a["probability_of_default"] for a in answers if a] == pytest.approx(list(expected))
    assert len(set(expected)) == 5
