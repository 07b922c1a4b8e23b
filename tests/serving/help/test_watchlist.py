from datetime import date

import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.errors import NotThereError
from loantap.serving.help.watchlist import WatchlistFiles
from loantap.surveillance.schemas import WATCHLIST
from tests.serving.watched import LOANS, MONTH, make_plans, make_watchlist, write_watchlist


def test_a_list_is_read_with_its_plans_by_rank(tmp_path):
  write_watchlist(tmp_path)
  WATCHLIST.validate(make_watchlist()).iloc[::-1].to_parquet(tmp_path / "watchlist.parquet")

  found = WatchlistFiles(tmp_path).read()

  loans, n = found.select(0, 10)
  assert ([(one.loan_id, one.plan.action) for one in loans], n) == ([(row[0], row[3]) for row in LOANS], 5)
  assert (loans[0].first_seen, loans[0].escalated_in) == (date(2017, 1, 1), date(2017, 3, 1))
  assert (loans[1].escalated_in, loans[1].plan.emi_later, loans[1].plan.emi_new) == (None, None, 331.5)
  assert loans[0].trend_utilisation == [40, None, 61.5]
  assert found.count()["queue"] == {"restructuring": 2, "reminders": 2, "recoveries": 1}


@pytest.mark.parametrize(
  ("after", "limit", "wanted", "ranks", "n"),
  [
    (2, 2, {}, [3, 4], 5),
    (5, 2, {}, [], 5),
    (3, 9, {"queue": "reminders", "level": ""}, [5], 2),
    (0, 9, {"level": "critical", "action": "none"}, [4], 1),
    (0, 9, {"action": "counselling"}, [], 0),
  ],
)
def test_loans_are_selected_behind_a_rank(tmp_path, after, limit, wanted, ranks, n):
  write_watchlist(tmp_path)

  loans, found = WatchlistFiles(tmp_path).read().select(after, limit, **wanted)

  assert ([one.rank for one in loans], found) == (ranks, n)


@pytest.mark.parametrize(
  ("loans", "months", "is_simulated"),
  [("real", "real", False), ("real", "simulated_from_outcome", True), ("simulated", "real", True)],
)
def test_made_up_loans_or_months_are_simulated(tmp_path, loans, months, is_simulated):
  make_watchlist(loans).assign(events_origin=months).to_parquet(tmp_path / "watchlist.parquet")

  assert WatchlistFiles(tmp_path).read().is_simulated is is_simulated


def test_a_list_is_kept_until_one_of_its_files_changes(tmp_path):
  write_watchlist(tmp_path)
  files = WatchlistFiles(tmp_path)
  first = files.read()
  assert files.read() is first

  make_plans(month=MONTH - pd.DateOffset(months=1)).to_parquet(tmp_path / "help_plans.parquet")
  # They were made for the list of another month.
  assert (files.read().find("L-2").plan, files.read().count()["action"]) == (None, {})
  make_plans().assign(origin="real").to_parquet(tmp_path / "help_plans.parquet")
  assert files.read().find("L-2").plan is None
  (tmp_path / "help_plans.parquet").unlink()
  assert files.read().find("L-2").plan is None
  make_watchlist().head(0).to_parquet(tmp_path / "watchlist.parquet")
  assert (files.read().select(0, 9), files.read().is_simulated) == (([], 0), False)
  with pytest.raises(NotThereError, match="'L-2': it is not on the watch-list"):
    files.read().find("L-2")


def test_without_a_list_or_with_a_damaged_file_it_is_named(tmp_path):
  with pytest.raises(NotThereError, match=r"watchlist.parquet: no run .* --pipelines early_warning"):
    WatchlistFiles(tmp_path / "none").read()

  write_watchlist(tmp_path)
  make_plans().drop(columns="why").to_parquet(tmp_path / "help_plans.parquet")
  with pytest.raises(InputError, match=r"help_plans.parquet: it cannot be read: .*why"):
    WatchlistFiles(tmp_path).read()
