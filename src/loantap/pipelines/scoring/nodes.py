"""Nodes of the `scoring` pipeline."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from loantap.model.scoring.assessed import ApplicationTally
from loantap.model.scoring.scorer import Scorer
from loantap.policy.credit_policy import CreditPolicy, require_in_force
from loantap.policy.decisions import make_decider
from loantap.policy.lab.recommendations import choose_rules, doubt_rules
from loantap.policy.lab.rules import RuleTally, keep_readable, source_columns
from loantap.policy.money.cash_flows import Economics
from loantap.policy.options import ScoringOptions
from loantap.policy.score_table import APPLICATION_ID, SCORE_COLUMNS, date_decisions
from loantap.policy.scoring_account import COUNTED_COLUMNS, account_for_scores, require_few_invalid
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.loantap_format import require_names
from loantap.tables.rows import Batches, MappedFile, Rows

logger = logging.getLogger(__name__)


def score_applications(
	applications: Rows,
	scorer: Scorer,
	options: ScoringOptions,
	policy: CreditPolicy,
	economics: Economics,
	recommendations: dict[str, Any] | None,
) -> Iterator[pd.DataFrame | MappedFile]:
	"""PD, score, decision and reasons, one row per application, in the order given."""
	require_in_force(policy, options.as_of)
	origin = scorer.trained.facts.origin
	rules, others = choose_rules(recommendations, options.recommendations, origin=origin)
	for doubt in doubt_rules(recommendations, options.recommendations):
		logger.warning(doubt)
	underwriter = Underwriter(scorer, make_decider(policy, economics), rules)
	require_names(applications.columns, underwriter.needed, "applications")
	tally = ApplicationTally()
	rule_tally = RuleTally(keep_readable(others, applications.columns))
	columns = dict.fromkeys((*underwriter.columns, *source_columns(rule_tally.rules)))
	underwrite = partial(underwriter.underwrite_batch, as_of=options.day, tally=tally, rule_tally=rule_tally)
	yield from applications.map(underwrite, tuple(columns))
	# Of rows that other machines scored the tallies hold nothing.
	tally.units.require_known_units("applications")
	for warning in tally.describe():
		logger.warning(warning)
	for told in rule_tally.describe():
		logger.info(told)


def account_for_applications(scores: Batches, applications: Rows, options: ScoringOptions) -> dict[str, Any]:
	"""How many rows cannot be scored, and why; too many stop the run."""
	has_ids = APPLICATION_ID in applications.columns
	account = account_for_scores(scores.read(COUNTED_COLUMNS), has_ids=has_ids)
	require_few_invalid(account, options.max_invalid_share)
	return account.as_dict()


def publish_decisions(scores: Batches, account: dict[str, Any], options: ScoringOptions) -> Iterator[pd.DataFrame]:
	"""The run's decisions for the warehouse; none where applications have no ids of their own."""
	if not account["has_ids"]:
		# Row numbers of one file would take the place of another's.
		logger.info("The file has no %s: its decisions are not written back", APPLICATION_ID)
		return
	for batch in scores.read(SCORE_COLUMNS):
		decisions = date_decisions(batch, options.day)
		if len(decisions):
			yield decisions
