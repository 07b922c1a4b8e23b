import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import mlflow
import pytest
from click.testing import CliRunner
from mlflow.exceptions import MlflowException

from loantap.portfolio.errors import InputError
from loantap.registry import validation
from loantap.registry.commands import find_address, main
from loantap.registry.connection import RegistryDownError
from loantap.registry.history import get_version, list_versions, restore, tell_restored
from loantap.registry.loading import load_champion
from loantap.registry.models import ModelVersion, conclude, log_model, promote, register
from loantap.reporting import validation_page
from tests.conftest import train, training_options
from tests.registry.registered import artifacts_of, champions, make_champion, make_release, tags_of, with_facts

pytestmark = pytest.mark.usefixtures("active_run")

FIRST, SECOND, THIRD = (ModelVersion("loantap-lending-demo", number) for number in "123")


@pytest.fixture
def versions(active_run, lending_model):
	"""Two versions that were promoted one after the other, and one that was not."""
	make_champion(lending_model)
	make_champion(lending_model)
	release = make_release(lending_model, promoted=False)
	conclude(register(release), release.verdicts[-1])


def call(*arguments):
	return CliRunner().invoke(main, ["--registry", mlflow.get_tracking_uri(), *arguments])


def restore_for_drift(model):
	return restore(model, who="A. Officer", reason="drift")


@pytest.mark.usefixtures("versions")
class TestRestoring:
	def test_the_alias_moves_to_the_older_version_and_can_be_moved_back(self):
		assert restore_for_drift(FIRST) == SECOND
		assert champions() == {"loantap-lending-demo": "1"}
		assert load_champion("lending")[1] == FIRST

		assert restore_for_drift(SECOND) == FIRST
		assert champions() == {"loantap-lending-demo": "2"}

	def test_who_when_and_why_is_written_on_the_version_and_told_of_the_champion(self):
		assert tell_restored(FIRST.name) == ""
		restore(FIRST, who="A. Officer", reason="2 complains of drift")

		((when, said),) = get_version(FIRST.name, "1").restorations.items()
		assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when)
		assert said == f"by A. Officer, in place of {SECOND}: 2 complains of drift"
		told = tell_restored(FIRST.name)
		assert told.startswith(f"{FIRST}, which was restored on 20")
		assert told.endswith(f"({said})")

	@pytest.mark.parametrize(
		("model", "problem"),
		[
			(THIRD, r"never was champion .*calibrated: ECE 0\.0310"),
			(SECOND, "champion already"),
			(ModelVersion(FIRST.name, "9"), r"no version 9\. Registered versions: 3, 2, 1"),
			(ModelVersion("x", "1"), f"not registered. Registered models: {FIRST.name}"),
		],
		ids=["kept", "champion", "unknown version", "unknown model"],
	)
	def test_what_cannot_be_champion_is_refused_with_the_reason(self, model, problem):
		with pytest.raises(InputError, match=problem):
			restore_for_drift(model)
		assert champions() == {"loantap-lending-demo": "2"}

	def test_a_version_that_cannot_be_read_is_refused(self):
		(artifacts_of(FIRST) / "model.skops").write_bytes(b"damaged")

		with pytest.raises(InputError, match=r"its file model\.skops is damaged"):
			restore_for_drift(FIRST)
		assert champions() == {"loantap-lending-demo": "2"}


def test_a_version_of_a_run_that_did_not_finish_is_refused(lending_model):
	with pytest.raises(InputError, match=r"never was champion \(run not finished\)"):
		restore_for_drift(log_model(lending_model))


def test_a_demo_under_the_name_of_a_model_from_real_loans_is_refused(lending_model):
	"""As somebody might register one by hand."""
	demo = make_champion(lending_model)
	make_champion(with_facts(lending_model, origin="real"))
	client = mlflow.MlflowClient()
	source = client.get_model_version(demo.name, demo.version).source
	copied = client.create_model_version("loantap-lending", source, tags=tags_of(demo))

	with pytest.raises(InputError, match="simulated loans and belongs under loantap-lending-demo"):
		restore_for_drift(ModelVersion("loantap-lending", str(copied.version)))
	assert champions()["loantap-lending"] == "1"


