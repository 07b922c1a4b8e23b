import numpy as np
import pandas as pd
import pytest

from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.conduct import check_conduct, tabulate_months
from tests.surveillance.monitoring.options import OPTIONS, alarms, by_figure


def decide(n=2_000, approve=0.6, refer=0.1, overridden=0.5, owners=0.6, seed=0):
	"""Decisions; of those who own a home another share is approved."""
	rng = np.random.default_rng(seed)
	owns, draw = rng.random(n) < 0.5, rng.random(n)
	share = np.where(owns, owners, approve)
	decision = np.select([draw < share, draw < share + refer], ["approve", "refer"], "decline")
	final = np.where(decision == "refer", np.where(rng.random(n) < overridden, "approve", "decline"), decision)
	rows = pd.DataFrame({"decision": decision, "final_decision": final, "is_readable": True, "model": "m 1"})
	return rows.assign(
		home_ownership=np.where(owns, "OWN", "RENT"),
		annual_income=60_000.0,
		employment_years=5.0,
		earliest_credit_line=pd.Timestamp("2000-01-01"),
		issue_month=pd.Timestamp("2015-01-01"),
		decided_at=pd.Timestamp("2026-11-15", tz="UTC"),
		probability_of_default=0.2,
	)


EARLIER = decide(n=8_000, seed=1)


def judge(recent, earlier=EARLIER):
	return check_conduct(recent, earlier, OPTIONS.conduct)


@pytest.mark.parametrize(
	("changes", "what"),
	[
		({"approve": 0.4, "owners": 0.4}, "approval_rate"),
		({"refer": 0.3}, "referral_rate"),
		({"overridden": 0.95}, "override_rate"),
	],
)
def test_a_share_that_moved_is_named_with_what_it_was(changes, what):
	found = judge(decide(**changes))

	assert alarms(found) == {("all decisions", what)}
	assert "in the months before" in by_figure(found)["all decisions", what].words


def test_decisions_that_cannot_be_made_any_more_are_an_alarm():
	broken = decide()
	broken.loc[:300, ["decision", "final_decision"]] = "invalid"

	assert ("all decisions", "invalid_share") in alarms(judge(broken))


def test_a_group_that_is_approved_more_seldom_is_an_alarm_unless_it_always_was():
	rarer = decide(approve=0.4)
	found = by_figure(judge(rarer))

	ratio = found["home_ownership", "approval_ratio"]
	assert ratio.verdict is Verdict.ALARM
	assert ratio.value == pytest.approx(0.4 / 0.6, abs=0.06)
	assert found["annual_income", "approval_ratio"].verdict is Verdict.CANNOT_TELL  # all have the same
	assert not alarms(judge(rarer, decide(n=8_000, approve=0.4, seed=1)))


def test_without_earlier_decisions_nothing_is_compared():
	found = by_figure(judge(decide(), EARLIER.head(0)))

	assert {check.verdict for check in found.values()} == {Verdict.CANNOT_TELL}
	assert found["all decisions", "approval_rate"].value == pytest.approx(0.6, abs=0.03)


def test_months_are_counted_with_the_models_that_decided():
	rows = decide(n=10)
	rows.loc[:3, "decided_at"] = pd.Timestamp("2026-10-31 23:59", tz="UTC")
	rows.loc[0, "model"] = "m 0"
	rows.loc[:3, "probability_of_default"] = np.nan

	first, second = tabulate_months(rows)

	assert (first["month"], first["n"], first["models"]) == ("2026-10", 4, ["m 0", "m 1"])
	assert (second["month"], second["n"]) == ("2026-11", 6)
	assert (first["mean_pd"], second["mean_pd"]) == (None, pytest.approx(0.2))
	assert sum(first[name] for name in ("approve", "refer", "decline", "invalid")) == 4
