"""Tests of an area, collected once and run in forks, so that no change pays for the imports.

A fork gives the changed function its new code. What is in no function, or was called while modules were imported, is
imported anew, with all that import it.
"""

import gc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType
from typing import Any, Final

import pytest
from _pytest.main import pytest_runtestloop as run_items
from coverage import Coverage
from grimp import build_graph

from tools.mutants.mutations import Mutation

ARGUMENTS: Final = [
	*"-x -q -s -n0 -p no:randomly -p no:cacheprovider --hypothesis-profile=mutants".split(),
	*("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]
_CRASHED: Final = 70


class Trials:
	"""A plugin of pytest: once tests are collected, they are run for each change, in a fork of its own."""

	def __init__(self, mutations: Sequence[Mutation], told: Callable[[Mutation, str], None], jobs: int) -> None:
		self.mutations, self.told, self.jobs = mutations, told, jobs
		self.graph = build_graph("loantap", cache_dir=None)
		self.coverage = Coverage(data_file=None, include=[str(m.path) for m in mutations], config_file=False)
		self.coverage.start()

	@pytest.hookimpl(tryfirst=True)
	def pytest_runtestloop(self, session: pytest.Session) -> bool:
		"""Which tests reach which line, then each change."""
		with TemporaryDirectory() as folder:
			trace = Path(folder, "trace.json")
			_wait(_fork(lambda: _Traced(self.coverage).run(session, trace), Path(folder, "output")), folder)
			self.coverage.stop()
			self.cost, self.reached, modules = json.loads(trace.read_text())
			for name in modules:  # what tests import when they run, which takes seconds, is not imported by each fork
				if name.partition(".")[0] not in {"loantap", "tests"}:
					with suppress(ImportError):
						importlib.import_module(name)
			self.functions = defaultdict(list)
			for value in gc.get_objects():
				if type(value) is FunctionType:
					code = value.__code__
					self.functions[code.co_filename, code.co_qualname, code.co_firstlineno].append(value)
			gc.freeze()  # or each fork looks for garbage among what was imported
			# What fails without a change would be taken for a test that notices.
			_wait(_fork(lambda: _run(session, list(self.cost), folder), Path(folder, "output")), folder)
		self.race(session)
		return True

	def race(self, session: pytest.Session) -> None:
		"""Tell the outcome of each change, as they come."""
		waiting = list(reversed(self.mutations))
		running: dict[int, tuple[Mutation, TemporaryDirectory[str]]] = {}
		while waiting or running:
			while waiting and len(running) < self.jobs:
				mutation = waiting.pop()
				if not (tests := self.judges(mutation)):
					self.told(mutation, "survived")
					continue
				folder = TemporaryDirectory()
				work = partial(self.trial, session, mutation, tests, folder.name)
				running[_fork(work, Path(folder.name, "output"))] = mutation, folder
			for pid, (mutation, folder) in list(running.items()):
				ended, status = os.waitpid(pid, os.WNOHANG)
				if ended:
					del running[pid]
					code = os.waitstatus_to_exitcode(status)
					if code == _CRASHED:
						raise RuntimeError(f"{mutation}\n{Path(folder.name, 'output').read_text()}")
					folder.cleanup()
					late = code in {-signal.SIGXCPU, -signal.SIGALRM}
					if late:
						with suppress(ProcessLookupError):
							os.killpg(pid, signal.SIGKILL)  # what its tests had started
					self.told(mutation, "timed out" if late else "killed" if code else "survived")
			time.sleep(0.01)

	def judges(self, mutation: Mutation) -> list[str]:
		"""The tests that reach a change, the quickest first, then the others of their files.

		What a test remembers from another of its file is under the other's name.
		"""
		lines = self.reached[str(mutation.path)]
		reached = {test for line in mutation.lines for test in lines.get(str(line), [])}
		if "" in reached:
			return sorted(self.cost, key=self.cost.__getitem__)
		files = {test.partition("::")[0] for test in reached}
		return sorted(
			(test for test in self.cost if test.partition("::")[0] in files),
			key=lambda test: (test not in reached, self.cost[test]),
		)

	def trial(self, session: pytest.Session, mutation: Mutation, tests: list[str], folder: str) -> int:
		"""1 where a test fails."""
		path, (name, line) = str(mutation.path.resolve()), mutation.function or ("", 0)
		lines = self.reached[str(mutation.path)]
		functions = self.functions.get((path, name, line))
		if functions and not any("" in lines.get(str(n), []) for n in mutation.lines):
			before, after = (
				[code for code in _codes(compile(text, path, "exec")) if code.co_qualname == name]
				for text in (mutation.text, mutation.changed)
			)
			changed = after[[code.co_firstlineno for code in before].index(line)]
			for function in functions:
				function.__code__ = changed
			session.config.pluginmanager.register(_Limited(self.cost))
			return _run(session, tests, folder)
		finder = _Mutated(mutation)
		for module in list(sys.modules):
			if module in {finder.name, *self.graph.find_downstream_modules(finder.name)} or module.startswith("tests"):
				package, _, child = module.rpartition(".")
				if package in sys.modules:  # or `from package import child` finds the old one
					vars(sys.modules[package]).pop(child, None)
				del sys.modules[module]
		sys.meta_path.insert(0, finder)
		files = {test.partition("::")[0]: None for test in tests}
		plugins = [_Ordered(tests), _Limited(self.cost)]
		return int(pytest.main([*ARGUMENTS, f"--basetemp={folder}/tests", *files], plugins=plugins))


class _Mutated(importlib.machinery.SourceFileLoader):
	"""Gives the changed text in place of the module's file, which stays as it is."""

	def __init__(self, mutation: Mutation) -> None:
		name = ".".join(mutation.path.with_suffix("").parts[1:]).removesuffix(".__init__")
		super().__init__(name, str(mutation.path.resolve()))
		self.text = mutation.changed

	def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
		return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

	def get_code(self, _: str) -> CodeType:
		return compile(self.text, self.path, "exec")


class _Ordered:
	def __init__(self, tests: list[str]) -> None:
		self.rank = {test: n for n, test in enumerate(tests)}

	@pytest.hookimpl(wrapper=True, tryfirst=True)
	def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, None]:
		yield
		items.sort(key=lambda item: self.rank.get(item.nodeid, len(self.rank)))


class _Limited:
	"""Ends the process in a test that takes far longer than it does without a change."""

	def __init__(self, cost: dict[str, float]) -> None:
		self.cost = cost

	@pytest.hookimpl(tryfirst=True)
	def pytest_runtest_protocol(self, item: pytest.Item) -> None:
		seconds = 10 + 3 * int(self.cost.get(item.nodeid, 0))
		# Of the processor, so that a busy machine stops no trial; by the clock for what waits for ever.
		resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, resource.RLIM_INFINITY))
		signal.alarm(10 * seconds)


