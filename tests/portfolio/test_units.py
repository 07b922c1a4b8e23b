from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from loantap.portfolio.units import UnitCounts, require_known_units

Change = Callable[[pd.DataFrame], pd.DataFrame]


def scale(*columns, by):
	return lambda rows: rows.assign(**{name: rows[name] * by for name in columns})


@pytest.mark.parametrize("rows", [20, 4_000])
@pytest.mark.parametrize(
	("change", "said"),
	[
		(scale("dti_pct", by=0.01), "column dti is at most 1 in"),
		(scale("revolving_utilisation_pct", by=0.01), "column revol_util is at most 1 in"),
		(scale("annual_income", by=0.001), "column annual_inc is at most 1,000 in"),
		(scale("loan_amount", "instalment", by=0.001), "column loan_amnt is at most 100 in"),
		(scale("annual_income", by=1 / 12), "the instalments of a year are more than half"),
		(scale("instalment", "loan_amount", by=12), "the instalments of a year are more than half"),
	],
	ids=["DTI", "utilisation", "income in thousands", "amounts", "income by the month", "rupees"],
)
def test_a_column_in_another_unit_is_told(change, said, rows, simulated_loans):
	with pytest.raises(InputError) as refused:
		require_known_units(change(simulated_loans.head(rows)), "portfolio file")

	assert refused.value.problem.startswith(said) or said in refused.value.problem
	assert refused.value.where == "portfolio file"


@pytest.mark.parametrize("honest", ["simulated_loans", "sample_loans"])
def test_honest_loans_pass(honest, request):
	require_known_units(request.getfixturevalue(honest), "portfolio file")


@pytest.mark.parametrize(
	("numbers", "passes"),
	[
		([0.5] * 19, True),  # nineteen could be a coincidence
		([0.5] * 20, False),
		([0.5] * 38 + [1.1] * 2, True),  # one in twenty is above
		([0.5] * 39 + [1.1] * 2, False),
		([1.0] * 20, False),
		([1.01] * 20, True),
		([0.0] * 500 + [0.5] * 19, True),  # nothing is nothing in any unit
		([np.nan] * 500 + [0.5] * 19, True),
	],
)
def test_what_could_be_honest_passes(numbers, *, passes):
	counts = UnitCounts()
	counts.add({"dti_pct": np.array(numbers)})

	if passes:
		counts.require_known_units("applications")
	else:
		with pytest.raises(InputError, match="it is a share, and percent is expected"):
			counts.require_known_units("applications")


@pytest.mark.parametrize(("burdened", "passes"), [(10, True), (11, False)])
def test_half_of_the_borrowers_may_be_heavily_burdened(burdened, *, passes):
	income = np.array([23.9] * burdened + [24.0] * (20 - burdened)) * 1_000
	counts = UnitCounts()
	counts.add({"annual_income": income, "instalment": np.full(20, 1_000.0)})

	if passes:
		counts.require_known_units("applications")
	else:
		with pytest.raises(InputError, match=f"in {burdened} of 20 rows"):
			counts.require_known_units("applications")


def test_batches_add_up():
	counts = UnitCounts()
	for batch in np.array_split(np.full(20, 0.5), 7):
		counts.add({"dti_pct": batch})

	with pytest.raises(InputError, match="in 20 of the 20 rows"):
		counts.require_known_units("applications")