def test_a_model_that_must_not_be_lent_on_is_refused(simulated_loans):
	benchmark = train(simulated_loans, training_options("benchmark"))
	first = make_champion(benchmark)
	make_champion(benchmark)

	with pytest.raises(InputError, match="it is not for lending"):
		restore_for_drift(first)


@pytest.mark.usefixtures("versions")
class TestListing:
	def test_every_version_is_listed_newest_first_with_its_verdict_and_none_is_opened(self, registry, monkeypatch):
		client, tags = mlflow.MlflowClient(), tags_of(FIRST) | {"training_loans": "123456"}
		for _ in range(4, 11):
			client.create_model_version(FIRST.name, client.get_model_version(FIRST.name, "1").source, tags=tags)
		for folder in registry.rglob("MLmodel"):
			folder.unlink()

		found = list_versions()

		assert [record.model.version for record in found] == [str(number) for number in range(10, 0, -1)]
		assert [record.model for record in found if record.is_champion] == [SECOND]
		assert [record.outcome for record in found[-3:]] == ["kept", "promoted", "promoted"]
		assert all(abs(record.created - datetime.now(tz=UTC)) < timedelta(minutes=5) for record in found)
		promote(found[0].model)
		monkeypatch.setenv("COLUMNS", "80")
		row = r"  10 \* logistic 123,456 simulated loans [-\d]{10} \d\d:\d\d UTC promoted *"
		told, name, first, *others = call("list").output.splitlines()
		assert told.startswith("Registered models   * champion")
		assert name.rstrip() == FIRST.name
		assert re.fullmatch(row, first)
		assert [line.split()[0] for line in others] == [str(number) for number in range(9, 0, -1)]

	def test_a_registry_that_fails_is_not_one_without_a_champion(self, monkeypatch):
		def fail(*_):
			raise MlflowException("disk full")

		monkeypatch.setattr(mlflow.MlflowClient, "get_model_version_by_alias", fail)

		with pytest.raises(RegistryDownError, match="disk full"):
			list_versions()


@pytest.mark.usefixtures("versions")
class TestCommands:
	@pytest.fixture(autouse=True)
	def _in_a_wide_terminal(self, monkeypatch):
		monkeypatch.setenv("COLUMNS", "132")

	def test_list_shows_origin_size_verdict_and_champion(self):
		result = call("list")

		assert result.exit_code == 0, result.output
		row = next(line for line in result.output.splitlines() if "2 *" in line)
		for told in ("loantap-lending-demo", "logistic", "4,000 simulated loans", "promoted"):
			assert told in row
		assert "kept" in result.output
		assert result.output.splitlines()[0].rstrip() == "Registered models"
		assert "* champion   † best of its kind, not for lending" in result.output

	def test_show_tells_the_facts_and_each_condition(self):
		result = call("show", "loantap-lending-demo", "3")

		assert result.exit_code == 0, result.output
		for told in ("training loans", "4000", "calibrated", "NO", "ECE 0.0310 out", "kept: the new", "\nthe new model"):
			assert told in result.output
		title, _, first, *_ = result.output.splitlines()
		assert title.rstrip() == "loantap-lending-demo version 3"
		assert "namespace" in first

	def test_restore_moves_the_alias_and_says_so(self):
		result = call("restore", "loantap-lending-demo", "1", "--reason", f"drift {'#' * 200}")

		assert result.exit_code == 0, result.output
		assert "loantap-lending-demo version 1 is champion, in place of" in result.output
		assert champions() == {"loantap-lending-demo": "1"}
		shown = call("show", "loantap-lending-demo", "1").output
		assert "in place of loantap-lending-demo version 2: drift" in shown
		assert shown.count("#") == 200

	def test_nothing_is_restored_without_a_reason(self):
		assert call("restore", "loantap-lending-demo", "1").exit_code == 2
		assert champions() == {"loantap-lending-demo": "2"}

	def test_a_mistake_gives_one_message_and_exit_code_1(self):
		result = call("restore", "loantap-lending-demo", "9", "--reason", "drift")

		assert result.exit_code == 1
		assert result.output.startswith("Error: model loantap-lending-demo: there is no version 9")
		assert "Traceback" not in result.output