class _Traced:
	"""Lines by test; those of a fixture that several tests share are of each test that asks for it."""

	def __init__(self, coverage: Coverage) -> None:
		self.coverage, self.name = coverage, ""
		self.users: dict[str, set[str]] = defaultdict(set)
		self.seconds: dict[str, float] = defaultdict(float)

	def run(self, session: pytest.Session, output: Path) -> int:
		session.config.pluginmanager.register(self)
		code = _run(session, [item.nodeid for item in session.items], str(output.parent))
		self.coverage.stop()
		cost = {item.nodeid: self.seconds[item.nodeid] for item in session.items}
		for name, tests in self.users.items():
			for test in tests - {name}:
				cost[test] += self.seconds[name]
		data = self.coverage.get_data()
		reached = {
			str(Path(file).relative_to(Path.cwd())): {
				line: sorted({test for name in names for test in self.users.get(name, {name})})
				for line, names in data.contexts_by_lineno(file).items()
			}
			for file in data.measured_files()
		}
		output.write_text(json.dumps([cost, reached, list(sys.modules)]))
		return code

	def within(self, name: str) -> Generator[None, Any, Any]:
		outer, started = self.name, time.monotonic()
		self.name = name
		self.coverage.switch_context(name)
		try:
			return (yield)
		finally:
			taken = time.monotonic() - started
			self.seconds[name] += taken
			self.seconds[outer] -= taken
			self.name = outer
			self.coverage.switch_context(outer or name)

	@pytest.hookimpl(wrapper=True)
	def pytest_runtest_protocol(self, item: pytest.Function) -> Generator[None, Any, Any]:
		for name in item.fixturenames:
			self.users[f"fixture {name}"].add(item.nodeid)
		return (yield from self.within(item.nodeid))

	@pytest.hookimpl(wrapper=True)
	def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
		if fixturedef.scope == "function":
			return (yield)
		return (yield from self.within(f"fixture {fixturedef.argname}"))


def _run(session: pytest.Session, tests: list[str], folder: str) -> int:
	"""Run some of the tests that were collected; 1 where one fails."""
	items = {item.nodeid: item for item in session.items}
	session.items = [items[test] for test in tests]
	temporary = session.config._tmp_path_factory  # type: ignore[attr-defined] # noqa: SLF001
	temporary._given_basetemp, temporary._basetemp = Path(folder, "tests"), None  # noqa: SLF001
	try:
		run_items(session)
	except session.Failed:
		return 1
	return int(session.testsfailed > 0)


def _codes(code: CodeType) -> Iterator[CodeType]:
	for inner in code.co_consts:
		if isinstance(inner, CodeType):
			yield inner
			yield from _codes(inner)


def _wait(pid: int, folder: str) -> None:
	if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
		raise RuntimeError(f"{Path(folder, 'output').read_text()}\nThe tests fail though nothing is changed.")


def _fork(work: Callable[[], int], output: Path) -> int:
	"""Start `work` in a process of its own group, which ends with what it returns."""
	if pid := os.fork():
		return pid
	code = _CRASHED
	try:
		os.setsid()
		file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
		os.dup2(file, 1)
		os.dup2(file, 2)
		code = work()
	except BaseException:  # noqa: BLE001 - a fork must not go on with its parent's work
		os.write(2, traceback.format_exc().encode())
	finally:
		sys.stdout.flush()
		os._exit(code)
