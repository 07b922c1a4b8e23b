"""What a task tells the run that it starts, and the run the task."""

from typing import Final

# Set by the task, for the process that runs.
RUN_VARIABLE: Final = "LOANTAP_RUN"
# Names the bucket with the published data.
BUCKET_VARIABLE: Final = "LOANTAP_BUCKET"
# Nothing has to be mended: the same command succeeds in a while. EX_TEMPFAIL of sysexits.h.
TRY_LATER: Final = 75
