"""The desk: champions, policy and offers, refreshed in the background."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from loantap.features.definitions import DECIDES
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import Decider
from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError
from loantap.registry.loading import find_best_champion, load_champion
from loantap.registry.models import ModelVersion
from loantap.serving.configured import Configured
from loantap.serving.desk.replay import PastPolicies, Replayer
from loantap.serving.desk.standing import Standing, make_standing


@dataclass(frozen=True, slots=True)
class Loaded:
	"""A model that decides; `doubt` is why it may not be the champion now, "" for none."""

	scorer: Scorer
	loaded_at: datetime
	doubt: str = ""

	@property
	def version(self) -> ModelVersion:
		"""Which version it is."""
		return ModelVersion(self.scorer.name, self.scorer.version)

	@property
	def origin(self) -> str:
		"""Of its training loans."""
		return self.scorer.trained.facts.origin


class LiveModel:
	"""The champion of a namespace: loaded by alias, looked for again at each `refresh`.

	The registry is asked before one first decides, so that no copy of a demo or former champion does; where it is down,
	the last good champion goes on.
	"""

	def __init__(self, namespace: str) -> None:
		self.namespace = namespace
		self.failures = 0
		self._loaded: Loaded | None = None
		self._trouble = "the registry has not answered yet; it is asked on"

	@property
	def loaded(self) -> Loaded | None:
		"""The model in use; None where none may decide."""
		return self._loaded

	@property
	def trouble(self) -> str:
		"""Why none may decide."""
		return self._trouble

	def refresh(self) -> bool:
		"""Look which version is champion and load it; whether it is another."""
		before = self._loaded
		try:
			champion = find_best_champion(self.namespace)
		except RegistryDownError as error:
			self._tell(error)
			if before is not None:
				self._loaded = replace(before, doubt=str(error))
				return False
			return self._load(None, str(error))
		if before is not None and before.version == champion:
			self._loaded = replace(before, doubt="")
			return False
		return self._load(champion, "")

	def _load(self, champion: ModelVersion | None, doubt: str) -> bool:
		before = self._loaded
		try:
			trained, version = load_champion(self.namespace)
		except InputError as error:
			self._tell(error)
			self._trouble = str(error)
			# No demo model goes on in the place of a real one.
			if before and champion and before.version.name == champion.name:
				self._loaded = replace(before, doubt=str(error))
				return False
			self._loaded = None
			return before is not None
		if champion is not None and version != champion:
			doubt = f"{champion} is champion and cannot be loaded"
		if before is not None and before.version == version:
			self._loaded = replace(before, doubt=doubt)
			return False
		scorer = Scorer(trained, version.name, version.version)
		self._loaded = Loaded(scorer, datetime.now(UTC), doubt)
		logger.info("%s decides for %s", version, self.namespace)
		return True

	def _tell(self, error: InputError) -> None:
		self.failures += 1
		logger.warning("%s", error)


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

	`note_failure` is told where a look failed: at `registry` or `policies`. `note_state` is told after each: 1 where the
	registry confirms the model, 0 where the last good one goes on, -1 where none decides.
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
		"""The next look is tried whatever goes wrong."""
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

		`InputError` where they do not go together, or the policies cannot be read.
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
