import re
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import PROJECT
from tests.shipping.conftest import TARGETS

LOCKS = PROJECT / "requirements"
# Of these an image has the package alone; the Dockerfile says why.
ALONE = {"api": {"mlflow", "databricks-sdk", "skops"}, "batch": {"cvxpy"}}


def names_of(image):
  return (LOCKS / f"image-{image}.names").read_text().split()


def list_needs(name):
  """The packages it needs on Linux, those of its extras aside; none where it is not installed."""
  try:
    needs = map(Requirement, requires(name) or ())
  except PackageNotFoundError:
    return set()
  environment = {"extra": "", "sys_platform": "linux", "platform_machine": "x86_64"}
  return {canonicalize_name(each.name) for each in needs if each.marker is None or each.marker.evaluate(environment)}


@pytest.mark.parametrize("image", [*TARGETS, "build"])
def test_each_name_has_one_pin(image):
  files = [PROJECT / "requirements.txt"]
  files += [LOCKS / f"{name}.txt" for name in ("run", "serving", "sources")]
  lines = {line for path in files for line in path.read_text().splitlines()}
  pinned = [m[0] for line in lines if (m := re.match(r"[a-z0-9][a-z0-9._-]*(?===)", line))]
  names = names_of(image)

  assert names == sorted(set(names))
  assert [name for name in names if pinned.count(name) != 1] == []


@pytest.mark.parametrize("image", TARGETS)
def test_what_a_package_needs_is_in_the_image(image):
  names = set(names_of(image))
  alone = ALONE.get(image, set())
  absent = {name: list_needs(name) - names for name in names - alone}

  assert {name: needs for name, needs in absent.items() if needs} == {}
