"""Batches in JSON and CSV, as they are sent and as they are answered."""

import csv
import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_json

from loantap.model.scoring.scorer import REASONS
from loantap.policy.decisions import Decision
from loantap.policy.score_table import APPLICATION_ID, SCORE_COLUMNS
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT, require_names
from loantap.serving.api.answers import tell_decision, tell_field
from loantap.serving.audit.records import KeptBatch, Kind, Record
from loantap.serving.desk.batch import Batch, Blank, fill_by, make_pattern, write_texts
from loantap.serving.desk.fields import application_columns
from loantap.serving.desk.standing import Standing
from loantap.tables.csv_file import CsvRows

_BODY: Final = "the body"
# What was kept before under the idempotency key, or was just decided.
Answered = Sequence[Record] | tuple[KeptBatch, Batch]

_COLUMNS: Final = ("row", "id", *SCORE_COLUMNS)
_NO_REASONS: Final = ("",) * len(REASONS)


def write_json(answered: Answered) -> bytes:
	"""The answer in JSON."""
	if not isinstance(answered, tuple):
		batch = _require_batch(answered)
		return to_json(_tell(batch.id, batch.public, _list_results(answered)))
	kept, batch = answered
	results = [""] * int(batch.entry.public["n"])
	for place, reasons in _list_invalid(batch.entry.personal):
		results[place] = to_json(_tell_invalid(place, reasons)).decode()
	patterns = {
		made: make_pattern(partial(_tell_blank, decision=made, kept=kept, batch=batch))
		for made in set(batch.decided.decisions)
	}
	columns = batch.decided.written | {"id": write_texts(kept.ids[1:])}
	if patterns:
		filled = fill_by(patterns, batch.decided.decisions, columns)
		for place, result in zip(batch.decided.rows, filled, strict=True):
			results[place] = result
	whole = make_pattern(lambda blank: _tell(kept.ids[0], batch.entry.public, blank("results")))
	return (whole.text % f"[{','.join(results)}]").encode()


def write_csv(answered: Answered) -> bytes:
	"""The answer in CSV: a line per application, in their order."""
	out = io.StringIO()
	written = csv.writer(out, lineterminator="\n")
	written.writerow(_COLUMNS)
	if isinstance(answered, tuple):
		written.writerows(_list_lines(*answered))
	else:
		written.writerows(map(_make_line, _list_results(answered)))
	return out.getvalue().encode()


def _require_batch(records: Sequence[Record]) -> Record:
	if records[0].kind is not Kind.BATCH:
		raise ValueError(f"record {records[0].id} is of no batch")
	return records[0]


def _list_results(records: Sequence[Record]) -> list[dict[str, Any]]:
	"""The first record is the batch."""
	batch = _require_batch(records)
	results: list[dict[str, Any] | None] = [None] * int(batch.public["n"])
	for place, reasons in _list_invalid(batch.personal):
		results[place] = _tell_invalid(place, reasons)
	for record in records[1:]:
		row = record.public["row"]
		results[row] = {"row": row, **tell_decision(record)}
	return [result for result in results if result is not None]


def _tell(batch_id: str, public: Mapping[str, Any], results: object) -> dict[str, Any]:
	return {"batch_id": batch_id, "n": public["n"], "counts": public["counts"], "results": results}


def _tell_invalid(row: int, reasons: Sequence[str]) -> dict[str, Any]:
	return {"row": row, "decision": Decision.INVALID.value, "reasons": reasons}


def _tell_blank(blank: Blank, decision: str, kept: KeptBatch, batch: Batch) -> dict[str, Any]:
	found = {name: blank(name) for name in batch.decided.written}
	public = {**batch.entry.public, **found, "decision": decision}
	record = Record(0, blank("id"), Kind.DECISION, kept.at, "", "", None, public, found, False, "", "", None)
	return {"row": blank("row"), **tell_decision(record)}


def _list_invalid(personal: Mapping[str, Any] | None) -> Iterable[tuple[int, list[str]]]:
	wrong: Mapping[str, list[str]] = (personal or {}).get("invalid", {})
	return ((int(place), reasons) for place, reasons in wrong.items())


def _make_line(result: Mapping[str, Any]) -> tuple[object, ...]:
	reasons = [*result["reasons"], *_NO_REASONS][: len(REASONS)]
	model, policy = result.get("model", {}), result.get("policy", {})
	about = (result["row"], result.get("id"), result.get(APPLICATION_ID))
	scored = (result.get("probability_of_default"), result.get("score"), result["decision"])
	made_by = (model.get("name"), model.get("version"), result.get("expected_npv"))
	return (*about, *scored, *reasons, *made_by, policy.get("version"), policy.get("digest"))


def _list_lines(kept: KeptBatch, batch: Batch) -> list[tuple[object, ...]]:
	decided, public = batch.decided, batch.entry.public
	model, policy = public["model"], public["policy"]
	lines: list[tuple[object, ...]] = [()] * int(public["n"])
	for place, reasons in _list_invalid(batch.entry.personal):
		lines[place] = _make_line(_tell_invalid(place, reasons))
	names = ("probability_of_default", "score", "decision", *REASONS)
	scored = [decided.scores[name].astype(object).tolist() for name in names]
	n, npvs = len(decided.rows), decided.scores["expected_npv"]
	made_by = zip(
		repeat(model["name"], n),
		repeat(model["version"], n),
		npvs.astype(object).where(npvs.notna(), None).tolist(),
		repeat(policy["version"], n),
		repeat(policy["digest"], n),
		strict=True,
	)
	about = zip(decided.rows, kept.ids[1:], decided.application_ids, *scored, strict=True)
	for row, one, by in zip(decided.rows, about, made_by, strict=True):
		lines[row] = one + by
	return lines


def read_csv(raw: bytes, standing: Standing, most: int) -> list[dict[str, Any]]:
	"""Rows of a CSV body by source column name, as text; None where nothing is stated.

	Columns that are not of the LoanTap format are left out; a row that cannot be read says why in `FAULT`. At most `most`
	rows and one more are read. `ProblemError` where it is no CSV, or lacks a column.
	"""
	columns = {APPLICATION_ID, *application_columns()}
	rows: list[dict[str, Any]] = []
	# The reader takes a file; it has no name once it is open.
	with tempfile.TemporaryDirectory(prefix="loantap-") as folder:
		path = Path(folder) / "batch.csv"
		path.write_bytes(raw)
		try:
			file = CsvRows(path, _BODY)
			require_names(file.names, standing.underwriter.needed, _BODY)
			for table in file.read(columns, most + 1):
				values = [column.to_numpy().tolist() for column in table.columns]
				names = table.column_names
				rows += (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))
				if len(rows) > most:
					break
		except InputError as error:
			problem = f"{error.where}: {error.problem}"
			told = f"The CSV cannot be used: {problem}. {error.remedy}."
			raise tell_field("not-csv", told, "body", problem, error.remedy) from error
	return rows


def take_faults(rows: list[dict[str, Any]]) -> dict[int, list[str]]:
	"""Why rows cannot be read, by place from 0; `FAULT` is taken out."""
	faults = {}
	for place, row in enumerate(rows):
		fault = row.pop(FAULT, None)
		if fault is not None:
			faults[place] = [fault]
	return faults
