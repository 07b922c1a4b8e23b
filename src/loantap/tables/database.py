"""DuckDB in bounded memory, told from the machine or its container: what exceeds it goes to disk."""

from __future__ import annotations

import os
import resource
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
	import duckdb

MIB = 1 << 20
# Beside the operation stand Python, its libraries and the rows in flight, and perhaps other processes.
_SHARE = 8
# With less a join of two tables cannot even begin; more has made nothing faster.
_LEAST, _MOST = 256 * MIB, 2048 * MIB
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def working_memory() -> int:
	"""Bytes that one operation on a table of any size may hold; what exceeds them goes to disk."""
	return min(max(available_memory() // _SHARE, _LEAST), _MOST)


def available_memory() -> int:
	"""Bytes this process may use: the machine's, or less where a container or `ulimit` says so."""
	machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
	limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
	own = [limit for limit in limits if limit != resource.RLIM_INFINITY]
	return min([machine, *own, *_container_limits(_OWN_CGROUPS, _CGROUPS)])


def _container_limits(own: Path, cgroups: Path) -> list[int]:
	"""Of the control groups this process is in, and of those around them; version 1 or 2."""
	try:
		lines = own.read_text().splitlines()
	except OSError:  # not Linux
		return []
	limits = []
	for line in lines:
		_, controllers, group = line.split(":", 2)
		if controllers and "memory" not in controllers.split(","):
			continue
		root = cgroups / "memory" if controllers else cgroups
		name = "memory.limit_in_bytes" if controllers else "memory.max"
		path = PurePosixPath(group.lstrip("/"))
		limits += [_read_limit(root / each / name) for each in (path, *path.parents)]
	return [limit for limit in limits if limit is not None]


def _read_limit(path: Path) -> int | None:
	try:
		text = path.read_text().strip()
	except OSError:  # as a container sees it, the groups around its own are not there
		return None
	return int(text) if text.isdigit() else None


def connect(
	path: Path | None = None, *, read_only: bool = False, scratch: Path | None = None
) -> duckdb.DuckDBPyConnection:
	"""A database in a file, or without one a database for this computation alone.

	What exceeds the memory goes to `scratch`: by default beside the file, or in the temporary folder. Others may read a
	`read_only` file too.

	Raises:
		duckdb.Error: the file cannot be opened.
	"""
	# Here, since what others keep of this module at the end would keep DuckDB as well, which complains.
	import duckdb

	connection = duckdb.connect(str(path or ":memory:"), read_only=read_only)
	memory = working_memory()
	connection.execute(f"SET memory_limit = '{memory // MIB}MiB'")
	if scratch is not None:
		connection.execute(f"SET temp_directory = '{_quote(scratch)}'")
	# Each file is read once or twice: a cache would only fill the memory.
	connection.execute("SET enable_external_file_cache = false")
	# DuckDB 2.0 is said to lose rows of a join that goes to disk when it filters the other side's
	# scan by what it has seen of this one: https://github.com/duckdb/duckdb/issues/25702
	connection.execute("SET disabled_optimizers = 'join_filter_pushdown'")
	return connection


def _quote(path: Path) -> str:
	return str(path).replace("'", "''")
