"""A run that is killed while it reads a real server costs nothing but its time."""

from tests.sources.source_rows import make_loans
from tests.support.killing import kill_extractions


def test_killed_at_any_moment_it_loses_and_doubles_no_row(postgres, tmp_path):
    postgres.load("loans", make_loans(6_000))

    writing = kill_extractions(
        {"connection": postgres.connection}, tmp_path / "01_raw" / "loans", postgres.run_sql
    )

    # Of ten each; the others had ended, or had not begun to write.
    assert writing["all"] >= 3
    assert writing[None] >= 3
