import shlex
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from loantap.portfolio.errors import InputError
from tests.conftest import require
from tools.sources import __main__ as sources
from tools.sources import derby, postgres, thrift_server
from tools.sources.loader import make_tables

pytestmark = pytest.mark.slow

LOANS, SEED, DAY = 1_000, 7, date(2026, 11, 23)


@pytest.fixture
def state(monkeypatch, tmp_path):
	"""Where it is written down, apart from what a developer has up; all is ended afterwards."""
	absent = {module.missing() for module in (postgres, derby, thrift_server)} - {None}
	require(not absent, f"not all of the three systems is there: {absent}")
	state = tmp_path / ".sources"
	monkeypatch.setattr(sources, "_STATE", state)
	monkeypatch.setattr(sources, "_ENVIRONMENT", state / "env")
	monkeypatch.setattr(sources, "_FOLDER", state / "folder")
	yield state
	with suppress(InputError):
		sources.down()


def read_variables(environment):
	words = shlex.split(environment.read_text())
	assert words[::2] == ["export"] * (len(words) // 2)
	return dict(word.split("=", 1) for word in words[1::2])


def test_three_loaded_systems_are_up_until_they_are_taken_down(state, capsys):
	sources.up(LOANS, SEED, DAY, None)

	assert (state / "env").stat().st_mode & 0o777 == 0o600
	folder = Path((state / "folder").read_text())
	told = read_variables(state / "env")
	assert list(told) == ["LOANTAP_WAREHOUSE", "LOANTAP_WAREHOUSE_OUTPUT", "LOANTAP_APPSTREAM", "LOANTAP_BUSINESS_EVENTS"]
	said = capsys.readouterr().out
	assert "The sources are up" in said
	assert not [name for name, text in told.items() if text in said.replace("\n", "")]
	made = make_tables(LOANS, SEED, DAY)
	for table, (name, _) in sources._SYSTEMS.items():
		backend = make_backend(name, {"connection": told[f"LOANTAP_{name.upper()}"]})
		read = backend.read(Query(f"SELECT COUNT(*) FROM {table}")).read_all()
		assert read.columns[0].to_pylist() == [made[table].num_rows]

	with pytest.raises(InputError, match="up already"):
		sources.up(LOANS, SEED, DAY, None)

	sources.down()

	assert not state.exists()
	assert not folder.exists()
	for name, text in told.items():
		with pytest.raises(InputError):
			make_backend(name, {"connection": text}).describe("loans")

	sources.down()
	assert "The sources are not up" in capsys.readouterr().out


@pytest.mark.usefixtures("state")
def test_a_number_of_loans_that_is_too_small_is_refused_in_one_line(monkeypatch):
	monkeypatch.setattr("sys.argv", ["sources-up", "up", "--loans", "60"])

	with pytest.raises(SystemExit) as refused:
		sources.main()

	assert str(refused.value) == "--loans: Input should be greater than or equal to 1000"
