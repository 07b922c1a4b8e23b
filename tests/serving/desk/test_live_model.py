import threading

import mlflow
import pytest
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

from loantap.portfolio.dictionary import REAL
from loantap.registry.models import CHAMPION, ModelVersion, promote
from loantap.serving.configured import read_configured
from loantap.serving.desk.desk import Desk, LiveModel, NotReadyError
from tests.conftest import AS_OF, PROJECT
from tests.policy.shipped import make_test_decider
from tests.registry.registered import artifacts_of, make_champion, shorten, with_facts
from tests.registry.test_fallback import fail_to_answer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("active_run")]

DEMO = "loantap-lending-demo"
FIRST = f"{DEMO} version 1"


@pytest.fixture
def live(lending_model):
	make_champion(lending_model)
	model = LiveModel("lending")
	assert model.refresh()
	return model


def version_of(model):
	return None if model.loaded is None else str(model.loaded.version)


def test_the_champion_is_loaded_by_its_alias(live):
	assert version_of(live) == FIRST
	assert live.loaded.doubt == ""
	assert not live.refresh()


def test_without_a_champion_none_decides_and_it_says_what_to_run(registry):
	model = LiveModel("lending")

	assert not model.refresh()

	assert model.loaded is None
	assert "kedro run" in model.trouble
	assert model.failures == 1


def test_the_model_changes_when_the_alias_moves_and_back(live, lending_model):
	make_champion(lending_model)

	assert live.refresh()
	assert version_of(live) == f"{DEMO} version 2"
	promote(ModelVersion(DEMO, "1"))
	assert live.refresh()
	assert version_of(live) == FIRST


def test_a_champion_from_real_loans_takes_the_place_of_a_demo(live, lending_model):
	make_champion(with_facts(lending_model, origin=REAL))

	assert live.refresh()

	assert version_of(live) == "loantap-lending version 1"


def test_the_loaded_model_goes_on_while_the_registry_is_down(live, monkeypatch):
	with monkeypatch.context() as patched:
		fail_to_answer(patched)
		assert not live.refresh()
		assert version_of(live) == FIRST
		assert "does not answer" in live.loaded.doubt

	live.refresh()

	assert live.loaded.doubt == ""


def test_a_process_that_starts_while_the_registry_is_down_takes_the_last_good_one(live, monkeypatch):
	fail_to_answer(monkeypatch)
	model = LiveModel("lending")

	model.refresh()

	assert version_of(model) == FIRST
	assert "does not answer" in model.loaded.doubt


def test_a_champion_that_cannot_be_read_leaves_the_one_before_of_its_name(live, lending_model):
	shorten(artifacts_of(make_champion(lending_model)))

	live.refresh()

	assert version_of(live) == FIRST
	assert "version 2 is champion and cannot be loaded" in live.loaded.doubt


def test_a_demo_never_goes_on_in_the_place_of_a_real_champion_that_cannot_be_read(live, lending_model):
	shorten(artifacts_of(make_champion(with_facts(lending_model, origin=REAL))))

	assert live.refresh()

	assert live.loaded is None
	assert "loantap-lending version 1" in live.trouble


def test_a_champion_that_is_none_any_more_decides_no_more(live):
	mlflow.MlflowClient().delete_registered_model_alias(DEMO, CHAMPION)

	assert live.refresh()

	assert live.loaded is None


class Book:
	generation = 1
	decider = make_test_decider()

	def read_generation(self):
		return self.generation

	def find_active(self):
		return self.decider

	def find_decider(self, digest):
		return self.decider


@pytest.fixture
def desk(lending_model, tmp_path):
	"""It looks twenty times a second, and is not yet open."""
	configured = read_configured(PROJECT / "conf/base", tmp_path / "none.json", AS_OF.date())
	noted, states = [], []
	desk = Desk(Book(), configured, 0.05, noted.append, states.append)
	desk.noted, desk.states = noted, states
	yield desk
	desk.close()


def test_the_desk_takes_a_new_champion_in_the_background(desk, lending_model):
	make_champion(lending_model)
	desk.open()
	standing = desk.standing
	assert standing.underwriter.scorer.version == "1"

	make_champion(lending_model)
	wait_until(lambda: desk.standing.underwriter.scorer.version == "2")

	# Who holds the standing of before ends the request with it.
	assert standing.underwriter.scorer.version == "1"


def test_a_desk_without_a_champion_says_so_and_takes_the_first_that_comes(desk, lending_model):
	desk.open()
	with pytest.raises(NotReadyError, match="kedro run"):
		_ = desk.standing

	make_champion(lending_model)
	wait_until(lambda: desk.trouble == "")

	assert desk.standing.underwriter.scorer.version == "1"
	# It is noted after what it tells of.
	wait_until(lambda: desk.states[-1] == 1)
	assert desk.states[0] == -1


def test_an_answer_of_the_registry_that_nobody_expected_is_survived_and_counted(desk, lending_model, monkeypatch):
	make_champion(lending_model)
	with monkeypatch.context() as patched:
		fail_to_answer(patched, PERMISSION_DENIED)
		desk.open()
		wait_until(lambda: len(desk.noted) > 2)
		assert set(desk.noted) == {"registry"}
	wait_until(lambda: desk.trouble == "")


def test_a_registry_that_answers_late_delays_no_start_and_its_model_is_taken_then(desk, lending_model, monkeypatch):
	make_champion(lending_model)
	answered = threading.Event()
	refresh = LiveModel.refresh

	def refresh_late(model):
		answered.wait(10)
		return refresh(model)

	monkeypatch.setattr(LiveModel, "refresh", refresh_late)
	desk.open(patience=0.05)
	with pytest.raises(NotReadyError, match="has not answered yet"):
		_ = desk.standing

	answered.set()
	wait_until(lambda: desk.trouble == "")
