"""Offers of help: made, answered, ended, listed; each step is a record."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from loantap.portfolio.dictionary import REAL
from loantap.portfolio.errors import InputError
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.reading import read_record, select_records
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import help_offers, personal, records
from loantap.serving.audit.transaction import Transaction
from loantap.serving.help.offer import HelpOffer, HelpOfferPage, HelpOutcome, HelpProposal, Said, State, WatchedLoan
from loantap.serving.help.report import Counts

_RUNNING = help_offers.c.state.in_([State.OFFERED, State.ACCEPTED])
# What the list and the plan said, kept beside the terms so that outcomes can be learnt from.
_OF_LOAN = {"as_of_month", "level", "queue", "days_past_due", "pd_12m", "expected_loss"}
_OF_PLAN = {"action", "cost", "loss_avoided"}


class UnknownOfferError(InputError):
    """There is no offer of help of this id."""


class OfferStateError(InputError):
    """Somebody did this before, or something else comes first."""


class HelpOffers:
    """The offers of one audit log, which has one writer at a time, even from two processes."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    def offer(self, loan: WatchedLoan, proposal: HelpProposal, caller: Caller) -> HelpOffer:
        """Record an offer; without terms it is the plan's. `OfferStateError` while another one of the loan runs."""
        subject = _name_subject(loan.loan_id)
        terms, is_simulated = proposal.terms, {loan.origin, loan.events_origin} != {REAL}
        if terms is None and loan.plan is not None:
            terms = loan.plan.terms
        public = {
            "action": proposal.action.value,
            "by_plan": proposal.terms is None,
            "terms": terms.model_dump(exclude_none=True) if terms else {},
            "loan": loan.model_dump(mode="json", include=_OF_LOAN),
            "plan": loan.plan and loan.plan.model_dump(mode="json", include=_OF_PLAN),
        }
        kept = {"application_id": subject, "loan_id": loan.loan_id, "reason": loan.reason, "note": proposal.note}

        def act(transaction: Transaction) -> HelpOffer:
            for other in _list(transaction.connection, personal.c.application_id == subject, _RUNNING):
                told = f"{other.person} offered {other.action} on {other.at:%Y-%m-%d %H:%M} UTC ({other.id})"
                missing = "outcome" if other.answer else "answer"
                raise OfferStateError(f"loan {loan.loan_id}", told, f"Record its {missing} first")
            record = transaction.append([Entry(Kind.HELP_OFFERED, public, kept)], caller)[0]
            row = {"seq": record.seq, "action": proposal.action, "simulated": int(is_simulated)}
            transaction.connection.execute(insert(help_offers).values(**row, state=State.OFFERED))
            return _find(transaction.connection, record.id)

        return self._store.change(act)

    def answer(self, offer_id: str, said: Said, caller: Caller) -> HelpOffer:
        """Record what the borrower said, once; `OfferStateError` the second time."""

        def act(transaction: Transaction) -> HelpOffer:
            offer = _find(transaction.connection, offer_id)
            if offer.answer is not None:
                raise _refuse(offer_id, f"{offer.answered_by} recorded {offer.answer} on {offer.answered_at:%Y-%m-%d}")
            entry = Entry(Kind.HELP_ANSWERED, {"answer": said.value}, None, offer_id)
            return _change(transaction, entry, caller, "answered", state=State(said), answer=said)

        return self._store.change(act)

    def end(self, offer_id: str, outcome: HelpOutcome, caller: Caller) -> HelpOffer:
        """Record what became of the loan, once and after the answer; else `OfferStateError`."""

        def act(transaction: Transaction) -> HelpOffer:
            offer = _find(transaction.connection, offer_id)
            if offer.answer is None:
                raise _refuse(offer_id, "it has no answer yet", "Record one first: silence is `declined`")
            if offer.outcome is not None:
                raise _refuse(offer_id, f"{offer.ended_by} recorded {offer.outcome} on {offer.ended_at:%Y-%m-%d}")
            entry = Entry(Kind.HELP_ENDED, {"outcome": outcome.value}, None, offer_id)
            return _change(transaction, entry, caller, "ended", state=State.ENDED, outcome=outcome)

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
    """The id by which what is kept of a loan is found, and erased."""
    return f"loan:{loan_id}"


def _select(*conditions: ColumnElement[bool]) -> Any:
    columns = [column for column in help_offers.c if column.name != "seq"]
    joined = select_records().add_columns(*columns).join(help_offers, help_offers.c.seq == records.c.seq)
    return joined.where(*conditions)


def _list(connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None) -> list[HelpOffer]:
    asked = _select(*conditions).order_by(records.c.id.desc()).limit(limit)
    return [_read(row) for row in connection.execute(asked)]


def _read(row: Any) -> HelpOffer:
    record = read_record(row)
    kept, columns = record.personal or {}, dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    steps = ("action", "simulated", "state", "answer", "answered_at", "answered_by", "outcome", "ended_at", "ended_by")
    return HelpOffer.model_validate(
        {
            "id": record.id, "at": record.at, "person": record.person, "loan_id": kept.get("loan_id"),
            "note": kept.get("note", ""), "by_plan": record.public["by_plan"], "terms": record.public["terms"],
            **{name: columns[name] for name in steps},
        }
    )  # fmt: skip


def _find(connection: Connection, offer_id: str) -> HelpOffer:
    for offer in _list(connection, records.c.id == offer_id):
        return offer
    raise UnknownOfferError(f"offer {offer_id}", "there is none of this id", "GET /v1/help lists the offers")


def _refuse(offer_id: str, told: str, remedy: str = "What is recorded stays: see GET /v1/help") -> OfferStateError:
    return OfferStateError(f"offer {offer_id}", told, remedy)


def _change(transaction: Transaction, entry: Entry, caller: Caller, step: str, **changed: str) -> HelpOffer:
    transaction.append([entry], caller)
    changed |= {f"{step}_at": write_time(transaction.now), f"{step}_by": caller.person}
    is_meant = help_offers.c.seq.in_(select(records.c.seq).where(records.c.id == entry.subject))
    transaction.connection.execute(update(help_offers).where(is_meant).values(changed))
    return _find(transaction.connection, str(entry.subject))
