from tests.registry.conftest import active_run, registry

__all__ = ["active_run", "registry"]
