"""Each lock keeps only what it adds to the lock it is installed with.

	python -m tools.slim_locks requirements/run.txt requirements/serving.txt ...
	python -m tools.slim_locks --include requirements/run.txt ... requirements.txt

With --include the last lock is slimmed, and names the others, so that it is installed by itself.
Standard library only.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(?===)")


class LocksDisagreeError(ValueError):
	"""Two locks that are installed together pin one package differently."""


def read_pins(lock: str) -> dict[str, str]:
	"""The pins of a lock as uv writes it: lines by requirement (name, version and marker).

	Raises:
		ValueError: a line that is no header, requirement, hash or reason.
	"""
	pins: dict[str, str] = {}
	requirement = ""
	for line in lock.splitlines(keepends=True):
		if _NAME.match(line):
			requirement = name_pin(line)
			pins[requirement] = line
		elif requirement and line.startswith("    "):
			pins[requirement] += line
		elif not line.startswith("#"):
			raise ValueError(f"{line.rstrip()!r} is no line of a lock that uv compiled")
	return pins


def name_pin(lines: str) -> str:
	"""Name, version and marker of a pin."""
	return re.split(r"--hash=|\\?\n", lines, maxsplit=1)[0].rstrip()


def keep_additions(lock: str, base: str) -> str:
	"""A lock's header and the pins that `base` does not have; a slimmed lock stays.

	Raises:
		LocksDisagreeError: a package has another version or marker in `base`, or no hash there that
			the lock has.
	"""
	pins, known = read_pins(lock), read_pins(base)
	versions = {_name(requirement): requirement for requirement in known}
	for requirement, lines in pins.items():
		other = versions.get(_name(requirement), requirement)
		if other != requirement or _hashes(lines) != _hashes(known.get(requirement, lines)):
			raise LocksDisagreeError(
				f"{requirement!r} is {other!r} in the lock it is installed with, or has other "
				"hashes there; compile both anew, from the same constraints"
			)
	header = "".join(line for line in lock.splitlines(keepends=True) if line.startswith("#"))
	return header + "".join(lines for pin, lines in pins.items() if pin not in known)


def put_below_header(lock: str, lines: str) -> str:
	"""A lock with lines between its header and its pins."""
	whole = lock.splitlines(keepends=True)
	pins = next((at for at, each in enumerate(whole) if not each.startswith("#")), len(whole))
	return "".join([*whole[:pins], lines, *whole[pins:]])


def _name(requirement: str) -> str:
	return requirement.partition("==")[0]


def _hashes(lines: str) -> set[str]:
	return set(re.findall(r"--hash=(\S+)", lines))


def main(arguments: Sequence[str]) -> None:
	"""Slim the locks named after the first, which is the one they are installed with.

	With --include: slim the last one.
	"""
	paths = [Path(each) for each in arguments if each != "--include"]
	if "--include" in arguments:
		_include(paths[:-1], paths[-1])
		return
	base, *locks = paths
	known = base.read_text("utf-8")
	slim = {path: keep_additions(path.read_text("utf-8"), known) for path in locks}
	for path, text in slim.items():
		path.write_text(text, "utf-8")


def _include(bases: Sequence[Path], lock: Path) -> None:
	text = lock.read_text("utf-8")
	for base in bases:
		text = keep_additions(text, base.read_text("utf-8"))
	named = "".join(f"-r {base.relative_to(lock.parent).as_posix()}\n" for base in bases)
	lock.write_text(put_below_header(text, named), "utf-8")


if __name__ == "__main__":
	main(sys.argv[1:])
