from tests.support.temporary_project import Original


def test_what_was_written_replaced_or_removed_is_as_before(tmp_path):
	folder = tmp_path / "data"
	(folder / "reports").mkdir(parents=True)
	for name in ("kept", "changed", "reports/removed"):
		(folder / name).write_text(name)
	files = Original(folder, tmp_path / "copy")

	(folder / "changed").write_text("CHANGED")  # As long as before.
	(folder / "reports/removed").unlink()
	(folder / "reports").rmdir()
	(folder / "new").write_text("new")
	files.put_back()

	found = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
	assert found == {name: name for name in ("kept", "changed", "reports/removed")}
