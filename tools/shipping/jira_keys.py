"""Branch and commits name their Jira issue, so that Jira shows what became of it."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping

from tools.shipping.aws import ShippingError, required


def find_unnamed(project: str, branch: str, subjects: Mapping[str, str]) -> list[str]:
	"""What carries no key such as LOAN-12: the branch, or commits by short SHA."""
	key = re.compile(rf"(?<![A-Z0-9]){re.escape(project)}-[1-9]\d*(?!\d)")
	wrong = [] if key.search(branch) else [f"branch {branch!r}"]
	return wrong + [f"commit {sha}: {text}" for sha, text in subjects.items() if not key.search(text)]


def main() -> int:
	"""Check a pull request of Bitbucket; 1 where a key is missing, 2 where a variable is."""
	try:
		project, branch = required("JIRA_PROJECT"), required("BITBUCKET_BRANCH")
	except ShippingError as error:
		sys.stderr.write(f"{error}\n")
		return error.exit_code
	since = os.environ.get("BITBUCKET_PR_DESTINATION_BRANCH") or "main"
	command = ["git", "log", "--no-merges", "--format=%h %s", f"origin/{since}..HEAD"]
	told = subprocess.run(command, capture_output=True, text=True, check=False)
	if told.returncode:
		sys.stderr.write(told.stderr)
		return 2
	subjects = dict(line.split(" ", 1) for line in told.stdout.splitlines())
	wrong = find_unnamed(project, branch, subjects)
	for one in wrong:
		sys.stderr.write(f"No key {project}-N in {one}\n")
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
