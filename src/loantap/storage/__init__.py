"""What a task in ECS runs: the project's data from a bucket, a run, and the data back again."""

import sys
from pathlib import Path

from loantap.project.interruption import leave_at_once_while_starting

if Path(sys.argv[0]).name == "loantap-task":
    # The next imports take seconds, and the first process of a container is deaf to SIGTERM else.
    leave_at_once_while_starting()
