import json
import shutil
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from loantap.portfolio.errors import InputError
from loantap.project.folder import read_groups
from loantap.serving import commands
from loantap.serving.api.commands import main as serve_api
from loantap.serving.configured import read_configured
from loantap.serving.settings import read_settings
from tests.conftest import AS_OF, PROJECT

TODAY = AS_OF.date()


def test_the_defaults_suit_a_project_after_a_run(tmp_path):
	settings = read_settings({}, tmp_path)

	assert settings.project == tmp_path
	assert settings.conf == tmp_path / "conf/base"
	assert settings.audit_url == f"sqlite:///{tmp_path}/data/09_serving/audit.db"
	assert (settings.host, settings.port) == ("127.0.0.1", 8_000)


def test_variables_go_before_defaults_and_options_before_variables(tmp_path):
	variables = {
		"LOANTAP_PORT": "9000",
		"LOANTAP_WORKERS": "3",
		"LOANTAP_CONF": "/elsewhere",
		"KEDRO_ENV": "odbc",
		"LOANTAP_PROJECT": "/not/taken",
		"OTHER": "x",
		"LOANTAP_AUDIT_URL": "sqlite:///mine.db",
	}

	settings = read_settings(variables, tmp_path, port=9_001, host=None)

	assert (settings.port, settings.workers) == (9_001, 3)
	assert settings.conf == Path("/elsewhere")
	assert settings.environment == "odbc"
	assert settings.project == tmp_path
	# An embedded log is looked for from the project.
	assert settings.audit_url == f"sqlite:///{tmp_path}/mine.db"


@pytest.mark.parametrize(
	("name", "value"), [("LOANTAP_PORT", "70000"), ("LOANTAP_THREADS", "many"), ("LOANTAP_WORKERS", "0")]
)
def test_a_value_that_cannot_be_used_is_told_with_its_variable(tmp_path, name, value):
	with pytest.raises(InputError, match=f"{name}={value}: .* Give --"):
		read_settings({name: value}, tmp_path)


@pytest.fixture
def conf(tmp_path):
	folder = tmp_path / "conf"
	shutil.copytree(PROJECT / "conf/base", folder)
	return folder


def replace(conf, group, old, new):
	path = conf / f"parameters_{group}.yml"
	text = path.read_text("utf-8")
	assert old in text
	path.write_text(text.replace(old, new), "utf-8")


def test_the_shipped_files_are_read_for_the_day(conf):
	found = read_configured(conf, conf / "none.json", TODAY)

	assert found.policy.name == "npv 2026-11"
	assert found.offers.as_of == TODAY
	assert found.rule_ids == ()
	assert found.find_rules("real") == ()
	assert str(found.economics.outcomes_as_of) == "2017-03-01"


@pytest.mark.parametrize(
	("group", "old", "new", "told"),
	[
		("policy", "max_loan_amount: 35000", "max_loan_amount: 36000", "was changed after"),
		("offers", "margin: 0.01", "margin: 2", r"parameter offers.margin in .*conf: .*less than"),
	],
)
def test_a_changed_policy_and_a_value_that_cannot_be_used_are_refused(conf, group, old, new, told):
	replace(conf, group, old, new)

	with pytest.raises(InputError, match=told):
		read_configured(conf, conf / "none.json", TODAY)


@pytest.mark.parametrize(
	("file", "text", "told"),
	[
		("parameters_policy.yml", "policy: [", "Mend the file"),
		("parameters_policy.yml", "{}", "no group policy.*LOANTAP_CONF"),
		("r.json", "{", "--pipelines insights"),
	],
)
def test_a_file_that_cannot_be_used_is_told(conf, file, text, told):
	(conf / file).write_text(text, "utf-8")

	with pytest.raises(InputError, match=told):
		read_configured(conf, conf / "r.json", TODAY)


def test_rules_that_are_switched_on_are_those_of_the_file_for_the_same_origin(conf):
	replace(conf, "scoring", "recommendations: []", "recommendations: [x]")
	(conf / "r.json").write_text(json.dumps({"origin": "real", "recommendations": [], "tested": []}), "utf-8")
	found = read_configured(conf, conf / "r.json", TODAY)

	with pytest.raises(InputError, match="there is no rule 'x'"):
		found.find_rules("real")
	with pytest.raises(InputError, match="real loans, and the model in use"):
		found.find_rules("simulated")


def test_what_one_group_leaves_out_another_may_refer_to(tmp_path):
	(tmp_path / "parameters_x.yml").write_text("a: {day: 2026-11-29, n: 1}\nb: {day: '${a.day}'}\n", "utf-8")

	read = read_groups(tmp_path, {"a": ["day"], "b": []})

	assert read == {"a": {"n": 1}, "b": {"day": "2026-11-29"}}


@pytest.fixture(autouse=True)
def _leave_signals_alone(monkeypatch):
	monkeypatch.setattr(signal, "signal", lambda *_: None)


def test_a_setting_that_cannot_be_used_ends_the_api_with_the_reason(tmp_path, monkeypatch):
	monkeypatch.chdir(tmp_path)
	ended = CliRunner().invoke(serve_api, env={"LOANTAP_WORKERS": "none"})

	assert ended.exit_code == 1
	assert "LOANTAP_WORKERS=none" in ended.output


@pytest.mark.parametrize("option", ["--port", "--dashboard-port"])
def test_a_port_that_is_taken_is_named_with_its_option(option, tmp_path, monkeypatch):
	monkeypatch.chdir(tmp_path)
	with closing(socket.socket()) as taken, closing(socket.socket()) as other:
		for one in (taken, other):
			one.bind(("127.0.0.1", 0))
		taken.listen()
		ports = {"--port": str(other.getsockname()[1]), option: str(taken.getsockname()[1])}
		other.close()
		ended = CliRunner().invoke(commands.main, [word for pair in ports.items() for word in pair])

	assert ended.exit_code == 1
	assert "another program listens there" in ended.output
	assert f"Give {option} another port" in ended.output


def test_a_server_that_ends_as_it_begins_is_not_waited_for():
	with commands._running([sys.executable, "-c", ""], {}) as server:
		server.wait(30)
		with pytest.raises(InputError, match="a server ended as it began"):
			commands._wait_until_ready("http://127.0.0.1:9/readyz", [server])


def test_a_server_that_still_runs_is_ended_with_the_command():
	with commands._running([sys.executable, "-c", "import time; time.sleep(60)"], {}) as server:
		assert server.poll() is None

	assert server.returncode == -signal.SIGTERM
