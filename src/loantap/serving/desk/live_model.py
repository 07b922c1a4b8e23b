"""The champion of a namespace, kept up to date while it is used."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError
from loantap.registry.loading import find_best_champion, load_champion
from loantap.registry.models import ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
  """A model that decides.

  `doubt` is why it may not be the champion now; "" where the registry's last answer said so.
  """

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

  A new model replaces the old one when it is whole. The registry is asked before one first decides, so that no copy
  of a demo or former champion does; where it is down, the last good champion of its own name goes on.
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
