"""SIMULATED loans in the form of the public Lending Club export: 151 columns, notes around them.

The columns that are read have the names of the export, the others numbers:

python -m tools.benchmarks.lending_club_file --rows 1000000 --to export.csv
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render, split_address
from loantap.simulator import AS_OF_MONTH, iter_book

_WIDTH: Final = 151
_SEED: Final = 42
_ABOVE: Final = "Notes offered by Prospectus (https://www.lendingclub.com/info/prospectus.action)\n"
_BELOW: Final = "\nTotal amount funded in policy code 1: 1\nTotal amount funded in policy code 2: 0\n"
# Resolved loans of a book, of which about 1.2 times as many run.
_RESOLVED: Final = 0.47


def write_export(path: Path, rows: int) -> None:
	"""Write that many loans, resolved and running ones as of March 2017."""
	with path.open("wb") as file:
		file.write(_ABOVE.encode())
		for written, frame in _iter_frames(rows):
			options = csv.WriteOptions(include_header=not written, quoting_style="all_valid")
			csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), file, options)
		file.write(_BELOW.encode())


def _iter_frames(rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
	written = 0
	for book in iter_book(max(int(rows * _RESOLVED), 1_000), _SEED, AS_OF_MONTH):
		frame = to_lending_club(book.portfolio.head(rows - written), written)
		yield written, frame
		written += len(frame)
		if written == rows:
			return


def to_lending_club(portfolio: pd.DataFrame, first: int = 0) -> pd.DataFrame:
	"""Typed loans in Lending Club's columns, all as text; ids count on from `first`."""
	place = split_address(portfolio["address"])
	is_joint = portfolio["application_type"].eq("JOINT")
	export = render(portfolio, portfolio_columns()).drop(columns="address")
	export = export.assign(
		id=np.arange(first, first + len(portfolio)) + 1_000_000,
		int_rate=portfolio["interest_rate_pct"].map("{:.2f}%".format),
		revol_util=portfolio["revolving_utilisation_pct"].map("{:.1f}%".format, na_action="ignore"),
		zip_code=place["pincode"].str[:3] + "xx",
		addr_state=place["state"],
		application_type=is_joint.map({True: "Joint App", False: "Individual"}),
		# The first borrower's income is half of what both earn.
		annual_inc=portfolio["annual_income"].where(~is_joint, portfolio["annual_income"] / 2),
		annual_inc_joint=portfolio["annual_income"].where(is_joint),
		dti=portfolio["dti_pct"].where(~is_joint),
		dti_joint=portfolio["dti_pct"].where(is_joint),
		desc=None,
	)
	# Half of those that nobody reads have numbers, the other half is mostly empty.
	others = {f"other_{n}": None if n % 2 else "0.0" for n in range(_WIDTH - export.shape[1])}
	return export.join(pd.DataFrame(others, export.index)).astype("str")


def main() -> None:
	"""Write an export."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--rows", type=int, default=1_000_000)
	parser.add_argument("--to", type=Path, required=True)
	given = parser.parse_args()
	write_export(given.to, given.rows)


if __name__ == "__main__":
	main()
