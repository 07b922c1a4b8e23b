import pandas as pd

from loantap.portfolio.dictionary import Family, contract_of

_VALUES = {
	Family.TEXT: [None, "some text", "Bäcker"],
	Family.NUMBER: [1.5, None, -3.25],
	Family.TIME: pd.to_datetime(["2026-11-23"] * 3),
}


def make_source(table, **columns):
	"""Three rows with all columns of the contract; `columns` are replaced."""
	made = {name: _VALUES[families[0]] for name, families in contract_of(table).items()}
	made |= {"loan_id": ["loan 0", "loan 1", "loan 2"], "origin": "real"}
	return pd.DataFrame(made | columns)
