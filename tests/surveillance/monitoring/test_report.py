import json
from datetime import date, timedelta
from typing import get_args

import pytest
from pydantic import ValidationError

from loantap.surveillance.monitoring.checks import AlertRule, Check, Kind, Verdict, match_rules
from loantap.surveillance.monitoring.report import Action, extend_history, find_rows_before, recommend
from loantap.surveillance.monitoring.systems import (
	ServiceCounts,
	SourceState,
	check_service,
	check_sources,
	find_counts_before,
	find_quantile,
	keep_counts,
)
from loantap.surveillance.schemas import MONITORING_HISTORY
from tests.surveillance.monitoring.options import OPTIONS, alarms, by_figure

DAY = date(2026, 11, 30)


def alarm(what, subject="dti_pct", verdict=Verdict.ALARM, **more):
	return Check(subject=subject, what=what, verdict=verdict, value=0.3, n=2_000, words=f"{subject}: {what}", **more)


QUIET, UNTOLD = alarm("psi", verdict=Verdict.QUIET), alarm("psi", verdict=Verdict.CANNOT_TELL)
MOVED = [alarm("psi", name) for name in ("dti_pct", "purpose", "term_months")]


@pytest.mark.parametrize(
	("checks", "action"),
	[
		([QUIET, UNTOLD], Action.NONE),
		([UNTOLD], Action.CANNOT_TELL),
		([UNTOLD, alarm("unread_days", "loans", verdict=Verdict.QUIET)], Action.CANNOT_TELL),
		([QUIET, alarm("roc_auc", "issued 2014")], Action.RETRAIN),
		([alarm("calibration"), alarm("missing")], Action.RETRAIN),
		([alarm("expected_auc")], Action.RETRAIN),
		([alarm("expected_auc"), alarm("missing")], Action.MEND_DATA),
		([*MOVED, alarm("missing")], Action.MEND_DATA),
		([alarm("unread_days", "loans")], Action.MEND_DATA),
		(MOVED, Action.RETRAIN),
		([*MOVED[:2], alarm("mean", "dti_pct")], Action.LOOK),
		([alarm("psi", "score")], Action.RETRAIN),
		([alarm("approval_rate", "all decisions")], Action.LOOK),
	],
)
def test_training_anew_is_recommended_for_a_reason_and_after_the_data_is_mended(checks, action):
	found = recommend(checks)

	assert found.action is action
	assert bool(found.reasons) == (action not in (Action.NONE, Action.CANNOT_TELL))


def test_each_alarm_is_told_by_the_first_rule_that_takes_it_once():
	checks = [*MOVED, alarm("mean", "dti_pct"), alarm("psi", "score"), QUIET]
	found = match_rules(checks, OPTIONS.alerts, DAY).findings

	assert [(each.rule, each.subject) for each in found] == [
		("applicants_moved", "dti_pct"),
		("applicants_moved", "purpose"),
		("applicants_moved", "term_months"),
		("score_moved", "score"),
	]
	assert found[3].owner == "data science"


@pytest.mark.parametrize(("others", "quiet"), [([], True), ([UNTOLD], False), ([alarm("mean")], False)])
def test_a_rule_is_quiet_on_what_was_judged_whole(others, quiet):
	found = match_rules([QUIET, *others], OPTIONS.alerts, DAY).quiet

	assert found == ((("applicants_moved", "dti_pct"),) if quiet else ())


def test_a_rule_with_a_limit_takes_larger_alarms_only():
	rule = OPTIONS.alerts["applicants_moved"]

	assert rule.model_copy(update={"limit": 0.3}).takes(MOVED[0])
	assert not rule.model_copy(update={"limit": 0.31}).takes(MOVED[0])


def test_every_kind_of_alarm_has_a_rule():
	kinds = {what for rule in OPTIONS.alerts.values() for what in rule.what}

	assert kinds == set(get_args(Kind)) - {"expected_default_rate"}


@pytest.mark.parametrize("changes", [{"what": ["psii"]}, {"what": []}, {"channels": []}])
def test_a_rule_that_would_tell_nobody_of_anything_is_refused(changes):
	given = OPTIONS.alerts["score_moved"].model_dump() | changes

	with pytest.raises(ValidationError, match=next(iter(changes))):
		AlertRule.model_validate(given)


def test_history_keeps_every_day_once():
	first = extend_history(None, MOVED, DAY)
	again = extend_history(first, [MOVED[0]], DAY)
	both = extend_history(again, MOVED, DAY - timedelta(days=30))

	assert (len(first), len(again), len(both)) == (3, 1, 4)
	assert both["as_of"].is_monotonic_increasing
	MONITORING_HISTORY.validate(both)


