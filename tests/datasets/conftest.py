from tests.databases.conftest import duckdb_credentials, loans

__all__ = ["duckdb_credentials", "loans"]
