"""The watch-list that the last run left, and help for its loans: offered, answered, ended; each step is a record."""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from loantap.portfolio.dictionary import REAL
from loantap.portfolio.errors import InputError
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.reading import read_record, select_records
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import help_offers, personal, records
from loantap.serving.audit.transaction import Transaction
from loantap.serving.errors import NotNowError, NotThereError
from loantap.serving.help.offer import (
	FILTERS,
	Counts,
	Ended,
	HelpOffer,
	HelpOfferPage,
	HelpProposal,
	Plan,
	Spoken,
	State,
	WatchedLoan,
)

_LISTED: Final = [name for name in WatchedLoan.model_fields if name not in {"plan", "offers"}]
# Plans of another month, or of other data, were made for another list.
_OF_LIST: Final = ["loan_id", "as_of_month", "origin", "events_origin"]
_PLANNED: Final = [*_OF_LIST, *Plan.model_fields]
_REMEDY: Final = "Run `kedro run --pipelines early_warning`, which writes it"

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Watchlist:
	"""The list of a month, by rank, with the plan's `action` ("" for none); `plans` by `loan_id`."""

	loans: pd.DataFrame
	plans: pd.DataFrame

	@property
	def is_simulated(self) -> bool:
		"""Whether loans or their months were made up."""
		return bool((self.loans[["origin", "events_origin"]] != REAL).to_numpy().any())

	def count(self) -> dict[str, dict[str, int]]:
		"""Loans by queue, level and action."""
		return {name: {str(v): int(n) for v, n in self.loans[name].value_counts().items() if v} for name in FILTERS}

	def select(self, after: int, limit: int, **wanted: str) -> tuple[list[WatchedLoan], int]:
		"""Loans behind a rank whose columns are as wanted ("" for any); how many are so at any rank."""
		found = self.loans
		for name, value in wanted.items():
			found = found[found[name].eq(value)] if value else found
		return self._tell(found[found["rank"].gt(after)].head(limit)), len(found)

	def find(self, loan_id: str) -> WatchedLoan:
		"""One loan; `NotThereError` where it is not on the list."""
		for loan in self._tell(self.loans[self.loans["loan_id"].eq(loan_id)]):
			return loan
		raise NotThereError(f"loan {loan_id[:60]!a}", "it is not on the watch-list", "GET /v1/watchlist lists it")

	def _tell(self, loans: pd.DataFrame) -> list[WatchedLoan]:
		rows = self.plans[self.plans.index.isin(loans["loan_id"])]
		plans = {loan: _fill(row) for loan, row in rows.to_dict("index").items()}
		return [
			WatchedLoan.model_validate(_fill(row) | {"plan": plans.get(row["loan_id"])})
			for row in loans[_LISTED].to_dict("records")
		]


class WatchlistFiles:
	"""The list's two files in a folder of reports, kept in memory until they change."""

	def __init__(self, folder: Path) -> None:
		self._list, self._plans = folder / "watchlist.parquet", folder / "help_plans.parquet"
		self._lock = threading.Lock()
		self._held: tuple[tuple[_Stamp, _Stamp], Watchlist] | None = None

	def read(self) -> Watchlist:
		"""The list as it is now, with plans if they were made.

		`NotThereError` without a list, `InputError` where a file cannot be read.
		"""
		with self._lock:
			# Before the content: what changes in between is read again the next time.
			stamps = (_stamp(self._list), _stamp(self._plans))
			if stamps[0] is None:
				raise NotThereError(str(self._list), "no run has left a watch-list yet", _REMEDY)
			if self._held is None or self._held[0] != stamps:
				self._held = stamps, self._load(has_plans=stamps[1] is not None)
			return self._held[1]

	def _load(self, *, has_plans: bool) -> Watchlist:
		listed = _read_file(self._list, _LISTED).sort_values("rank", ignore_index=True)
		plans = _read_file(self._plans, _PLANNED) if has_plans else pd.DataFrame(columns=_PLANNED)
		if has_plans:
			plans = plans.merge(listed[_OF_LIST], on=_OF_LIST)
		plans = plans.set_index("loan_id")[list(Plan.model_fields)]
		return Watchlist(listed.assign(action=listed["loan_id"].map(plans["action"]).astype("str").fillna("")), plans)


def _stamp(path: Path) -> _Stamp:
	try:
		found = path.stat()
	except (FileNotFoundError, NotADirectoryError):
		return None
	return found.st_mtime_ns, found.st_size, found.st_ino


def _read_file(path: Path, columns: list[str]) -> pd.DataFrame:
	try:
		return pd.read_parquet(path, columns=columns)
	except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are ValueErrors
		raise InputError(str(path), f"it cannot be read: {error}", _REMEDY) from error


def _fill(row: Mapping[Any, Any]) -> dict[str, Any]:
	return {name: None if pd.isna(value) else value for name, value in row.items()}


_STEPS: Final = {"answer": (Kind.HELP_ANSWERED, "answered"), "outcome": (Kind.HELP_ENDED, "ended")}
_COLUMNS: Final = [column for column in help_offers.c if column.name != "seq"]
# What list and plan said, so that outcomes can be learnt from.
_OF_LOAN: Final = {"as_of_month", "level", "queue", "days_past_due", "pd_12m", "expected_loss"}


