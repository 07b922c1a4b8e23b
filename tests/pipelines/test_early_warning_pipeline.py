from loantap.surveillance.watchlist.schemas import SITUATIONS, WATCHLIST
from tests.pipelines.in_memory import run

INPUTS = ("loan_months", "loans", "running_loans", "reconciliation")


def test_where_no_loan_runs_there_is_a_book_and_the_empty_list_says_so(ingested):
    made = run("early_warning", {name: ingested[name] for name in INPUTS})

    assert WATCHLIST.validate(made["watchlist"]).empty
    assert SITUATIONS.validate(made["early_warning.watchlist_situations"]).empty
    assert "No loan runs" in made["early_warning.watchlist_page"]
    for page in ("book", "watchlist"):
        assert "SIMULATED DATA" in made[f"early_warning.{page}_page"]
