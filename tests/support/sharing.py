"""Which tests run in one process and in which order, so that what is dear is made once.

`make test` hands out files to one process for each core. Files whose tests share something dear go
to one process, and what takes longest goes first, so that the processes end at about the same time.
Else the order is random.

pytest-xdist's own groups (`--dist loadgroup`) have no effect with pytest 9.2: pytest-xdist, issue
1386.
"""

import os
from fnmatch import fnmatch

import pytest
from xdist.scheduler import LoadFileScheduling

# Files below tests/ that run in one process; of several lines, the first counts. In the order of
# the time they take. Any other file is on its own.
GROUPS = {
	"shipping": ("shipping/test_image.py", "shipping/test_deploy.py", "shipping/test_push.py"),
	"databricks": ("sources/test_databricks.py", "sources/test_every_*", "sources/test_whole_*"),
	"packaging": ("project/test_packaging.py",),
	"memory": ("project/test_bounded_memory.py",),
	"demo": ("project/*", "serving/browser/*", "docs/test_commands.py"),
	"spark": ("spark/*",),
	"pipelines": ("pipelines/*",),
	"sources_up": ("sources/test_sources_up.py",),
	"db2": ("sources/test_db2.py",),
	"postgres": ("sources/*",),
	"audit": ("serving/audit/*", "serving/keys/*", "serving/cases/*", "serving/help/*", "serving/policies/*"),
	"served": ("serving/server/*",),
	"killed": ("hooks/test_killed_*", "datasets/test_killed_*"),
	"model": ("model/scoring/test_one_application.py",),
}
# What is not for `make test-fast`: tests that ask for a server, a whole run or a browser, and files
# that run pipelines, start pytest anew, kill processes again and again, keep a registry, write and
# read snapshots and tables, or train many models.
SLOW = {"databricks", "db2", "postgres", "spark", "demo_result", "browser", "s3", "engine"}
SLOW_FILES = (
	"*/test_killed_*",
	"snapshots/test_any_history.py",
	"datasets/test_merge.py",
	"databases/test_odbc_source.py",
	"snapshots/test_refresh.py",
	"datasets/test_snapshot.py",
	"datasets/test_target_table.py",
	"databases/test_waiting.py",
	"model/leakage/test_gate.py",
	"model/test_planted_leaks.py",
	"model/training/test_calibration.py",
	"model/scoring/test_columns_not_collected.py",
	"model/promotion/test_contest.py",
	"model/training/test_path_search.py",
	"model/scoring/test_points.py",
	"model/training/test_predictions.py",
	"pipelines/*",
	"project/*",
	"registry/*",
	"reporting/model_card/test_model_card.py",
	"suite/test_process_state.py",
	"suite/test_sharing.py",
	"tools/test_lineage.py",
)


class Sharing(LoadFileScheduling):
	"""Hands out files, those of a group together."""

	def _split_scope(self, nodeid):
		return find_group(nodeid)


def find_group(nodeid):
	for group, patterns in GROUPS.items():
		if _is_among(nodeid, patterns):
			return group
	return nodeid.partition("::")[0]


def mark_slow(items):
	for item in items:
		if _is_among(item.nodeid, SLOW_FILES) or find_fixtures(item) & SLOW:
			item.add_marker(pytest.mark.slow)


def _is_among(nodeid, patterns):
	path = nodeid.partition("::")[0].partition("tests/")[2]
	return any(fnmatch(path, pattern) for pattern in patterns)


def find_fixtures(item):
	"""What a test asks for; where it asks for a `server`, the parameter says for which."""
	asked = set(getattr(item, "fixturenames", ()))
	return asked | {item.callspec.params["server"]} if "server" in asked else asked


def put_in_order(items):
	"""Put the groups that take longest first, and leave the order else as it is.

	Of a group, a folder's tests follow each other: they may share what ends with the last of them.
	"""
	ranks = {group: rank for rank, group in enumerate(GROUPS)}
	folders = list(dict.fromkeys(item.path.parent for item in items))

	def find_place(item):
		rank = ranks.get(find_group(item.nodeid))
		return (len(ranks), 0) if rank is None else (rank, folders.index(item.path.parent))

	items.sort(key=find_place)


def count_workers():
	"""As many as there are cores, but none without 1.5 GB of memory."""
	cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
	memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
	return max(1, min(cores or 1, memory // 1_500_000_000))
