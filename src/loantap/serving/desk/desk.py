"""The desk: model, policy and offers, refreshed in the background."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, Protocol

from loantap.features.definitions import DECIDES
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import Decider
from loantap.portfolio.errors import InputError
from loantap.serving.configured import Configured
from loantap.serving.desk.live_model import LiveModel, Loaded
from loantap.serving.desk.replay import PastPolicies, Replayer
from loantap.serving.desk.standing import Standing, make_standing

# For offers, since no grade exists yet.
OFFERS: Final = "application"
# Seconds: all processes follow a new policy within one.
_POLICY_SECONDS: Final = 0.2
# Seconds that the start waits for the registry.
_PATIENCE: Final = 5.0

logger = logging.getLogger(__name__)


class PolicyBook(PastPolicies, Protocol):
  """The policies, as the desk needs them."""

  def read_generation(self) -> int:
    """A number that is another one whenever another policy is in force."""

  def find_active(self) -> Decider:
    """What decides now."""


class NotReadyError(Exception):
  """Nothing can be decided; it says why and what to do."""


class Desk:
  """What decides, kept up to date by a look at the registry every `refresh_seconds`.

  `note_failure` is told where a look failed: at `registry` or `policies`. `note_state` is told after each look at the
  registry: 1 where it confirms the model, 0 where the last good one goes on, -1 where none decides.
  """

  def __init__(
    self,
    book: PolicyBook,
    configured: Configured,
    refresh_seconds: float,
    note_failure: Callable[[str], None],
    note_state: Callable[[int], None],
  ) -> None:
    self.lending = LiveModel(DECIDES)
    self.offers = LiveModel(OFFERS)
    self.replayer = Replayer(book)
    self._book = book
    self._configured = configured
    self._seconds = refresh_seconds
    self._note_failure = note_failure
    self._note_state = note_state
    self._standing: Standing | None = None
    self._trouble = "No model was looked for yet"
    self._made_of: tuple[Scorer | None, Scorer | None, int] | None = None
    self._stop = threading.Event()
    self._lock = threading.Lock()
    # One each: a slow registry delays no policy.
    self._pools = [ThreadPoolExecutor(1, f"refresh-{name}") for name in ("model", "policy")]

  @property
  def standing(self) -> Standing:
    """What decides now; `NotReadyError` without champion or policy."""
    standing = self._standing
    if standing is None:
      raise NotReadyError(self._trouble)
    return standing

  @property
  def trouble(self) -> str:
    """Why nothing can be decided; "" where it can."""
    return self._trouble if self._standing is None else ""

  def open(self, patience: float = _PATIENCE) -> None:
    """Look at registry (waiting `patience` seconds) and policies; again in the background."""
    self._settle(self._pools[0].submit(self._look_at_models), "registry", patience)
    self._settle(self._pools[1].submit(self.renew), "policies")
    for pool, look, of, seconds in (
      (self._pools[0], self._look_at_models, "registry", self._seconds),
      (self._pools[1], self.renew, "policies", _POLICY_SECONDS),
    ):
      name = f"keep-up-{of}"
      threading.Thread(target=self._keep_up, args=(pool, look, of, seconds), name=name, daemon=True).start()

  def close(self) -> None:
    """Stop looking."""
    self._stop.set()
    for pool in self._pools:
      pool.shutdown(wait=True, cancel_futures=True)

  def _keep_up(self, pool: ThreadPoolExecutor, look: Callable[[], None], of: str, seconds: float) -> None:
    while not self._stop.wait(seconds):
      self._settle(pool.submit(look), of)

  def _settle(self, look: Future[None], of: str, patience: float | None = None) -> None:
    """Wait for a look; the next is tried whatever goes wrong."""
    if not wait([look], patience).done:
      logger.warning("The %s has not answered within %g seconds", of, patience)
      return
    error = look.exception()
    if error is None:
      return
    self._note_failure(of)
    told = str(error) if isinstance(error, InputError) else type(error).__name__
    logger.warning("A look at %s failed: %s", of, told)
    if self._standing is None:
      self._trouble = told

  def _look_at_models(self) -> None:
    before = self.lending.failures + self.offers.failures
    changed = [model.refresh() for model in (self.lending, self.offers)]
    if self.lending.failures + self.offers.failures > before:
      self._note_failure("registry")
    loaded = self.lending.loaded
    self._note_state(-1 if loaded is None else 0 if loaded.doubt else 1)
    if any(changed):
      self.renew()

  def renew(self) -> None:
    """Make another standing where model or policy is another.

    Raises:
        InputError: they do not go together, or the policies cannot be read.
    """
    with self._lock:
      lending, offers = self.lending.loaded, self.offers.loaded
      made_of = (lending.scorer if lending else None, offers.scorer if offers else None, self._book.read_generation())
      if self._made_of is not None and all(map(_is_same, made_of, self._made_of)):
        return
      try:
        self._standing = self._make_standing(lending, offers)
      except InputError as error:
        # An unreadable policy leaves the one in force; a former champion never goes on
        # because the new one cannot be put to work.
        if self._made_of is None or self._made_of[0] is not made_of[0]:
          self._standing, self._trouble = None, str(error)
        raise
      self._made_of = made_of

  def _make_standing(self, lending: Loaded | None, offers: Loaded | None) -> Standing | None:
    if lending is None:
      self._trouble = self.lending.trouble
      return None
    standing = make_standing(
      lending.scorer,
      offers.scorer if offers else None,
      self._book.find_active(),
      self._configured.find_rules(lending.origin),
      self._configured.offers,
    )
    for loaded in (lending, offers):
      if loaded is not None:
        self.replayer.know(loaded.scorer)
    return standing


def _is_same(one: object, other: object) -> bool:
  """Scorers hold frames, which are not compared."""
  return one == other if isinstance(one, int) else one is other
