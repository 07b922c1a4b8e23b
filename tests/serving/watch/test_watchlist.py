import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.watch.errors import NotListedError, NoWatchlistError
from loantap.serving.watch.watchlist import WatchlistFiles
from loantap.surveillance.watchlist.schemas import WATCHLIST
from tests.serving.watched import LOANS, MONTH, make_plans, make_watchlist, write_watchlist


def list_ids(loans):
    return [loan.facts["loan_id"] for loan in loans]


def test_the_made_up_list_is_one_that_the_pipeline_could_leave():
    WATCHLIST.validate(make_watchlist())


def test_a_list_is_read_with_its_plans_by_rank(tmp_path):
    write_watchlist(tmp_path)
    make_watchlist().iloc[::-1].to_parquet(tmp_path / "watchlist.parquet")

    found = WatchlistFiles(tmp_path).read()

    loans, n = found.select(0, 10)
    assert (list_ids(loans), n) == ([row[0] for row in LOANS], 5)
    assert [loan.plan["action"] for loan in loans] == [row[3] for row in LOANS]
    assert (found.as_of_month, found.is_simulated) == ("2017-03", True)
    first, second = loans[:2]
    assert (first.facts["first_seen"], first.facts["escalated_in"]) == ("2017-01", "2017-03")
    assert (second.facts["escalated_in"], second.plan["emi_later"], second.plan["emi_new"]) == (None, None, 331.5)
    assert found.count("queue") == {"restructuring": 2, "reminders": 2, "recoveries": 1}


@pytest.mark.parametrize(
    ("after", "limit", "wanted", "ids", "n"),
    [
        (0, 2, {}, ["L-1", "L-2"], 5), (2, 2, {}, ["L-3", "L-4"], 5), (5, 2, {}, [], 5),
        (0, 9, {"queue": "reminders"}, ["L-3", "L-5"], 2), (3, 9, {"queue": "reminders"}, ["L-5"], 2),
        (0, 9, {"level": "critical", "action": "none"}, ["L-4"], 1), (0, 9, {"action": "counselling"}, [], 0),
    ],
)  # fmt: skip
def test_loans_are_selected_behind_a_rank(tmp_path, after, limit, wanted, ids, n):
    write_watchlist(tmp_path)

    loans, found = WatchlistFiles(tmp_path).read().select(after, limit, **wanted)

    assert (list_ids(loans), found) == (ids, n)


@pytest.mark.parametrize(
    ("loans", "months", "is_simulated"),
    [("real", "real", False), ("real", "simulated_from_outcome", True), ("simulated", "simulated", True)],
)
def test_made_up_loans_or_months_are_simulated(tmp_path, loans, months, is_simulated):
    make_watchlist(loans).assign(events_origin=months).to_parquet(tmp_path / "watchlist.parquet")

    assert WatchlistFiles(tmp_path).read().is_simulated is is_simulated


def test_a_list_is_kept_until_one_of_its_files_changes(tmp_path, monkeypatch):
    write_watchlist(tmp_path)
    files = WatchlistFiles(tmp_path)
    first = files.read()
    assert files.read() is first

    make_plans(month=MONTH - pd.DateOffset(months=1)).to_parquet(tmp_path / "other")
    (tmp_path / "other").replace(tmp_path / "help_plans.parquet")
    # They were made for the list of another month.
    assert files.read().find("L-2").plan is None
    assert files.read().count("action") == {}
    (tmp_path / "help_plans.parquet").unlink()
    assert files.read().find("L-2").plan is None
    make_watchlist().head(1).to_parquet(tmp_path / "watchlist.parquet")
    with pytest.raises(NotListedError, match="'L-2': it is not on the watch-list"):
        files.read().find("L-2")


def test_an_empty_list_is_a_list(tmp_path):
    make_watchlist().head(0).to_parquet(tmp_path / "watchlist.parquet")

    found = WatchlistFiles(tmp_path).read()

    assert (found.select(0, 9), found.as_of_month, found.is_simulated) == (([], 0), None, False)


def test_without_a_list_or_with_a_damaged_one_the_file_is_named(tmp_path):
    files = WatchlistFiles(tmp_path / "none")
    with pytest.raises(NoWatchlistError, match=r"watchlist.parquet: no run .* --pipelines early_warning"):
        files.read()

    write_watchlist(tmp_path)
    make_plans().drop(columns="why").to_parquet(tmp_path / "help_plans.parquet")
    with pytest.raises(InputError, match=r"help_plans.parquet: it cannot be read: .*why"):
        WatchlistFiles(tmp_path).read()
