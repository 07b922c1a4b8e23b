"""Nodes of the `offers` pipeline."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from loantap.model.scoring.assessed import ApplicationTally
from loantap.model.scoring.scorer import Scorer
from loantap.policy.credit_policy import CreditPolicy, require_in_force
from loantap.policy.decisions import make_decider
from loantap.policy.money.cash_flows import Economics
from loantap.policy.offers.maker import OfferMaker
from loantap.policy.options import OffersOptions
from loantap.policy.score_table import APPLICATION_ID
from loantap.policy.scoring_account import COUNTED_OF_OFFERS, account_for_offers, require_few_invalid
from loantap.portfolio.loantap_format import require_names
from loantap.tables.rows import Batches, MappedFile, Rows


def make_offers(
	applications: Rows, scorer: Scorer, policy: CreditPolicy, economics: Economics, options: OffersOptions
) -> Iterator[pd.DataFrame | MappedFile]:
	"""Amount, term and rate of at most three offers per application, in the order given."""
	require_in_force(policy, options.as_of)
	maker = OfferMaker(scorer, options, make_decider(policy, economics))
	require_names(applications.columns, scorer.columns, "applications")
	tally = ApplicationTally()
	make = partial(maker.make_offers_batch, as_of=options.day, tally=tally)
	yield from applications.map(make, maker.columns)
	tally.units.require_known_units("applications")


def account_for_applications(offers: Batches, applications: Rows, options: OffersOptions) -> dict[str, Any]:
	"""How many applications have no offer or cannot be scored, and why; too many stop the run."""
	has_ids = APPLICATION_ID in applications.columns
	account = account_for_offers(offers.read(COUNTED_OF_OFFERS), has_ids=has_ids)
	require_few_invalid(account.applications, options.max_invalid_share)
	return account.as_dict()
