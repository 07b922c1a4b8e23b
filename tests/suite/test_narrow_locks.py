import re
import tomllib

import pytest

from tests.conftest import PROJECT
from tools import narrow_locks
from tools.narrow_locks import find_used, is_installable, narrow
from tools.slim_locks import read_pins

NUMPY = "numpy==2.4.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via pandas\n"
COLORAMA = "colorama==0.4 ; os_name == 'nt' or sys_platform == 'win32' \\\n    --hash=sha256:cc\n"
GUNICORN = "gunicorn==26 ; sys_platform != 'win32' \\\n    --hash=sha256:cc\n"
PYLOCK = """
[[packages]]
name = "numpy"
version = "2.4.0"
sdist = { url = "https://example.org/numpy-2.4.0.tar.gz", hashes = { sha256 = "bb" } }
wheels = [
    { url = "https://example.org/numpy-2.4.0-py3-none-win32.whl", hashes = { sha256 = "aa" } },
]

[[packages]]
name = "colorama"
version = "0.4"
wheels = [
    { url = "https://example.org/colorama-0.4-py3-none-win32.whl", hashes = { sha256 = "cc" } },
]

[[packages]]
name = "py4j"
version = "0.10"
sdist = { url = "https://example.org/py4j-0.10.tar.gz", hashes = { sha256 = "dd" } }
"""


@pytest.mark.parametrize(
  "tags",
  [
    "py2.py3-none-any",
    "py311-none-any",
    "cp313-cp313-manylinux_2_28_aarch64",
    "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp312-cp312-macosx_11_0_arm64",
    "cp39-abi3-manylinux2014_x86_64",
    "cp312-abi3-macosx_10_9_universal2",
    "py3-none-linux_x86_64",
  ],
)
def test_a_wheel_for_a_system_we_support_stays(tags):
  assert is_installable(f"some_package-1.0-{tags}.whl")
  assert is_installable(f"some_package-1.0-2build-{tags}.whl")


@pytest.mark.parametrize(
  "tags",
  [
    "cp310-cp310-manylinux2014_x86_64",
    "cp314-abi3-manylinux2014_x86_64",
    "cp313-cp313t-manylinux2014_x86_64",
    "cp39-none-manylinux2014_x86_64",
    "cp311-cp311-musllinux_1_2_x86_64",
    "cp311-cp311-manylinux2014_i686",
    "cp311-cp311-macosx_10_9_x86_64",
    "cp311-cp311-win_amd64",
    "py2-none-any",
  ],
)
def test_a_wheel_for_another_system_goes(tags):
  assert not is_installable(f"some_package-1.0-{tags}.whl")


def test_hashes_that_are_not_used_and_pins_for_windows_go_and_everything_else_stays(tmp_path):
  described, lock = tmp_path / "files.toml", tmp_path / "lock.txt"
  described.write_text(PYLOCK, "utf-8")
  lock.write_text("# made\n-r run.txt\n" + NUMPY + COLORAMA + GUNICORN, "utf-8")

  narrow_locks.main([str(described), str(lock)])

  assert lock.read_text("utf-8") == (
    "# made\n-r run.txt\nnumpy==2.4.0 --hash=sha256:bb\n    # via pandas\n"
    "gunicorn==26 ; sys_platform != 'win32' --hash=sha256:cc\n"
  )


def test_another_version_keeps_its_hashes():
  used = {"numpy==2.5.0": frozenset({"sha256:aa"})}

  assert narrow(NUMPY, used) == ("numpy==2.4.0 --hash=sha256:aa --hash=sha256:bb\n    # via pandas\n")
  assert narrow(NUMPY, {"numpy==2.4.0": frozenset({"sha256:aa"})}) == (
    "numpy==2.4.0 --hash=sha256:aa\n    # via pandas\n"
  )


def test_a_source_distribution_is_used_where_there_is_no_wheel():
  assert find_used(tomllib.loads(PYLOCK)) == {
    "numpy==2.4.0": frozenset({"sha256:bb"}),
    "colorama==0.4": frozenset(),
    "py4j==0.10": frozenset({"sha256:dd"}),
  }


LINUX = ["abi3-manylinux2014_x86_64", "abi3-manylinux2014_aarch64"]


@pytest.mark.parametrize(
  ("tags", "is_built"),
  [
    (["cp311-abi3-macosx_11_0_arm64", *(f"cp39-{each}" for each in LINUX)], False),
    (["cp312-abi3-macosx_11_0_arm64", *(f"cp39-{each}" for each in LINUX)], True),
    ([f"cp39-{each}" for each in LINUX], True),
  ],
)
def test_a_source_distribution_is_used_if_one_machine_has_no_wheel(tags, is_built):
  wheels = [{"url": f"https://example.org/x-1-{each}.whl", "hashes": {"sha256": each}} for each in tags]
  sdist = {"url": "https://example.org/x-1.tar.gz", "hashes": {"sha256": "source"}}
  package = {"name": "x", "version": "1", "wheels": wheels, "sdist": sdist}

  assert ("sha256:source" in find_used({"packages": [package]})["x==1"]) == is_built


def test_no_lock_holds_as_many_hashes_for_a_pin_as_there_are_systems():
  """About twelve wheels: three Pythons, three platforms, some for two ages of a system."""
  for path in (PROJECT / "requirements.txt", *PROJECT.glob("requirements/*.txt")):
    lock = re.sub(r"(?m)^-r .*\n", "", path.read_text("utf-8"))
    for requirement, lines in read_pins(lock).items():
      assert 1 <= lines.count("--hash=") <= 15, requirement
