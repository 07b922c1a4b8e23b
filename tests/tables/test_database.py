from pathlib import Path

import pytest

from loantap.tables.database import connect


@pytest.fixture(params=["file", "computation"])
def settings(request, tmp_path):
    path = tmp_path / "sources.duckdb" if request.param == "file" else None
    with connect(path, scratch=tmp_path / "scratch") as connection:
        return dict(connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())


def test_a_join_that_goes_to_disk_does_not_filter_the_other_side(settings):
    """https://github.com/duckdb/duckdb/issues/25702: rows are lost."""
    assert settings["disabled_optimizers"] == "join_filter_pushdown"


def test_what_exceeds_the_memory_goes_to_the_folder_given(settings, tmp_path):
    assert Path(settings["temp_directory"]) == tmp_path / "scratch"
    assert settings["enable_external_file_cache"] == "false"
