import logging
import os
import time
from zipfile import ZipFile

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
	CANCELLED,
	INTERNAL_ERROR,
	PERMISSION_DENIED,
	TEMPORARILY_UNAVAILABLE,
	ErrorCode,
)

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.portfolio.errors import InputError
from loantap.registry import fallback
from loantap.registry.connection import RegistryDownError, use_registry
from loantap.registry.fallback import FOLDER_VARIABLE, LastGood
from loantap.registry.loading import has_champion, load_champion
from loantap.registry.models import CHAMPION, ModelVersion
from loantap.registry.reading import UnreadableModelError
from tests.registry.registered import artifacts_of, make_champion, with_facts

pytestmark = pytest.mark.usefixtures("active_run")

FIRST, SECOND = (ModelVersion("loantap-lending-demo", number) for number in ("1", "2"))


@pytest.fixture
def archive(tmp_path):
	return tmp_path / "models" / "last_good" / "loantap-lending-demo.zip"


def fail_to_answer(monkeypatch, code=TEMPORARILY_UNAVAILABLE, name=""):
	ask = mlflow.MlflowClient.get_model_version_by_alias

	def fail(client, asked, alias):
		if name in {"", asked}:
			raise MlflowException("the server is down", code)
		return ask(client, asked, alias)

	monkeypatch.setattr(mlflow.MlflowClient, "get_model_version_by_alias", fail)


def test_a_champion_that_was_loaded_is_kept_whole_and_alone_and_nothing_is_pickled(lending_model, archive, caplog):
	make_champion(lending_model)
	assert not archive.exists()

	load_champion("lending")

	assert list(archive.parent.iterdir()) == [archive]
	with ZipFile(archive) as kept:
		names = set(kept.namelist())
	assert names == {"index.json", "MLmodel", "model.skops", "input_example.json"}
	assert "damaged" not in caplog.text


def test_by_default_it_is_kept_with_the_project_s_models(lending_model, tmp_path, monkeypatch):
	monkeypatch.delenv(FOLDER_VARIABLE)
	(tmp_path / "pyproject.toml").write_text("[tool.kedro]")
	monkeypatch.chdir(tmp_path)
	make_champion(lending_model)
	load_champion("lending")

	assert (tmp_path / "data/06_models/last_good/loantap-lending-demo.zip").is_file()


def test_an_age_is_told_in_the_largest_unit_that_it_has_whole(tmp_path):
	ages = {
		59: "less than a minute ago",
		60: "1 minute ago",
		119: "1 minute ago",
		120: "2 minutes ago",
		3_599: "59 minutes ago",
		3_600: "1 hour ago",
		86_399: "23 hours ago",
		86_400: "1 day ago",
	}

	assert {seconds: LastGood(FIRST, tmp_path, seconds).age for seconds in ages} == ages


def test_the_same_champion_is_not_written_again(lending_model, archive):
	make_champion(lending_model)
	load_champion("lending")
	before = archive.stat().st_ino
	load_champion("lending")

	assert archive.stat().st_ino == before


def test_a_folder_that_cannot_be_written_to_stops_nobody_from_scoring(lending_model, tmp_path, monkeypatch, caplog):
	(tmp_path / "file").write_text("in the way")
	monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file"))
	make_champion(lending_model)

	assert load_champion("lending")[1] == FIRST
	assert "could be kept for when the registry is down" in caplog.text


