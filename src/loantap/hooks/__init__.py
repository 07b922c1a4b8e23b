"""What happens around a run: one hook, whose steps are listed in `run.py`."""

from loantap.hooks.run import ProjectSession, RunHook

__all__ = ["ProjectSession", "RunHook"]