@pytest.mark.parametrize(("words", "differing", "code"), [((), (), 0), (("loantap-lending", "2"), ("auc",), 1)])
def test_validate_ends_with_1_where_a_figure_differs(words, differing, code, monkeypatch):
	monkeypatch.setattr(validation, "choose_version", lambda name, version: (name, version))
	asked = []

	def validate(model, _):
		asked.append(model)
		return SimpleNamespace(passes=not differing, failed={}, left_out=("money", "fairness"))

	monkeypatch.setattr(validation, "validate_version", validate)
	monkeypatch.setattr(validation_page, "tabulate_validation", lambda _: "table")
	result = call("validate", *words)

	assert (result.exit_code, result.output) == (code, "table\nNot validated: money; fairness\n")
	assert asked == [words or (None, None)]


class TestAddress:
	@pytest.fixture(autouse=True)
	def _none_is_given(self, registry, monkeypatch):
		monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

	def test_what_the_environment_says_goes_first_and_is_told(self, tmp_path, monkeypatch, capsys):
		monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///copy.db")
		monkeypatch.chdir(tmp_path)

		assert find_address(tmp_path / "elsewhere") == f"sqlite:///{tmp_path}/copy.db"
		told = f"Registry: sqlite:///{tmp_path}/copy.db, as MLFLOW_TRACKING_URI says"
		assert capsys.readouterr().err == f"{told}\n"

	def test_nothing_is_told_where_it_says_the_same(self, tmp_path, monkeypatch, capsys):
		monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")

		find_address(tmp_path)
		assert capsys.readouterr().err == ""

	@pytest.mark.parametrize(
		("said", "environment", "address"),
		[
			({"prod": "https://mlflow.example.org"}, "prod", "https://mlflow.example.org"),
			({"base": "sqlite:///shared.db"}, "local", "sqlite:///{}/shared.db"),
			({"base": "sqlite:///a.db", "local": "sqlite:///b.db"}, "local", "sqlite:///{}/b.db"),
			({}, "local", "sqlite:///{}/mlflow.db"),
		],
		ids=["of another environment", "of all", "the local one first", "outside a project"],
	)
	def test_it_is_where_kedro_run_finds_it(self, said, environment, address, tmp_path):
		for name, uri in said.items():
			folder = tmp_path / "conf" / name
			folder.mkdir(parents=True)
			(folder / "mlflow.yml").write_text(f"server: {{mlflow_tracking_uri: '{uri}'}}")

		assert find_address(tmp_path, environment) == address.format(tmp_path)

	@pytest.mark.parametrize(
		("variables", "words", "environment"),
		[({}, (), "local"), ({"KEDRO_ENV": "prod"}, (), "prod"), ({"KEDRO_ENV": "prod"}, ("--env", "qa"), "qa")],
	)
	def test_a_command_asks_in_the_environment_of_kedro_run(self, variables, words, environment, tmp_path, monkeypatch):
		mlflow.end_run()
		for name in ("base", "local", "prod", "qa"):
			folder = tmp_path / "conf" / name
			folder.mkdir(parents=True)
			(folder / "mlflow.yml").write_text(f"server: {{mlflow_tracking_uri: 'sqlite:///{name}.db'}}")
		(tmp_path / "pyproject.toml").write_text("[tool.kedro]")
		monkeypatch.delenv("KEDRO_ENV", raising=False)
		monkeypatch.chdir(tmp_path)

		assert f"there is no database {tmp_path}/{environment}.db" in (
			CliRunner(env=variables).invoke(main, [*words, "list"]).output
		)

	def test_a_registry_that_is_not_there_is_told(self, tmp_path):
		mlflow.end_run()
		result = CliRunner().invoke(main, ["--registry", f"sqlite:///{tmp_path}/no.db", "list"])

		assert result.exit_code == 1
		assert "there is no database" in result.output
		assert "Warning" not in result.output


def test_a_version_of_an_earlier_release_is_listed_all_the_same(lending_model):
	"""It has fewer tags."""
	model = log_model(lending_model)
	client = mlflow.MlflowClient()
	for tag in ("kind", "training_loans", "training_charge_offs"):
		client.delete_model_version_tag(model.name, model.version, tag)
	promote(model)

	assert "simulated" in call("list").output
	assert call("show", model.name, model.version).exit_code == 0