class TestGoingOn:
	@pytest.fixture(autouse=True)
	def _kept(self, active_run, lending_model, archive):
		make_champion(lending_model)
		load_champion("lending")
		assert archive.is_file()

	@pytest.mark.parametrize("code", [TEMPORARILY_UNAVAILABLE, INTERNAL_ERROR], ids=ErrorCode.Name)
	def test_a_server_that_fails_is_told_and_the_last_good_model_goes_on(self, code, monkeypatch, caplog):
		fail_to_answer(monkeypatch, code)
		with caplog.at_level(logging.WARNING):
			_, model = load_champion("lending")

		assert model == FIRST
		assert has_champion("lending")
		for told in (
			"it does not answer",
			"the server is down",
			"less than a minute ago",
			f"Scoring goes on with the last good model: {FIRST}",
			"trained on simulated loans",
		):
			assert told in caplog.text

	def test_it_is_the_same_model_to_the_last_digit(self, lending_model, simulated_loans, monkeypatch):
		fail_to_answer(monkeypatch)
		trained, _ = load_champion("lending")

		features = build_features(simulated_loans.head(50), FEATURE_SETS["lending"].features)
		assert trained.facts == lending_model.facts
		np.testing.assert_array_equal(
			trained.pipeline.predict_proba(features), lending_model.pipeline.predict_proba(features)
		)

	def test_the_next_champion_takes_its_place(self, lending_model, monkeypatch):
		make_champion(lending_model)
		load_champion("lending")
		fail_to_answer(monkeypatch)

		assert load_champion("lending")[1] == SECOND

	def test_one_that_this_release_cannot_read_is_passed_over(self, lending_model, monkeypatch, caplog):
		make_champion(with_facts(lending_model, origin="real"))
		load_champion("lending")
		fail_to_answer(monkeypatch)

		def read(_, model):
			if model.name == FIRST.name:
				return lending_model
			raise UnreadableModelError(model, "it is of another release")

		monkeypatch.setattr(fallback, "read_model", read)

		assert load_champion("lending")[1] == FIRST
		assert "it is of another release" in caplog.text

	@pytest.mark.parametrize(("is_named_again", "age"), [(False, "2 days ago"), (True, "less than a minute ago")])
	def test_its_age_is_since_the_registry_last_named_it_champion(
		self, is_named_again, age, archive, monkeypatch, caplog
	):
		then = time.time() - 50 * 3_600
		os.utime(archive, (then, then))
		if is_named_again:
			load_champion("lending")
		fail_to_answer(monkeypatch)
		load_champion("lending")

		assert age in caplog.text

	@pytest.mark.parametrize(
		("content", "problem"),
		[(None, "there is no database"), (b"not a database" * 30, "file is not a database")],
		ids=["gone", "none"],
	)
	def test_a_database_that_is_gone_or_none_is_a_registry_that_is_down(self, content, problem, registry, caplog):
		mlflow.end_run()
		database = registry.parent / "mlflow.db"
		database.unlink()
		if content:
			database.write_bytes(content)

		assert load_champion("lending")[1] == FIRST
		assert problem in caplog.text
		assert database.exists() == (content is not None)

	def test_a_registry_that_has_lost_the_model_is_as_good_as_down(self, caplog):
		"""As after a new, empty database was made in the place of the old one."""
		mlflow.MlflowClient().delete_registered_model(FIRST.name)

		assert has_champion("lending")
		assert load_champion("lending")[1] == FIRST
		assert "no champion named" in caplog.text

	def test_a_champion_that_is_champion_no_more_does_not_go_on(self):
		mlflow.MlflowClient().delete_registered_model_alias(FIRST.name, CHAMPION)

		assert not has_champion("lending")
		with pytest.raises(InputError, match="no champion named"):
			load_champion("lending")

	def test_a_damaged_champion_is_replaced_by_the_last_good_one(self, lending_model, caplog):
		(artifacts_of(make_champion(lending_model)) / "model.skops").write_bytes(b"damaged")

		assert load_champion("lending")[1] == FIRST
		assert "version 2: its file model.skops is damaged" in caplog.text

	def test_a_demo_never_stands_in_for_a_damaged_model_of_real_loans(self, lending_model):
		real = make_champion(with_facts(lending_model, origin="real"))
		(artifacts_of(real) / "model.skops").write_bytes(b"damaged")

		with pytest.raises(UnreadableModelError, match="loantap-lending version 1"):
			load_champion("lending")

	def test_a_registry_that_fails_on_the_real_name_does_not_score_with_the_demo(self, lending_model, monkeypatch):
		make_champion(with_facts(lending_model, origin="real"))
		load_champion("lending")
		fail_to_answer(monkeypatch, name="loantap-lending")

		assert load_champion("lending")[1].name == "loantap-lending"

	@pytest.mark.parametrize("code", [PERMISSION_DENIED, CANCELLED], ids=ErrorCode.Name)  # 403, 499
	def test_an_answer_that_is_no_is_not_a_registry_that_is_down(self, code, monkeypatch):
		fail_to_answer(monkeypatch, code)

		with pytest.raises(MlflowException, match="the server is down"):
			load_champion("lending")

	def test_what_was_kept_from_another_registry_is_not_used(self, tmp_path):
		mlflow.end_run()
		use_registry(f"sqlite:///{tmp_path / 'other.db'}")

		with pytest.raises(RegistryDownError):
			load_champion("lending")

	@pytest.mark.parametrize("damaged", ["model.skops", "no model.skops", "index.json", "archive"])
	def test_what_was_changed_since_is_told_and_not_used(self, damaged, archive, monkeypatch, caplog):
		with ZipFile(archive) as kept:
			contents = {name: kept.read(name) for name in kept.namelist()}
		if damaged == "archive":
			archive.write_bytes(archive.read_bytes()[:-1_000])
		else:
			with ZipFile(archive, "w") as changed:
				for name in contents.keys() - {damaged.removeprefix("no ")} if "no " in damaged else contents:
					changed.writestr(name, contents[name][: -5 if name == damaged else None])
		fail_to_answer(monkeypatch)

		with pytest.raises(RegistryDownError):
			load_champion("lending")
		assert f"{archive} is damaged" in caplog.text


def test_without_anything_kept_the_registry_and_the_remedy_are_named(monkeypatch):
	fail_to_answer(monkeypatch)

	with pytest.raises(RegistryDownError) as refused:
		load_champion("lending")
	assert refused.value.where.startswith("model registry (sqlite:///")
	assert "the server is down" in refused.value.problem
	assert "Start its server" in refused.value.remedy
	with pytest.raises(RegistryDownError):
		has_champion("lending")
