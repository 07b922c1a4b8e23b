import json

import pytest
from click.testing import CliRunner

from loantap.serving.audit.commands import main
from loantap.serving.audit.tables import REVISION
from tests.serving.entries import ANN, BOB, make_decision, tamper


@pytest.fixture(params=["sqlite"])
def server(request):
  """The commands are the same on both systems, which other tests try."""
  return request.param


@pytest.fixture
def call(url):
  return lambda *words: CliRunner().invoke(main, ["--url", url, *words])


@pytest.fixture
def kept(store):
  return store.append([make_decision(1), make_decision(2, "refer")], ANN)


def test_a_log_that_holds_tells_where_it_ends(call, kept):
  said = call("verify")

  assert said.exit_code == 0
  assert said.output == f"All 2 records hold. The log ends at 2:{kept[1].hash}\n"
  assert call("verify", "--noted", f"2:{kept[1].hash}").exit_code == 0
  cut_off = call("verify", "--noted", f"3:{kept[1].hash}")
  assert cut_off.exit_code == 1
  assert "the log once ended at record 3" in cut_off.output
  assert call("verify", "--noted", "abc").exit_code == 2


def test_a_log_that_does_not_names_the_first_record(call, kept, url):
  tamper(url, "UPDATE records SET person = 'Eve' WHERE seq = 2")
  said = call("verify")

  assert said.exit_code == 1
  assert said.output.startswith(f"1 records hold. Then record 2 ({kept[1].id}): it was changed")


def test_a_record_is_shown_with_what_happened_since(call, kept, store):
  store.erase(BOB, "asked for", record_ids=[kept[1].id])
  shown = json.loads(call("show", kept[0].id).output)
  erased = json.loads(call("show", kept[1].id).output)

  assert shown[0]["personal"]["application_id"] == "A1"
  assert erased[0]["is_erased"]
  assert erased[0]["public"]["decision"] == "refer"
  missing = call("show", "dec_x")
  assert missing.exit_code == 1
  assert "there is none of this id" in missing.output


def test_personal_parts_are_erased(call, kept, store):
  for chosen in ([kept[0].id], ["--application-id", "A2"]):
    said = call("erase", *chosen, "--reason", "asked for")
    assert said.output == "Erased 1 personal parts\n"
  assert all(record.is_erased for record in store.search().records)

  assert call("erase", kept[0].id, "--application-id", "A2", "--reason", "x").exit_code == 2
  assert call("erase", "--reason", "x").exit_code == 2
  unknown = call("erase", "dec_x", "--reason", "x")
  assert unknown.exit_code == 1
  assert "there is none of this id" in unknown.output


def test_old_personal_parts_are_purged(call, kept):
  assert call("purge", "--older-than", "1").output.startswith("Erased 0 personal parts")
  assert call("purge", "--older-than", "0").output.startswith("Erased 2 personal parts")


def test_tables_are_made_once(tmp_path):
  words = ["--url", f"sqlite:///{tmp_path}/new/audit.db", "upgrade"]

  first, again = (CliRunner().invoke(main, words).output for _ in range(2))

  assert first == f"The tables are at revision {REVISION}, before: none\n"
  assert again == f"Nothing to do: the tables are at revision {REVISION}\n"


def test_the_log_of_the_project_is_the_default(tmp_path, monkeypatch):
  monkeypatch.delenv("LOANTAP_AUDIT_URL", raising=False)
  (tmp_path / "pyproject.toml").write_text("[tool.kedro]\n")
  (tmp_path / "below").mkdir()
  monkeypatch.chdir(tmp_path / "below")

  assert CliRunner().invoke(main, ["verify"]).exit_code == 0
  assert (tmp_path / "data" / "09_serving" / "audit.db").is_file()

  monkeypatch.setenv("LOANTAP_AUDIT_URL", f"sqlite:///{tmp_path}/other.db")
  assert CliRunner().invoke(main, ["verify"]).exit_code == 0
  assert (tmp_path / "other.db").is_file()


def test_an_address_that_is_none_is_told_without_a_traceback():
  said = CliRunner().invoke(main, ["--url", "nothing", "verify"])

  assert said.exit_code == 1
  assert said.output.startswith("Error: LOANTAP_AUDIT_URL: it is not understood")
