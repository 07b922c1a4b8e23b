from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from loantap.model.promotion.release import digest_model, origin_of_model, registered_name
from loantap.portfolio.target import Target

CHARGED_OFF, TWELVE = Target.CHARGED_OFF, Target.DPD_90_WITHIN_12


class Facts(BaseModel):
	target: Target = CHARGED_OFF
	trained_on: date = date(2016, 3, 31)
	shares: tuple[float, ...] = (0.25, -0.0)


class Pipeline(list):
	def __init__(self, coefficients=((0.5, -1e-12),), pd_=0.3):
		super().__init__([SimpleNamespace(coef_=1), SimpleNamespace(coef_=2), SimpleNamespace(coef_=coefficients)])
		self.pd_ = pd_

	def predict_proba(self, rows):
		return np.array([[1 - self.pd_, self.pd_]] * rows)


def digest(facts=None, pipeline=None, **columns):
	given = {"loan_id": ["a", "b"], "probability_of_default": [0.1, 0.2]} | columns
	trained = SimpleNamespace(facts=Facts(**(facts or {})), pipeline=pipeline or Pipeline(), example=2)
	return digest_model(trained, pd.DataFrame(given, index=[7, 9]))


# Registered models hold digests of earlier releases.
@pytest.mark.parametrize(("target", "known"), [(CHARGED_OFF, "00e5144f85f8"), (TWELVE, "a866cbdce88d")])
def test_a_digest_stays_what_it_was(target, known):
	assert digest({"target": target})[:12] == known


@pytest.mark.parametrize(
	("changes", "is_same"),
	[
		({"probability_of_default": [0.1 + 2e-10, 0.2]}, True),
		({"probability_of_default": [0.1 + 2e-9, 0.2]}, False),
		({"loan_id": ["a", "c"]}, False),
		({"sample": "cv"}, False),
		({"facts": {"shares": (0.25, 0.0)}}, True),
		({"facts": {"shares": (0.26, 0.0)}}, False),
		({"pipeline": Pipeline(((0.5, 0.0),))}, True),
		({"pipeline": Pipeline(((0.5, 1e-8),))}, False),
		({"pipeline": Pipeline(pd_=0.31)}, False),
	],
)
def test_another_model_has_another_digest_and_the_last_bits_do_not_count(changes, is_same):
	assert (digest(**changes) == digest()) is is_same


@pytest.mark.parametrize(
	("namespace", "origin", "name"),
	[
		("lending", "real", "loantap-lending"),
		("lending", "simulated", "loantap-lending-demo"),
		("published_replica", "real", "loantap-published-replica"),
		("published_replica", "simulated", "loantap-published-replica-demo"),
	],
)
def test_names_and_origins_go_together(namespace, origin, name):
	assert registered_name(namespace, origin) == name
	assert origin_of_model(name) == origin
