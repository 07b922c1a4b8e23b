"""What happens around a run: guards before it, a transaction over it, a record of it."""

from loantap.hooks.guard import GuardHook
from loantap.hooks.progress import ProgressHook
from loantap.hooks.publication import TransactionHook
from loantap.hooks.record import RecordHook
from loantap.hooks.run import ProjectSession, RunHook
from loantap.hooks.tracking import TrackingHook

__all__ = [
    "GuardHook",
    "ProgressHook",
    "ProjectSession",
    "RecordHook",
    "RunHook",
    "TrackingHook",
    "TransactionHook",
]
