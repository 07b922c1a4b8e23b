"""Faults of bitbucket-pipelines.yml that Bitbucket's own schema lets through."""

import difflib
import importlib.resources
import itertools
import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

# Bitbucket has these without a definition.
_CACHES: Final = {"docker", "pip", "node", "composer", "dotnetcore", "gradle", "ivy2", "maven", "sbt"}
_SERVICES: Final = {"docker"}
_PINNED: Final = re.compile(r"@sha256:[0-9a-f]{64}$|:\d+\.\d+\.\d+[\w.-]*$|^\$\{?\w*DIGEST\w*\}?$")
_TARGET: Final = re.compile(r"^([\w.-]+):(?!=)", re.MULTILINE)
_ASSIGNMENT: Final = re.compile(r"^\w+=")
_PHONY: Final = re.compile(r"[A-Za-z][\w-]*")  # not an option, a variable or a file


def lint(text: str, makefile: str) -> list[str]:
	"""Each fault as `place: what and what to do`, in the order of the file.

	Raises:
		yaml.YAMLError: it is no YAML.
	"""
	content = yaml.safe_load(text)
	if not isinstance(content, dict):
		return ["bitbucket-pipelines.yml: is no mapping"]
	return list(_Linter(content, set(_TARGET.findall(makefile))).faults())


class _Linter:
	def __init__(self, content: dict[str, Any], targets: set[str]) -> None:
		self._content = content
		self._targets = targets
		defined = content.get("definitions") or {}
		self._caches = _CACHES | set(defined.get("caches") or {})
		self._services = _SERVICES | set(defined.get("services") or {})
		self._default_time = (content.get("options") or {}).get("max-time")

	def faults(self) -> Iterator[str]:
		yield from _unknown("top", self._content, "pipelines_configuration")
		yield from _unpinned("top", self._content.get("image"))
		services = (self._content.get("definitions") or {}).get("services") or {}
		for name, service in services.items():
			yield from _unknown(f"service {name}", service, "service")
			yield from _unpinned(f"service {name}", service.get("image"))
		for path, key, found in _walk(self._content.get("pipelines") or {}, "pipelines"):
			if key == "step":
				yield from self._step(f"{path} ({found.get('name', 'no name')})", found)
			elif key == "stage":
				yield from _unknown(path, found, "stage")
			elif key == "parallel" and isinstance(found, dict):
				yield from _unknown(path, found, "parallel_expanded")

	def _step(self, place: str, step: Mapping[str, Any]) -> Iterator[str]:
		yield from _unknown(place, step, "step_base", {"condition"})
		yield from _unpinned(place, step.get("image"))
		if not step.get("max-time", self._default_time):
			yield f"{place}: has no max-time, so a hanging step costs two hours"
		for kind, known in (("caches", self._caches), ("services", self._services)):
			for name in step.get(kind) or ():
				if name not in known:
					yield f"{place}: {kind}: {name!r} is not defined{_nearest(name, known)}"
		for line in [*(step.get("script") or ()), *(step.get("after-script") or ())]:
			if isinstance(line, dict) and "pipe" in line:
				yield from _unknown(place, line, "pipe")
				yield from _unpinned(place, line["pipe"])
			elif isinstance(line, str):
				yield from self._make(place, line)

	def _make(self, place: str, line: str) -> Iterator[str]:
		lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
		lexer.whitespace_split = True
		try:
			words = [";", *lexer, ";"]
		except ValueError as error:
			yield f"{place}: {line!r}: {error}"
			return
		ends = [at for at, word in enumerate(words) if set(word) <= set(";&|()")]
		for start, end in itertools.pairwise(ends):
			command = [word for word in words[start + 1 : end] if not _ASSIGNMENT.match(word)]
			if command[:1] == ["make"]:
				yield from self._targets_of(place, command[1:])

	def _targets_of(self, place: str, words: list[str]) -> Iterator[str]:
		for word in words:
			if _PHONY.fullmatch(word) and word not in self._targets:
				near = _nearest(word, self._targets)
				yield f"{place}: make {word}: the Makefile has no such target{near}"


def _walk(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
	"""Every step, stage and parallel group with the way to it."""
	pairs = node.items() if isinstance(node, dict) else enumerate(node, 1)
	for key, value in pairs:
		here = f"{path} > {key}"
		if key in {"step", "stage", "parallel"}:
			yield path, key, value
		if key != "step" and isinstance(value, dict | list):
			yield from _walk(value, here)


def _unknown(
	place: str, found: Mapping[str, Any], kind: str, more: frozenset[str] | set[str] = frozenset()
) -> Iterator[str]:
	known = set(_schema()[kind]["properties"]) | more
	for key in found:
		if key not in known:
			yield f"{place}: {key!r} is no key here{_nearest(key, known)}"


def _unpinned(place: str, image: str | Mapping[str, Any] | None) -> Iterator[str]:
	name = image if isinstance(image, str) else (image or {}).get("name")
	if name and not _PINNED.search(name):
		yield f"{place}: {name} is not pinned: give a version x.y.z or a digest"


def _nearest(name: str, known: set[str]) -> str:
	nearest = difflib.get_close_matches(str(name), known, 1)
	return f", perhaps {nearest[0]!r}" if nearest else ""


def _schema() -> dict[str, Any]:
	files = importlib.resources.files("check_jsonschema.builtin_schemas")
	text = (files / "vendor" / "bitbucket-pipelines.json").read_text(encoding="utf-8")
	return dict(json.loads(text)["definitions"])


def main() -> int:
	"""Print the faults of the project's own file; 1 where there are any."""
	faults = lint(Path("bitbucket-pipelines.yml").read_text(), Path("Makefile").read_text())
	sys.stdout.writelines(f"{fault}\n" for fault in faults)
	return 1 if faults else 0


if __name__ == "__main__":
	sys.exit(main())
