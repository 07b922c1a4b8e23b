"""What a run that a task has started tells the task by its exit code."""

from typing import Final

# Set by the task, for the process that runs.
RUN_VARIABLE: Final = "LOANTAP_RUN"
# Nothing has to be mended: the same command succeeds in a while. EX_TEMPFAIL of sysexits.h.
TRY_LATER: Final = 75
