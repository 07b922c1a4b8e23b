"""What happens around a run; see `run.py`."""

from loantap.hooks.run import ProjectContext, ProjectSession, RunHook

__all__ = ["ProjectContext", "ProjectSession", "RunHook"]
