import pytest

from loantap.surveillance.hazard.fit import fit_hazard
from tests.surveillance.hazard.world import OPTIONS, simulate


@pytest.fixture(scope="package")
def known_world():
  return simulate(3_000, seed=11)


@pytest.fixture(scope="package")
def fitted(known_world):
  return fit_hazard(*known_world, OPTIONS)
