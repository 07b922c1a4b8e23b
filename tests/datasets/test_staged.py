import errno
import os

import pandas as pd
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure
from pandas.testing import assert_frame_equal

from loantap.datasets import FigureDataset, StagedDataset
from loantap.datasets.staged import StagedFile, find_current, rename_into_place, staging_path
from loantap.portfolio.errors import InputError

OLD = pd.DataFrame({"loan_id": ["old"]})
NEW = pd.DataFrame({"loan_id": ["new"]})


@pytest.fixture
def path(tmp_path):
	return tmp_path / "data" / "03_primary" / "loans.parquet"


@pytest.fixture
def staged(path):
	return StagedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(path)})


@pytest.fixture
def with_last_good(staged, path):
	staged.save(OLD)
	staged.publish()
	return staged


def list_files(path):
	return sorted(found.name for found in path.parent.iterdir())


def test_publication_puts_the_file_in_place_and_leaves_no_other(staged, path):
	assert not staged.exists()
	assert find_current(path) == path
	staged.save(NEW)
	assert staged.exists()
	assert not path.exists()
	assert_frame_equal(pd.read_parquet(find_current(path)), NEW)
	staged.publish()
	assert find_current(path) == path

	assert list_files(staged.filepath) == ["loans.parquet"]
	assert_frame_equal(pd.read_parquet(path), NEW)


@pytest.mark.parametrize(
	("kind", "file", "good", "bad"),
	[
		("pandas.ParquetDataset", "table.parquet", OLD, pd.DataFrame({"mixed": [1, "a"]})),
		("json.JSONDataset", "metrics.json", {"n": 1}, {"n": 1, "later": object()}),
		("text.TextDataset", "page.html", "<p>", 3),
	],
	ids=["parquet", "json", "text"],
)
def test_a_failing_save_leaves_the_last_good_file_and_no_half_of_another(kind, file, good, bad, tmp_path):
	dataset = StagedDataset(dataset={"type": kind, "filepath": str(tmp_path / file)})
	dataset.save(good)
	dataset.publish()
	before = (tmp_path / file).read_bytes()

	with pytest.raises(DatasetError):
		dataset.save(bad)
	assert dataset.exists()
	dataset.publish()

	assert [found.name for found in tmp_path.iterdir()] == [file]
	assert (tmp_path / file).read_bytes() == before


def test_a_file_left_by_a_killed_run_is_not_read_and_gone_with_the_next_save(with_last_good, path):
	with_last_good.save(NEW)
	after = StagedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(path)})

	after.publish()
	assert_frame_equal(after.load(), OLD)
	after.save(NEW)
	after.publish()
	assert list_files(path) == ["loans.parquet"]


def test_a_killed_runs_leftovers_go_and_what_this_run_staged_stays(path):
	path.parent.mkdir(parents=True)
	file = StagedFile(path)
	own, other = file.staged, staging_path(path, "12-abcdef")
	for _ in range(2):
		own.touch()
		other.touch()
		file.remove_leftovers()
		assert list_files(path) == ([own.name] if file.renames else [])
		with file.writing():
			own.touch()


@pytest.mark.parametrize("new", ["file", "folder"])
@pytest.mark.parametrize("old", ["nothing", "file", "folder"])
def test_files_and_folders_replace_each_other_and_killed_in_between_the_last_good_one_counts(
	old, new, tmp_path, monkeypatch
):
	path, file = tmp_path / "loans", StagedFile(tmp_path / "loans")
	for kind, made in ((old, path), (new, file.staged)):
		if kind == "folder":
			made.mkdir()
		if kind != "nothing":
			(made / "part-0.parquet" if kind == "folder" else made).write_text(kind)

	rename = os.replace

	def killed(source, target):
		if source == file.staged:
			raise KeyboardInterrupt
		rename(source, target)

	monkeypatch.setattr(os, "replace", killed)
	with pytest.raises(KeyboardInterrupt):
		rename_into_place(file.staged, path)
	monkeypatch.undo()
	assert file.current.exists() == (old != "nothing")
	assert path.exists() == (old == new == "file")
	rename_into_place(file.staged, path)

	assert file.current == path
	assert path.is_dir() == (new == "folder")
	assert list_files(path) == ["loans"]


def test_an_optional_file_is_nothing_until_it_is_saved(tmp_path):
	dataset = StagedDataset(dataset={"type": "json.JSONDataset", "filepath": str(tmp_path / "n.json")}, optional=True)

	assert dataset.load() is None
	dataset.save({"n": 1})
	assert dataset.load() == {"n": 1}


def test_a_failing_publication_keeps_the_staged_file_for_a_look(staged, path):
	staged.save(NEW)
	path.mkdir()

	with pytest.raises(OSError, match="loans"):
		staged.publish()


def test_the_preview_is_the_wrapped_datasets(tmp_path):
	picture = StagedDataset(dataset={"type": "matplotlib.MatplotlibDataset", "filepath": str(tmp_path / "roc.png")})
	text = StagedDataset(dataset={"type": "text.TextDataset", "filepath": str(tmp_path / "page.html")})

	assert callable(picture.preview)
	assert not hasattr(text, "preview")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_is_told_with_the_file_and_the_remedy(number, with_last_good, path, monkeypatch):
	def refuse(*_, **__):
		raise OSError(number, os.strerror(number))

	monkeypatch.setattr(pd.DataFrame, "to_parquet", refuse)
	with pytest.raises(DatasetError, match=f"file {path}: it cannot be written") as refused:
		with_last_good.save(NEW)

	# The command tells this one alone.
	assert isinstance(refused.value.__cause__, InputError)
	assert os.strerror(number) in str(refused.value.__cause__)
	assert list_files(path) == ["loans.parquet"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
	(tmp_path / "reports").write_text("a file in its place")
	page = {"type": "text.TextDataset", "filepath": str(tmp_path / "reports" / "page.html")}

	with pytest.raises(DatasetError, match="it cannot be written"):
		StagedDataset(dataset=page).save("<p>")


@pytest.fixture
def figure():
	drawn = Figure()
	drawn.add_subplot().plot([1, 2], [2, 1])
	return drawn


def make_dataset(tmp_path):
	return FigureDataset(filepath=str(tmp_path / "roc.png"))


def test_a_later_node_gets_the_very_figure(figure, tmp_path):
	dataset = make_dataset(tmp_path)
	dataset.save(figure)

	assert dataset.load() is figure


def test_the_picture_appears_when_it_is_published(figure, tmp_path):
	dataset = make_dataset(tmp_path)
	dataset.save(figure)

	assert not (tmp_path / "roc.png").exists()
	dataset.publish()
	assert (tmp_path / "roc.png").read_bytes().startswith(b"\x89PNG")
	assert make_dataset(tmp_path).preview()


def test_a_picture_of_an_earlier_run_is_no_figure(figure, tmp_path):
	dataset = make_dataset(tmp_path)
	dataset.save(figure)
	dataset.publish()

	with pytest.raises(DatasetError, match=r"plot roc\.png: it was not drawn in this run"):
		make_dataset(tmp_path).load()
