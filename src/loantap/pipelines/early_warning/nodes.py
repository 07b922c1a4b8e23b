"""Nodes of the `early_warning` pipeline."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from loantap.features import outcomes
from loantap.policy.money.cash_flows import Economics
from loantap.portfolio.assembly import events_origin, portfolio_origin
from loantap.reporting import watchlist_page
from loantap.reporting.book import page
from loantap.reporting.book.page import BookOrigins
from loantap.surveillance.book import build as book
from loantap.surveillance.hazard import evaluation, fit
from loantap.surveillance.hazard.forecast import HazardModel, forecast
from loantap.surveillance.help import plan
from loantap.surveillance.options import EarlyWarningOptions
from loantap.surveillance.panel.build import build_panel_in_groups
from loantap.surveillance.watchlist import build
from loantap.tables.ordered import SomeTable


def build_loan_panel(
	loan_months: SomeTable, loans: pd.DataFrame, running_loans: pd.DataFrame, options: EarlyWarningOptions
) -> Iterator[pd.DataFrame]:
	"""What is known of each loan at the end of each month, from that month and earlier ones."""
	everyone = pd.concat([loans, running_loans])
	yield from build_panel_in_groups(loan_months, everyone, options.panel)


def measure_book(
	loan_months: SomeTable, loans: pd.DataFrame, running_loans: pd.DataFrame, options: EarlyWarningOptions
) -> dict[str, Any]:
	"""`book.json`: vintages, roll rates, arrears and concentration."""
	return book.measure_book(loan_months, loans, running_loans, options.as_of)


def render_book(book_figures: dict[str, Any], reconciliation: pd.DataFrame, options: EarlyWarningOptions) -> str:
	"""`book.html`: what a risk committee opens first."""
	return page.render_book(book_figures, _find_origins(reconciliation), options.as_of)


def find_outcomes(loan_months: SomeTable, loans: pd.DataFrame, running_loans: pd.DataFrame) -> pd.DataFrame:
	"""When each loan defaulted, was paid in full and was last seen."""
	return outcomes.find_outcomes(loan_months, loans, running_loans)


def fit_hazard(loan_panel: SomeTable, loan_outcomes: pd.DataFrame, options: EarlyWarningOptions) -> dict[str, Any]:
	"""Fit when loans default and are paid off."""
	return fit.fit_hazard(loan_panel, loan_outcomes, options.hazard).to_json()


def judge_hazard(
	hazard_model: dict[str, Any], loan_panel: SomeTable, loan_outcomes: pd.DataFrame, options: EarlyWarningOptions
) -> dict[str, Any]:
	"""Hold its forecasts against what came, on loans that it has not seen."""
	model = HazardModel.from_json(hazard_model)
	return evaluation.judge_hazard(model, loan_panel, loan_outcomes, options.hazard)


def list_loans(
	loan_panel: SomeTable,
	loan_outcomes: pd.DataFrame,
	running_loans: pd.DataFrame,
	hazard_model: dict[str, Any],
	economics: Economics,
	options: EarlyWarningOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
	"""Which running loans somebody should look at, in order, and which are not judged and why."""
	found = build.build_watchlist(
		loan_panel,
		running_loans,
		loan_outcomes,
		partial(forecast, HazardModel.from_json(hazard_model), months=12),
		economics.main_scenario.loss_given_default,
		options.watchlist,
	)
	return found.entries, found.situations, found.account


def plan_help(
	watchlist: pd.DataFrame, loan_panel: SomeTable, economics: Economics, options: EarlyWarningOptions
) -> pd.DataFrame:
	"""What to offer each borrower on the list, why, and what it costs and avoids."""
	default_days = options.panel.default_days
	return plan.plan_help(watchlist, loan_panel, economics.main_scenario, options.watchlist, options.help, default_days)


def render_watchlist(
	watchlist: pd.DataFrame,
	help_plans: pd.DataFrame,
	watchlist_account: dict[str, Any],
	reconciliation: pd.DataFrame,
	options: EarlyWarningOptions,
) -> str:
	"""`watchlist.html`: the list, each entry with its reason, for whoever deals with it."""
	source = options.watchlist.avoidable.source
	origins = _find_origins(reconciliation)
	return watchlist_page.render_watchlist(watchlist, help_plans, watchlist_account, origins, source)


def _find_origins(reconciliation: pd.DataFrame) -> BookOrigins:
	return BookOrigins(portfolio_origin(reconciliation), events_origin(reconciliation))
