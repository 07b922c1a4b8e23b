"""What became of a file of applicants: offers by kind, and why others got none."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from loantap.policy.scoring_account import ScoringAccount, account_for_scores

READ_COLUMNS: Final = ("application_id", "offer", "kind", "decision", "reason")


@dataclass(frozen=True, slots=True)
class OffersAccount:
  """What became of the applications of a file: by their best decision, by kind of offer, and why none."""

  applications: ScoringAccount
  decisions: dict[str, int]
  kinds: dict[str, int]
  no_offer: dict[str, int]

  def as_dict(self) -> dict[str, Any]:
    """For `offers_account.json`."""
    return self.applications.as_dict() | {"decisions": self.decisions, "kinds": self.kinds, "no_offer": self.no_offer}


def account_for_offers(batches: Iterable[pd.DataFrame], *, has_ids: bool) -> OffersAccount:
  """Count the offers, batches being in order, with `READ_COLUMNS`."""
  decisions: Counter[str] = Counter()
  kinds: Counter[str] = Counter()
  no_offer: Counter[str] = Counter()

  def count() -> Iterator[pd.DataFrame]:
    for batch in batches:
      # The first row of an application has its best decision.
      first = batch[batch["offer"] <= 1]
      decisions.update(first["decision"].astype("str"))
      kinds.update(batch["kind"].astype("str"))
      no_offer.update(first["reason"].astype("str")[first["decision"].eq("decline")])
      yield first.rename(columns={"reason": "reason_1"})

  applications = account_for_scores(count(), has_ids=has_ids)
  return OffersAccount(
    applications, dict(decisions.most_common()), dict(kinds.most_common()), dict(no_offer.most_common())
  )
