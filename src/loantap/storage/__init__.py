"""What a task in ECS runs: restore data from a bucket, run, publish the data."""

import sys
from pathlib import Path

from loantap.project.interruption import leave_at_once_while_starting

if Path(sys.argv[0]).name == "loantap-task":
	# The imports take seconds, while a container's first process is deaf to SIGTERM.
	leave_at_once_while_starting()
