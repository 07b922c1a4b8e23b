import pandas as pd
import pytest
from click.testing import CliRunner

from loantap.serving.audit.commands import main
from loantap.serving.audit.export import read_decisions
from loantap.serving.audit.records import Entry, Kind
from tests.serving.entries import ANN, BOB, make_decision


@pytest.fixture
def kept(store):
	return store.append([make_decision(1), make_decision(2, "refer"), make_decision(3, "refer")], ANN)


def read(url, **bounds):
	return pd.concat(read_decisions(url, **bounds), ignore_index=True)


def test_each_decision_is_a_row_with_its_application_without_name_address_and_job(store, url, kept):
	rows = read(url)

	assert rows["decision_id"].tolist() == [record.id for record in kept]
	assert rows["application_id"].tolist() == ["A1", "A2", "A3"]
	assert rows["decided_at"].tolist() == [pd.Timestamp(record.at) for record in kept]
	assert set(rows["policy_digest"]) == {kept[0].public["policy"]["digest"]}
	assert {"annual_inc", "dti", "purpose"} <= set(rows.columns)
	assert not {"address", "emp_title", "title", "loan_status"} & set(rows.columns)


def test_what_a_person_decided_stands_beside_what_the_policy_did(store, url, kept):
	store.append([Entry(Kind.CASE_DECIDED, {"decision": "approve", "reason": "other"}, None, kept[1].id)], BOB)

	rows = read(url)

	assert rows["decision"].tolist() == [rows["final_decision"][0], "refer", "refer"]
	assert rows["final_decision"][1] == "approve"
	assert pd.isna(rows["final_decision"][2])


def test_of_what_was_erased_the_decision_stays(store, url, kept):
	store.erase(ANN, "asked for", record_ids=[kept[0].id])

	rows = read(url)

	assert rows.loc[0, ["application_id", "annual_inc"]].isna().all()
	assert rows["probability_of_default"].notna().all()


def test_bounds_of_time_take_the_first_moment_and_leave_the_last(store, url, kept):
	at = kept[0].at

	assert len(read(url, since=at)) == 3
	assert list(read_decisions(url, until=at)) == []


def test_the_command_writes_a_file_or_says_that_there_is_nothing(store, url, kept, tmp_path):
	path = tmp_path / "decisions.parquet"

	written = CliRunner().invoke(main, ["--url", url, "export", str(path)])
	empty = CliRunner().invoke(main, ["--url", url, "export", str(tmp_path / "none.parquet"), "--until", "2020-01-01"])

	assert written.output == f"Wrote 3 decisions to {path}\n"
	assert pd.read_parquet(path)["application_id"].tolist() == ["A1", "A2", "A3"]
	assert "No decision was kept in this time" in empty.output
	assert [each.name for each in tmp_path.iterdir() if each.suffix == ".parquet"] == ["decisions.parquet"]