STATE = SourceState("loans", 1_000, DAY - timedelta(days=40), DAY - timedelta(days=7))


def judge_source(state, before=1_000, day=DAY, *, simulated=False):
	return list(check_sources([state], {"loans": before}, day, OPTIONS.sources, simulated=simulated))


@pytest.mark.parametrize(
	("state", "before", "alarmed"),
	[
		(STATE, 1_000, set()),
		(SourceState("loans", 1_000, STATE.last_update, DAY - timedelta(days=8)), 1_000, {"unread_days"}),
		(SourceState("loans", 1_000, DAY - timedelta(days=41), DAY), 1_000, {"days_behind"}),
		(STATE, 1_020, set()),
		(STATE, 1_021, {"rows"}),
		(SourceState("loans", None, None, None), 1_000, {"unread_days"}),
	],
)
def test_a_source_that_is_late_behind_shrunk_or_gone_is_an_alarm(state, before, alarmed):
	assert alarms(judge_source(state, before)) == {("loans", what) for what in alarmed}


def test_the_age_of_simulated_rows_is_not_asked():
	old = SourceState("loans", 1_000, date(2017, 3, 1), DAY)

	assert ("loans", "days_behind") not in by_figure(judge_source(old, simulated=True))


@pytest.mark.parametrize(("days", "verdict"), [(1, Verdict.QUIET), (2, Verdict.CANNOT_TELL)])
def test_of_a_source_whose_clock_is_ahead_by_more_than_a_day_nothing_is_told(days, verdict):
	ahead = SourceState("loans", 1_000, DAY, DAY + timedelta(days=days))

	assert by_figure(judge_source(ahead))["loans", "unread_days"].verdict is verdict


def test_rows_are_compared_with_the_most_of_three_months_so_that_a_loss_is_not_forgotten_the_next_day():
	history = None
	for days, rows in ((93, 9_000), (2, 950), (1, 900), (0, 970)):
		day = DAY - timedelta(days=days)
		history = extend_history(history, judge_source(SourceState("loans", rows, day, day), day=day), day)

	assert find_rows_before(history, DAY) == {"loans": 950}
	assert find_rows_before(None, DAY) == {}


@pytest.mark.parametrize(
	("failed", "slow", "alarmed"), [(1, 9, set()), (2, 9, {"error_share"}), (1, 20, {"p99_seconds"})]
)
def test_an_api_that_fails_or_is_slow_is_an_alarm(failed, slow, alarmed):
	counts = ServiceCounts({"200": 1_000 - failed, "500": failed}, [(0.1, 1_000 - slow), (0.5, 1_000)])

	assert alarms(check_service(counts, None, OPTIONS.service)) == {("API", what) for what in alarmed}


def test_what_an_api_counted_before_hides_no_failure_unless_it_started_anew():
	good = ServiceCounts({"200": 10_000_000}, [(0.2, 10_000_000), (float("inf"), 10_000_000)])
	kept = keep_counts([], good, DAY - timedelta(days=1))
	later = ServiceCounts({"200": 10_000_000, "500": 5_000}, [(0.2, 10_000_000), (float("inf"), 10_005_000)])
	kept = keep_counts(keep_counts(kept, later, DAY), later, DAY)
	before = find_counts_before(json.loads(json.dumps(kept)), DAY)

	found = by_figure(check_service(later, before, OPTIONS.service))
	assert [(check.verdict, check.n) for check in found.values()] == [(Verdict.ALARM, 5_000)] * 2
	anew = ServiceCounts({"200": 1_000}, [(0.1, 1_000), (float("inf"), 1_000)])
	assert {(check.verdict, check.n) for check in check_service(anew, before, OPTIONS.service)} == {
		(Verdict.QUIET, 1_000)
	}


def test_an_api_that_was_hardly_asked_is_not_judged():
	found = check_service(ServiceCounts({"500": 999}, []), None, OPTIONS.service)

	assert {check.verdict for check in found} == {Verdict.CANNOT_TELL}


@pytest.mark.parametrize(("share", "seconds"), [(0.25, 0.05), (0.5, 0.1), (0.75, 0.3), (0.9, 0.5), (1.0, 0.5)])
def test_a_quantile_is_linear_within_its_bucket_and_ends_where_the_last_begins(share, seconds):
	cumulative = [(0.1, 50), (0.3, 75), (0.5, 90), (float("inf"), 100)]

	assert find_quantile(cumulative, share) == pytest.approx(seconds)
