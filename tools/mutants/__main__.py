"""Change what decides in small ways, and see whether a test notices.

	python -m tools.mutants --area promotion
	python -m tools.mutants --since main    # only on lines that differ from there

What was found is kept in build/mutants/: a run that was stopped goes on where it was, and changes that no test noticed
are tried again when the tests are others. Remove the folder to begin anew.
"""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest
import yaml
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tools.mutants.mutations import Mutation, list_mutations
from tools.mutants.trials import ARGUMENTS, Trials

_FOLDER: Final = Path("build/mutants")
_FLOOR: Final = 0.9
_TOLERATED: Final = 2  # of few changes one that is equivalent would already be more than a tenth


def main() -> None:
	"""Try the areas asked for; ends with 1 where more than a tenth of the changes went unnoticed."""
	areas = yaml.safe_load(Path(__file__).with_name("areas.yaml").read_text(encoding="utf-8"))
	parser = ArgumentParser(prog="python -m tools.mutants", description=__doc__.splitlines()[0] if __doc__ else "")
	parser.add_argument("--area", action="append", choices=list(areas), help="all without it; may be given again")
	parser.add_argument("--since", help="a commit or branch: only changes on lines that differ from there")
	parser.add_argument("--sample", type=int, help="no more than so many of an area, drawn at random")
	parser.add_argument("--seed", type=int, default=0, help="of that draw; another one draws others")
	parser.add_argument("--jobs", type=int, default=os.cpu_count())
	options = parser.parse_args()
	touched = _touched(options.since) if options.since else None

	console = Console(width=None if sys.stdout.isatty() else 120)
	table = Table("area", "mutants", "killed", "survived", "timed out", "share")
	unnoticed: list[Mutation] = []
	failed = False
	for area in options.area or areas:
		paths = [p for pattern in areas[area]["modules"] for p in sorted(Path().glob(pattern))]
		mutations = [
			m for p in paths for m in list_mutations(p) if touched is None or not touched[str(p)].isdisjoint(m.lines)
		]
		if options.sample and options.sample < len(mutations):
			mutations = random.Random(options.seed).sample(mutations, options.sample)  # noqa: S311
		outcomes = _outcomes(area, mutations, areas[area]["tests"], options.jobs)
		count = Counter(outcomes[m.key] for m in mutations)
		noticed = count["killed"] + count["timed out"]
		numbers = len(mutations), count["killed"], count["survived"], count["timed out"]
		table.add_row(area, *map(str, numbers), f"{noticed / len(mutations):.1%}" if mutations else "-")
		unnoticed += [m for m in mutations if outcomes[m.key] == "survived"]
		failed |= count["survived"] > max(_TOLERATED, (1 - _FLOOR) * len(mutations))
	for mutation in unnoticed:
		console.print(str(mutation), markup=False, highlight=False, soft_wrap=True)
	console.print(table)
	sys.exit(failed)


def _outcomes(area: str, mutations: list[Mutation], tests: list[str], jobs: int) -> dict[str, str]:
	"""By key; from what is kept, and else from trials."""
	if not mutations:
		return {}
	_FOLDER.mkdir(parents=True, exist_ok=True)
	code = _digest([*Path("src").rglob("*.py"), *Path("tests").glob("*.py"), *(f for t in tests for f in _files(t))])
	kept = _FOLDER / f"{area}.jsonl"
	known = _read(kept, code)
	pending = [m for m in mutations if m.key not in known]
	# In a fork, so that the next area imports everything anew.
	if pending and not (pid := os.fork()):
		with kept.open("a") as file, Progress(console=Console(stderr=True)) as progress:
			task = progress.add_task(area, total=len(pending))

			def tell(mutation: Mutation, outcome: str) -> None:
				file.write(json.dumps({"key": mutation.key, "outcome": outcome, "code": code}) + "\n")
				file.flush()
				progress.advance(task)

			ended = pytest.main([*ARGUMENTS, *tests], plugins=[Trials(pending, tell, jobs)])
		os._exit(int(ended))
	if pending and (failed := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])):
		sys.exit(failed)
	return _read(kept, code)


def _read(kept: Path, code: str) -> dict[str, str]:
	lines = map(json.loads, kept.read_text().splitlines() if kept.exists() else ())
	return {line["key"]: line["outcome"] for line in lines if line["outcome"] != "survived" or line["code"] == code}


def _files(path: str) -> list[Path]:
	return sorted(Path(path).rglob("*.py")) if Path(path).is_dir() else [Path(path)]


def _digest(files: Iterable[Path]) -> str:
	digest = hashlib.sha256()
	for file in sorted(files):
		digest.update(str(file).encode() + file.read_bytes())
	return digest.hexdigest()[:20]


def _touched(since: str) -> dict[str, set[int]]:
	"""Lines by file that differ from where `since` was left."""
	try:
		base = _git("merge-base", since, "HEAD").strip()
	except subprocess.CalledProcessError:
		sys.exit(f"--since {since}: git knows no such commit or branch")
	lines: dict[str, set[int]] = defaultdict(set)
	path = ""
	for line in _git("diff", "-U0", "--no-color", base).splitlines():
		if line.startswith("+++ "):
			path = line.removeprefix("+++ b/")
		elif at := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
			lines[path] |= set(range(int(at[1]), int(at[1]) + int(at[2] or 1)))
	return lines


def _git(*arguments: str) -> str:
	return subprocess.check_output(["git", *arguments], text=True)  # noqa: S607


if __name__ == "__main__":
	main()
