"""What happens around a run; see `run.py`."""

from loantap.hooks.run import ProjectSession, RunHook

__all__ = ["ProjectSession", "RunHook"]
