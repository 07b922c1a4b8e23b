"""A lock keeps the hashes of those files that a machine we support may install, a line a pin.

	python -m tools.narrow_locks files.pylock.toml requirements.txt requirements/run.txt ...

Which hash belongs to which file uv tells in pylock.toml, which names the index and so is never
kept. A source distribution stays where one of our machines has no wheel. Standard library only.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tools.slim_locks import name_pin, read_pins

_MINORS: Final = (11, 12, 13)
_ABIS: Final = frozenset({"none", "abi3", *(f"cp3{minor}" for minor in _MINORS)})
# Linux with the GNU C library, and macOS on Apple's processors.
_PLATFORMS: Final = (
	re.compile(r"any|(many)?linux\w*_x86_64"),
	re.compile(r"any|(many)?linux\w*_aarch64"),
	re.compile(r"any|macosx_\w+_(arm64|universal2)"),
)
_WINDOWS: Final = r"(os_name == 'nt'|sys_platform == 'win32')"
_ON_WINDOWS_ALONE: Final = re.compile(rf".* ; {_WINDOWS}( or {_WINDOWS})*")
_HASH: Final = re.compile(r"--hash=(\S+)")


def is_installable(wheel: str) -> bool:
	"""Whether a machine we support may install a wheel, by its file name.

	CPython 3.11 to 3.13 with the GIL; Linux (glibc) on x86_64 and aarch64, macOS on arm64.
	"""
	return bool(_find_machines(wheel))


def _find_machines(wheel: str) -> set[tuple[int, int]]:
	"""Pairs of a Python and a platform of ours."""
	pythons, abis, platforms = wheel.removesuffix(".whl").rsplit("-", 3)[1:]
	if _ABIS.isdisjoint(abis.split(".")):
		return set()
	return {
		(minor, at)
		for minor in _MINORS
		if any(_runs(python, abis, minor) for python in pythons.split("."))
		for at, platform in enumerate(_PLATFORMS)
		if any(map(platform.fullmatch, platforms.split(".")))
	}


def _runs(python: str, abis: str, minor: int) -> bool:
	"""Whether a Python 3 takes a wheel for this one; stable ABIs suit later ones."""
	found = re.fullmatch(r"(?:py|cp)3(\d*)", python)
	if found is None:
		return False
	oldest = int(found[1] or 0)
	is_for_later = python.startswith("py") or "abi3" in abis.split(".")
	return oldest == minor or (is_for_later and oldest < minor)


def find_used(pylock: Mapping[str, Any]) -> dict[str, frozenset[str]]:
	"""The hashes, as locks write them, of files that a machine we support may install.

	By requirement (`name==version`); none where a package has no file for these machines.
	"""
	return {f"{package['name']}=={package['version']}": frozenset(_list_used(package)) for package in pylock["packages"]}


def _list_used(package: Mapping[str, Any]) -> Iterator[str]:
	without_wheel = {(minor, at) for minor in _MINORS for at in range(len(_PLATFORMS))}
	for wheel in package.get("wheels", ()):
		machines = _find_machines(wheel["url"].rpartition("/")[2])
		without_wheel -= machines
		if machines:
			yield f"sha256:{wheel['hashes']['sha256']}"
	if without_wheel and "sdist" in package:
		yield f"sha256:{package['sdist']['hashes']['sha256']}"


def narrow(lock: str, used: Mapping[str, frozenset[str]]) -> str:
	"""A lock without hashes that are not used, and without pins for Windows alone, a line a pin.

	`used` has hashes by requirement; a pin it does not know, or that would lose all, stays.

	Raises:
		ValueError: a line that is no header, requirement, hash or reason.
	"""
	pins = read_pins(re.sub(r"(?m)^-r .*\n", "", lock))
	for requirement, lines in pins.items():
		kept = used.get(requirement.partition(" ;")[0], frozenset())
		is_needed = not _ON_WINDOWS_ALONE.fullmatch(requirement)
		lock = lock.replace(lines, _keep(lines, kept) if is_needed else "")
	return lock


def _keep(lines: str, used: frozenset[str]) -> str:
	found = _HASH.findall(lines)
	kept = [each for each in found if each in used] or found
	reasons = [line for line in lines.splitlines() if line.startswith("    #")]
	pin = " ".join([name_pin(lines), *(f"--hash={each}" for each in kept)])
	return "\n".join([pin, *reasons, ""])


def main(paths: Sequence[str]) -> None:
	"""Narrow the locks named after the pylock, in place."""
	described, *locks = map(Path, paths)
	used = find_used(tomllib.loads(described.read_text("utf-8")))
	for path in locks:
		path.write_text(narrow(path.read_text("utf-8"), used), "utf-8")


if __name__ == "__main__":
	main(sys.argv[1:])
