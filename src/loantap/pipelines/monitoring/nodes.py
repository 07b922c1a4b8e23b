"""Nodes of the `monitoring` pipeline."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from loantap.model.scoring.scorer import Scorer
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import Decider
from loantap.policy.money.cash_flows import Economics
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting import monitoring_page
from loantap.surveillance.monitoring import conduct, decisions, drift, performance, report, systems
from loantap.surveillance.monitoring.checks import Check, match_rules
from loantap.surveillance.monitoring.decisions import DecisionReader, WatchedModel, Window
from loantap.surveillance.monitoring.options import MonitoringOptions
from loantap.tables.rows import Batches, Rows


def gather_decisions(
	decision_reader: DecisionReader,
	applications: Rows | None,
	scores: Batches | None,
	scorer: Scorer,
	options: MonitoringOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, WatchedModel]:
	"""Decisions of the window and before, of the log or of a file that was scored; older ones; the watched model."""
	window, watched = Window.ending(options), WatchedModel.of(scorer)
	older: Iterable[pd.DataFrame] = ()
	if applications is not None and scores is not None:
		told = pd.concat(scores.read([*decisions.DECISION_COLUMNS, "model_name", "model_version"]), ignore_index=True)
		batches = decisions.join_applications(told, applications, window.day)
	else:
		batches = decision_reader(window.first, window.end)
		older = decision_reader(window.oldest, window.first)
	monitored = decisions.gather_decisions(batches, watched.features, window.day)
	return monitored, decisions.gather_older(older), watched


def check_drift(monitored: pd.DataFrame, watched: WatchedModel, options: MonitoringOptions) -> list[Check]:
	"""Whether recent applications are still like those of the training."""
	recent = Window.ending(options).pick_recent(monitored)
	return drift.check_drift(drift.compare_features(recent, watched.profile, watched.name), options.drift)


def check_performance(
	monitored: pd.DataFrame,
	older: pd.DataFrame,
	loans: pd.DataFrame,
	watched: WatchedModel,
	policy: CreditPolicy,
	economics: Economics,
	options: MonitoringOptions,
) -> list[Check]:
	"""Whether the model is right, expected and realised, and what the policy in force would have earned."""
	window, profile = Window.ending(options), watched.profile
	decider = Decider(policy, policy.find_scenario(economics))
	decided = pd.concat([older, monitored[older.columns]], ignore_index=True)
	matured = performance.join_outcomes(decided, loans, window.day)
	return [
		*performance.check_expected(window.pick_recent(monitored), profile, watched.name, options.performance),
		*performance.check_matured(matured, profile, watched.name, options.performance),
		performance.check_money(matured, decider, economics, options.performance),
	]


def check_conduct(monitored: pd.DataFrame, options: MonitoringOptions) -> list[Check]:
	"""Whether decisions are made as in the months before."""
	window = Window.ending(options)
	return conduct.check_conduct(window.pick_recent(monitored), window.pick_earlier(monitored), options.conduct)


def check_sources(
	source_states: Sequence[systems.SourceState],
	history_before: pd.DataFrame | None,
	reconciliation: pd.DataFrame,
	options: MonitoringOptions,
) -> list[Check]:
	"""Whether the sources still deliver."""
	before = report.find_rows_before(history_before, options.as_of)
	simulated = portfolio_origin(reconciliation) != "real"
	return list(systems.check_sources(source_states, before, options.as_of, options.sources, simulated=simulated))


def check_service(
	service_counts: systems.ServiceCounts | None, report_before: dict[str, Any] | None, options: MonitoringOptions
) -> list[Check]:
	"""Whether the API answers; nothing where nobody saved its counters."""
	if service_counts is None:
		return []
	before = systems.find_counts_before((report_before or {}).get("service", ()), options.as_of)
	return list(systems.check_service(service_counts, before, options.service))


def report_monitoring(
	monitored: pd.DataFrame,
	watched: WatchedModel,
	options: MonitoringOptions,
	history_before: pd.DataFrame | None,
	service_counts: systems.ServiceCounts | None,
	report_before: dict[str, Any] | None,
	**checked: list[Check],
) -> tuple[dict[str, Any], pd.DataFrame, dict[str, Any]]:
	"""`monitoring.json`, the checks of all runs so far, and `alerts.json`, which `loantap-alerts` delivers."""
	checks = [check for group in checked.values() for check in group]
	counts = Window.ending(options).describe(monitored, watched)
	months = list(conduct.tabulate_months(monitored))
	service = systems.keep_counts((report_before or {}).get("service", ()), service_counts, options.as_of)
	found = report.report_monitoring(checks, months, counts, service, options.as_of)
	alerts = match_rules(checks, options.alerts, options.as_of)
	return found, report.extend_history(history_before, checks, options.as_of), alerts.model_dump(mode="json")


def render_monitoring(monitoring_report: dict[str, Any], monitoring_history: pd.DataFrame) -> str:
	"""`monitoring.html`: alarms first, then every check."""
	return monitoring_page.render_monitoring(monitoring_report, monitoring_history)
