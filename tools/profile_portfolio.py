"""The full profile of the portfolio: every column but personal ones, with alerts and correlations.

    python -m tools.profile_portfolio        (from the environment of requirements/profile.txt)

Runs beside the project, not in it: the profiler wants pandas below 3. Of the package only the data
dictionary is read, which needs nothing installed.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Final

import matplotlib as mpl
import pandas as pd

from loantap.portfolio.dictionary import COLUMNS, SIMULATED

PORTFOLIO: Final = Path("data/03_primary/loans.parquet")
PROFILE: Final = Path("data/08_reporting/profile.html")
# Read by the profiler where it is imported: it would ask a server of its makers otherwise.
NO_ANALYTICS: Final = "YDATA_PROFILING_NO_ANALYTICS"


class NoPortfolioError(FileNotFoundError):
    """There is no portfolio to profile."""


def read_portfolio(path: Path) -> pd.DataFrame:
    """Loans without personal columns and the identifier, one row per loan.

    Raises:
        NoPortfolioError: the file is not there, or is no Parquet.
    """
    shown = [name for name, column in COLUMNS.items() if not column.personal and name != "loan_id"]
    if not path.is_file():
        raise NoPortfolioError(f"There is no portfolio yet, no {path}: make run makes one.")
    try:
        loans = pd.read_parquet(path)
    except ValueError as error:  # Arrow's errors are
        raise NoPortfolioError(
            f"{path} cannot be read ({error}): make run makes it anew."
        ) from error
    return loans[[name for name in loans.columns if name in shown]]


def name_profile(loans: pd.DataFrame) -> str:
    """The page's title: whether the loans are real, and how many; short, since it does not wrap."""
    origins = set(loans["origin"]) if "origin" in loans else set()
    label = "SIMULATED DATA" if SIMULATED in origins else "Real data"
    return f"{label}: {len(loans):,} loans"


def write_profile(loans: pd.DataFrame, path: Path) -> None:
    """Write the profile as one HTML page that opens without a network.

    No row of a borrower is shown, and no scatter plot of pairs, which would hold every loan.
    """
    os.environ[NO_ANALYTICS] = "true"
    from data_profiling import ProfileReport

    meanings = {name: COLUMNS[name].meaning for name in loans.columns}
    report = ProfileReport(
        loans,
        title=name_profile(loans),
        variables={"descriptions": meanings},
        samples=None,
        duplicates={"head": 0},
        interactions={"continuous": False},
        progress_bar=False,
    )
    # Its heat map would cut the names of columns off.
    whole_figures = mpl.rc_context({"savefig.bbox": "tight"})
    part = path.with_suffix(".part.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), whole_figures:
        # Its own code, with the pandas it asks for.
        warnings.simplefilter("ignore", FutureWarning)
        report.to_file(part, silent=True)
    part.replace(path)


def main() -> None:
    """Profile the portfolio of the folder it is started in."""
    try:
        loans = read_portfolio(PORTFOLIO)
    except NoPortfolioError as error:
        sys.exit(str(error))
    sys.stderr.write(f"Profiling {len(loans):,} loans, {len(loans.columns)} columns\n")
    write_profile(loans, PROFILE)
    sys.stderr.write(f"Written: {PROFILE}\n")


if __name__ == "__main__":
    main()
