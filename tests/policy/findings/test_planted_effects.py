"""Findings on portfolios with a planted effect and a false lead, over 200 seeds.

Teachers are truly safer. Loans for a wedding are theirs mostly, so they look safer, and are not.
Dearer loans are truly riskier. Nothing else has an effect: what else is found is due to chance, and
must keep to the false discovery rate that is stated.
"""

import numpy as np
import pytest
from scipy.stats import binom

from loantap.policy.findings.effects import Finding, tabulate_findings
from loantap.policy.findings.evidence import gather_evidence, tabulate_years
from loantap.policy.findings.segmentations import SEGMENTATIONS
from tests.policy.findings.material import TITLES, draw_loans, make_options, make_profits, settle

SEEDS = 200
LOANS = 2_400
# Of factors with an effect, each segment differs from the others.
DRIVING = ["profession", "grade", "interest_rate_pct"]


def plant(seed):
	rng = np.random.default_rng([seed, 2])
	loans = draw_loans(LOANS, seed)
	teaches = (loans["profession"] == TITLES[0]).to_numpy()
	wedding = rng.random(LOANS) < np.where(teaches, 0.7, 0.05)
	purpose = loans["purpose"].where(loans["purpose"] != "wedding", "car").mask(wedding, "wedding")
	dearer = loans["interest_rate_pct"].to_numpy() - 13
	return settle(loans.assign(purpose=purpose), -1.4 + 0.08 * dearer - 1.1 * teaches, seed)


def look(seed):
	"""Whether teachers are found, weddings fallen for, weddings look safer; and the share of what is found falsely."""
	loans, options = plant(seed), make_options()
	evidence = gather_evidence(loans, make_profits(loans), "mid", options)
	years = {name: tabulate_years(evidence, name, options.min_outcomes_per_year) for name in SEGMENTATIONS}
	table = tabulate_findings(evidence, years, options)
	table = table[table["role"] != "audit"].set_index(["segmentation", "segment"])
	is_found = table["finding"].isin([Finding.MORE, Finding.FEWER])
	is_false = is_found & ~table.index.get_level_values(0).isin(DRIVING)
	return (
		table.loc[("profession", "teacher"), "finding"] == Finding.FEWER,
		is_found[("purpose", "wedding")],
		table.loc[("purpose", "wedding"), "gap_high"] < 0,
		is_false.sum() / max(is_found.sum(), 1),
	)


@pytest.mark.slow
def test_the_true_effect_is_found_and_the_false_lead_is_not():
	teachers, weddings, safer, false_shares = np.array([look(seed) for seed in range(SEEDS)], dtype=float).T
	rate = make_options().false_discovery_rate
	most = binom.ppf(0.999, SEEDS, rate)
	error = false_shares.std(ddof=1) / np.sqrt(SEEDS)

	assert teachers.sum() >= 0.95 * SEEDS
	assert safer.sum() >= 0.9 * SEEDS
	assert weddings.sum() <= most
	assert false_shares.mean() <= rate + 3 * error
