import json
import shutil
from pathlib import Path

import pytest

from loantap.portfolio.errors import InputError
from loantap.project.parameters import read_groups
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


def test_a_policy_that_was_changed_after_it_was_approved_is_refused(conf):
  replace(conf, "policy", "max_loan_amount: 35000", "max_loan_amount: 36000")

  with pytest.raises(InputError, match="was changed after"):
    read_configured(conf, conf / "none.json", TODAY)


def test_a_value_that_cannot_be_used_is_told_with_its_name_and_folder(conf):
  replace(conf, "offers", "margin: 0.01", "margin: 2")

  with pytest.raises(InputError, match=r"parameter offers.margin in .*conf: .*less than"):
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
