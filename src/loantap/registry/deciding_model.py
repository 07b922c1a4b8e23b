"""Which model decides on applications."""

from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.errors import InputError
from loantap.registry.loading import has_champion, load_best, load_champion
from loantap.registry.registered_this_run import find_registered


def load_deciding(namespace: str) -> Scorer:
  """The champion once the active run has ended: never a version that is not promoted.

  Raises:
      InputError: no champion is registered, or the run's version is not promoted and there is no
          other.
      RegistryDownError: the registry does not answer, and no champion was kept.
  """
  own = find_registered(namespace)
  if own is not None and own.promoted:
    trained, model = load_best(namespace, own.model)
    return Scorer(trained, model.name, model.version)
  if own is not None and not has_champion(namespace):
    raise InputError(
      f"model {own.model}",
      f"it was not promoted, so it makes no decisions ({own.reason})",
      "Run `--pipelines training` for its reports; score when there is a champion",
    )
  trained, model = load_champion(namespace)
  return Scorer(trained, model.name, model.version)
