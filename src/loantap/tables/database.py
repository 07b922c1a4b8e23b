"""DuckDB in bounded memory: what exceeds it goes to disk."""

from pathlib import Path

import duckdb

from loantap.tables.memory import MIB, working_memory


def connect(
    path: Path | None = None, *, read_only: bool = False, scratch: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """A database in a file, or without one a database for this computation alone.

    Args:
        path: the file.
        read_only: whether others may read it at the same time.
        scratch: folder for what exceeds the memory; beside the file by default, and without a file
            in the folder of temporary files.

    Raises:
        duckdb.Error: the file cannot be opened.
    """
    connection = duckdb.connect(str(path or ":memory:"), read_only=read_only)
    memory = working_memory()
    connection.execute(f"SET memory_limit = '{memory // MIB}MiB'")
    if scratch is not None:
        connection.execute(f"SET temp_directory = '{_quote(scratch)}'")
    # Each file is read once or twice: a cache would only fill the memory.
    connection.execute("SET enable_external_file_cache = false")
    # DuckDB 2.0 is said to lose rows of a join that goes to disk when it filters the other side's
    # scan by what it has seen of this one: https://github.com/duckdb/duckdb/issues/25702
    connection.execute("SET disabled_optimizers = 'join_filter_pushdown'")
    return connection


def _quote(path: Path) -> str:
    return str(path).replace("'", "''")