class HelpOffers:
	"""The offers of one audit log, which has one writer at a time, even from two processes."""

	def __init__(self, store: AuditStore) -> None:
		self._store = store

	def offer(self, loan: WatchedLoan, proposal: HelpProposal, caller: Caller) -> HelpOffer:
		"""Record an offer; without terms it is the plan's. `NotNowError` while another one of the loan runs."""
		subject = _name_subject(loan.loan_id)
		terms = proposal.terms or (loan.plan and loan.plan.terms)
		public = {
			"action": proposal.action.value,
			"by_plan": proposal.terms is None,
			"loan": _round(loan.model_dump(mode="json", include=_OF_LOAN)),
			"plan": loan.plan and _round(loan.plan.model_dump(mode="json", include={"action", "cost", "loss_avoided"})),
		}
		kept = {
			"application_id": subject,
			"loan_id": loan.loan_id,
			"reason": loan.reason,
			"note": proposal.note,
			"terms": terms.model_dump(exclude_none=True) if terms else {},
		}
		is_simulated = {loan.origin, loan.events_origin} != {REAL}

		def act(transaction: Transaction) -> HelpOffer:
			running = help_offers.c.state.in_([State.OFFERED, State.ACCEPTED])
			for other in _list(transaction.connection, personal.c.application_id == subject, running):
				told = f"{other.person} offered {other.action} on {other.at:%Y-%m-%d %H:%M} UTC ({other.id})"
				missing = "outcome" if other.answer else "answer"
				raise NotNowError(f"loan {loan.loan_id}", told, f"Record its {missing} first")
			record = transaction.append([Entry(Kind.HELP_OFFERED, public, kept)], caller)[0]
			row = {"seq": record.seq, "action": proposal.action, "simulated": int(is_simulated)}
			transaction.connection.execute(insert(help_offers).values(**row, state=State.OFFERED))
			return _find(transaction.connection, record.id)

		return self._store.change(act)

	def follow(self, offer_id: str, said: Spoken | Ended, caller: Caller) -> HelpOffer:
		"""Record an answer, then an outcome, each once; else `NotNowError`."""
		[(name, value)] = said
		kind, step = _STEPS[name]

		def act(transaction: Transaction) -> HelpOffer:
			offer = _find(transaction.connection, offer_id)
			before = getattr(offer, name)
			if before is not None:
				by, at = getattr(offer, f"{step}_by"), getattr(offer, f"{step}_at")
				raise NotNowError(f"offer {offer_id}", f"{by} recorded {before} on {at:%Y-%m-%d}", "It stays so")
			if name == "outcome" and offer.answer is None:
				raise NotNowError(f"offer {offer_id}", "it has no answer yet", "Record one: silence is `declined`")
			record = transaction.append([Entry(kind, {name: value.value}, None, offer_id)], caller)[0]
			changed = {name: value, "state": value if name == "answer" else State.ENDED}
			changed |= {f"{step}_at": write_time(record.at), f"{step}_by": caller.person}
			is_meant = help_offers.c.seq.in_(select(records.c.seq).where(records.c.id == offer_id))
			transaction.connection.execute(update(help_offers).where(is_meant).values(changed))
			return _find(transaction.connection, offer_id)

		return self._store.change(act)

	def list_offers(self, state: str, loan_id: str | None, after: str | None, limit: int) -> HelpOfferPage:
		"""Offers of a state and loan, if given, newest first."""
		wanted = [help_offers.c.state == state] if state else []
		wanted += [] if loan_id is None else [personal.c.application_id == _name_subject(loan_id)]
		behind = [] if after is None else [records.c.id < after]

		def act(connection: Connection) -> HelpOfferPage:
			n = connection.execute(select(func.count()).select_from(_select(*wanted).subquery())).scalar_one()
			found = _list(connection, *wanted, *behind, limit=limit + 1)
			items = found[:limit]
			return HelpOfferPage(items=items, next=items[-1].id if len(found) > limit else None, n=n)

		return self._store.read(act)

	def join(self, loans: Sequence[WatchedLoan]) -> list[WatchedLoan]:
		"""Loans with the offers made to them."""
		subjects = [_name_subject(loan.loan_id) for loan in loans]
		offers: dict[str | None, list[HelpOffer]] = defaultdict(list)
		for offer in self._store.read(lambda log: _list(log, personal.c.application_id.in_(subjects))):
			offers[offer.loan_id].append(offer)
		return [loan.model_copy(update={"offers": offers[loan.loan_id]}) for loan in loans]

	def count(self) -> Counts:
		"""Offers by action, whether simulated, answer and outcome."""
		by = [help_offers.c[name] for name in ("action", "simulated", "answer", "outcome")]
		rows = self._store.read(lambda log: log.execute(select(*by, func.count()).group_by(*by)).all())
		return {tuple(key): n for *key, n in rows}


def _name_subject(loan_id: str) -> str:
	"""By it what is kept of a loan is found, and erased."""
	return f"loan:{loan_id}"


def _round(figures: dict[str, Any]) -> dict[str, Any]:
	"""Of two digits: nobody finds an erased loan in the list again."""
	return {name: float(f"{value:.2g}") if isinstance(value, float) else value for name, value in figures.items()}


def _select(*conditions: ColumnElement[bool]) -> Any:
	joined = select_records().add_columns(*_COLUMNS).join(help_offers, help_offers.c.seq == records.c.seq)
	return joined.where(*conditions)


def _list(connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None) -> list[HelpOffer]:
	asked = _select(*conditions).order_by(records.c.id.desc()).limit(limit)
	return [_read(row) for row in connection.execute(asked)]


def _read(row: Any) -> HelpOffer:
	record = read_record(row)
	kept = {"loan_id": None, "note": "", "terms": {}} | dict(record.personal or {})
	told = {"id": record.id, "at": record.at, "person": record.person, **record.public, **kept}
	told |= {column.name: getattr(row, column.name) for column in _COLUMNS}
	return HelpOffer.model_validate({name: told[name] for name in HelpOffer.model_fields})


def _find(connection: Connection, offer_id: str) -> HelpOffer:
	for offer in _list(connection, records.c.id == offer_id):
		return offer
	raise NotThereError(f"offer {offer_id}", "there is none of this id", "GET /v1/help lists the offers")
