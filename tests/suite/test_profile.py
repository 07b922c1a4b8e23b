"""`make profile`: what is profiled, what is not, and what it says where there is no portfolio."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from loantap.portfolio.dictionary import COLUMNS
from tests.conftest import PROJECT
from tools import profile_portfolio
from tools.profile_portfolio import (
    NO_ANALYTICS,
    PORTFOLIO,
    PROFILE,
    name_profile,
    read_portfolio,
    write_profile,
)

PROFILER = PROJECT / ".venv-profile" / "bin" / "python"


@pytest.fixture
def folder(tmp_path, simulated_loans, monkeypatch):
    """A folder with a portfolio."""
    file = tmp_path / PORTFOLIO
    file.parent.mkdir(parents=True)
    simulated_loans.head(500).assign(origin="simulated").to_parquet(file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_personal_column_is_read(folder, simulated_loans):
    loans = read_portfolio(PORTFOLIO)

    hidden = set(simulated_loans) - set(loans)
    assert hidden == {"loan_id"} | {n for n in simulated_loans if COLUMNS[n].personal}
    assert len(loans) == 500


def test_a_column_that_nobody_declared_is_not_shown(folder):
    pd.read_parquet(PORTFOLIO).assign(surname="Doe").to_parquet(PORTFOLIO)

    assert "surname" not in read_portfolio(PORTFOLIO)


@pytest.mark.parametrize(
    ("origin", "label"), [("simulated", "SIMULATED DATA"), ("real", "Real data")]
)
def test_the_title_says_whether_the_loans_are_real(origin, label):
    loans = pd.DataFrame({"origin": [origin] * 1_200})

    assert name_profile(loans) == f"{label}: 1,200 loans"


def test_where_there_is_no_portfolio_one_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match=r"^There is no portfolio yet, no .*: make run makes one"):
        profile_portfolio.main()


def test_a_portfolio_that_is_no_parquet_is_named(folder):
    (folder / PORTFOLIO).write_bytes(b"PAR1 cut off")

    with pytest.raises(SystemExit, match=r"loans\.parquet cannot be read"):
        profile_portfolio.main()


def test_make_asks_for_the_portfolio_before_it_installs_the_profiler(tmp_path):
    shutil.copy(PROJECT / "Makefile", tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("uv.txt", "profile.txt"):
        shutil.copy(PROJECT / "requirements" / name, tmp_path / "requirements")

    done = subprocess.run(
        ["make", "profile"],  # noqa: S607 (make is on the PATH)
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "There is no portfolio yet, no data/03_primary/loans.parquet: make run" in done.stderr
    assert not (tmp_path / ".venv").exists()


class Report:
    """A profiler that only notes what it is asked, since the real one wants another pandas."""

    asked: dict[str, object] = {}  # noqa: RUF012 - one for all

    def __init__(self, loans, **options):
        self.asked.update(options, analytics=os.environ.get(NO_ANALYTICS))

    def to_file(self, path, *, silent):
        path.write_text("<html>")


@pytest.fixture
def report(folder, monkeypatch):
    monkeypatch.setenv(NO_ANALYTICS, "")
    monkeypatch.setitem(sys.modules, "data_profiling", SimpleNamespace(ProfileReport=Report))
    return folder / PROFILE


def test_the_profiler_is_told_to_show_no_row_and_to_report_to_nobody(report):
    profile_portfolio.main()

    assert report.read_text() == "<html>"
    assert list(report.parent.iterdir()) == [report]
    assert Report.asked["analytics"] == "true"
    assert (Report.asked["samples"], Report.asked["duplicates"]) == (None, {"head": 0})
    assert Report.asked["interactions"] == {"continuous": False}


def test_a_profile_that_fails_leaves_the_last_one(report, monkeypatch):
    def fail(_, path, *, silent):
        path.write_text("half")
        raise MemoryError

    monkeypatch.setattr(Report, "to_file", fail)
    report.parent.mkdir(parents=True)
    report.write_text("the last one")

    with pytest.raises(MemoryError):
        write_profile(read_portfolio(PORTFOLIO), PROFILE)

    assert report.read_text() == "the last one"


@pytest.mark.slow
@pytest.mark.skipif(not PROFILER.exists(), reason="make profile was not run here")
def test_the_real_profiler_writes_a_page_with_every_column(folder):
    # Whatever would go to a network goes to a port that is closed.
    closed = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [PROFILER, "-m", "tools.profile_portfolio"],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | closed | {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    page = (folder / PROFILE).read_text("utf-8")
    assert "SIMULATED DATA: 500 loans" in page
    assert all(name in page for name in read_portfolio(PORTFOLIO).columns)
    assert ">profession<" not in page
