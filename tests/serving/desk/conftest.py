"""A registry of its own for each test that asks for one."""

from tests.registry.conftest import active_run, registry

__all__ = ["active_run", "registry"]
