"""How a source database is reached; which way is chosen by its credentials."""

from loantap.datasets.backends.embedded import EMBEDDED, STAGED, Backend, Odbc, make_backend

__all__ = ["EMBEDDED", "STAGED", "Backend", "Odbc", "make_backend"]
