"""What the routes work with."""

from dataclasses import dataclass

from loantap.serving.api.doors import Doors, Visitor
from loantap.serving.api.metrics import Metrics
from loantap.serving.api.parameters import require_known
from loantap.serving.audit.store import AuditStore
from loantap.serving.cases.cases import CaseQueue
from loantap.serving.desk.desk import Desk
from loantap.serving.help.offers import HelpOffers
from loantap.serving.help.watchlist import WatchlistFiles
from loantap.serving.policies.book import PolicyBook
from loantap.serving.settings import ServingSettings


@dataclass(frozen=True, slots=True)
class Office:
  """What the routes work with, one of each in a process."""

  settings: ServingSettings
  desk: Desk
  store: AuditStore
  doors: Doors
  metrics: Metrics
  book: PolicyBook
  cases: CaseQueue
  watch: WatchlistFiles
  offers: HelpOffers

  def enter(self, scope: str | None, *known: str) -> Visitor:
    """Who asks for the request at hand, which may have these parameters; see `Doors.enter`."""
    visitor = self.doors.enter(scope)
    require_known(known)
    return visitor
