import json
from dataclasses import replace

import mlflow
import pytest
from click.testing import CliRunner

from loantap.model.promotion.rule import SIGNED, Condition, await_signature
from loantap.portfolio.errors import InputError
from loantap.registry.commands import main
from loantap.registry.evidence import RunRecord, attach_evidence
from loantap.registry.history import get_version, sign
from loantap.registry.models import ModelVersion, conclude, register
from tests.registry.registered import champions, make_champion, make_release

pytestmark = pytest.mark.usefixtures("active_run")

CHAMPION, CHALLENGER = (ModelVersion("loantap-lending-demo", number) for number in "12")


@pytest.fixture
def propose(active_run, lending_model, tmp_path):
	"""Register a challenger beside the champion, with conditions of its own."""
	make_champion(lending_model)

	def register_challenger(*conditions, waits=True, incumbent=str(CHAMPION), is_finished=True):
		release = make_release(lending_model)
		verdict = replace(release.verdicts[-1], conditions=conditions, incumbent=incumbent)
		verdict = await_signature(verdict) if waits else verdict
		model = register(release)
		path = tmp_path / "promotion.json"
		path.write_text(json.dumps({"challenger": None, "champion": verdict.as_dict()}))
		attach_evidence(model, "lending", {"promotion.json": path}, RunRecord("kedro run", "abc", {}, "simulated"))
		if is_finished:
			conclude(model, verdict)
		return model

	return register_challenger


def test_the_champion_stays_until_a_person_signs(propose):
	challenger = propose(Condition("better AUC", True, "+0.01"))
	assert champions() == {"loantap-lending-demo": "1"}
	assert SIGNED in get_version(*_name(challenger)).reason

	said = CliRunner().invoke(
		main, ["--registry", mlflow.get_tracking_uri(), "sign", *_name(challenger), "--reason", "read and agreed"]
	)

	assert " ".join(said.output.split()) == f"{CHALLENGER} is champion, in place of {CHAMPION}."
	assert champions() == {"loantap-lending-demo": "2"}
	assert get_version(*_name(challenger)).reason.endswith(f"in place of {CHAMPION}: read and agreed")


@pytest.mark.parametrize(
	("holds", "changes", "problem"),
	[
		(False, {}, "better AUC, signed does not hold"),
		(True, {"waits": False}, "does not wait for one"),
		(True, {"is_finished": False}, "does not wait for one"),
		(True, {"incumbent": "loantap-lending-demo version 9"}, "compared with .* version 9, and champion is .* version 1"),
	],
)
def test_nobody_can_sign_for_what_is_worse_does_not_wait_or_was_compared_with_another(propose, holds, changes, problem):
	challenger = propose(Condition("better AUC", holds, "0.01"), **changes)
	before = champions()

	with pytest.raises(InputError, match=problem):
		sign(challenger, who="A. Officer", reason="all the same")
	assert champions() == before


def _name(model):
	return model.name, model.version
