"""Offers of help: made, answered, ended, listed; each step is a record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from loantap.serving.audit.chain import write_time
from loantap.serving.audit.reading import read_record, select_records
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import help_offers, personal, records
from loantap.serving.audit.transaction import Transaction
from loantap.serving.help.errors import OfferStateError, UnknownOfferError
from loantap.serving.help.offer import Answer, Offer, OfferPage, Outcome, Proposal, State
from loantap.serving.help.report import Counted
from loantap.surveillance.help.actions import Action

_RUNNING = (State.OFFERED, State.ACCEPTED)


def name_subject(loan_id: str) -> str:
    """The id by which all that is kept of a loan's help is found, and erased."""
    return f"loan:{loan_id}"


class HelpOffers:
    """The offers of one audit log, which has one writer at a time, even from two processes.

    `UnknownOfferError` says that there is no such offer, `OfferStateError` who did what before.
    """

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    def offer(self, proposal: Proposal, caller: Caller) -> Offer:
        """Record that help was offered; refused while another offer of the loan is not over."""
        subject = name_subject(proposal.loan_id)

        def act(transaction: Transaction) -> Offer:
            asked = _select_offers().where(personal.c.application_id == subject, help_offers.c.state.in_(_RUNNING))
            row = transaction.connection.execute(asked).first()
            if row is not None:
                raise _refuse_second(proposal.loan_id, _read_offer(row))
            kept = {"application_id": subject, "loan_id": proposal.loan_id, "reason": proposal.reason}
            kept |= {"note": proposal.note} if proposal.note else {}
            public = {"action": proposal.action.value, "simulated": proposal.is_simulated, **proposal.public}
            record = transaction.append([Entry(Kind.HELP_OFFERED, public, kept)], caller)[0]
            values = {"action": proposal.action, "simulated": int(proposal.is_simulated), "state": State.OFFERED}
            transaction.connection.execute(insert(help_offers).values(seq=record.seq, **values))
            return Offer(record, proposal.action, proposal.is_simulated, State.OFFERED)

        return self._store.change(act)

    def answer(self, offer_id: str, answer: Answer, caller: Caller) -> Offer:
        """Record what the borrower said, once."""

        def act(transaction: Transaction) -> Offer:
            offer = _find(transaction.connection, offer_id)
            if offer.answer is not None:
                raise _refuse(offer_id, offer.answer, offer.answered_by, offer.answered_at)
            changed = {"state": State(answer), "answer": answer, "answered_by": caller.person}
            entry = Entry(Kind.HELP_ANSWERED, {"answer": answer.value}, None, offer_id)
            return _change(transaction, offer, entry, caller, changed, "answered_at")

        return self._store.change(act)

    def end(self, offer_id: str, outcome: Outcome, caller: Caller) -> Offer:
        """Record what became of the loan, once, after the answer."""

        def act(transaction: Transaction) -> Offer:
            offer = _find(transaction.connection, offer_id)
            if offer.answer is None:
                raise OfferStateError(
                    f"offer {offer_id}", "it has no answer yet", "Record the answer first; none in time is `declined`"
                )
            if offer.outcome is not None:
                raise _refuse(offer_id, offer.outcome, offer.ended_by, offer.ended_at)
            changed = {"state": State.ENDED, "outcome": outcome, "ended_by": caller.person}
            entry = Entry(Kind.HELP_ENDED, {"outcome": outcome.value}, None, offer_id)
            return _change(transaction, offer, entry, caller, changed, "ended_at")

        return self._store.change(act)

    def list_offers(self, state: str, loan_id: str | None, after: str | None, limit: int) -> OfferPage:
        """Offers, newest first, behind the cursor `after`; of one state or loan where it is given."""
        conditions = [help_offers.c.state == state] if state else []
        if loan_id is not None:
            conditions.append(personal.c.application_id == name_subject(loan_id))
        asked = _select_offers().where(*conditions)
        page = asked if after is None else asked.where(records.c.id < after)

        def act(connection: Connection) -> OfferPage:
            n = connection.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
            rows = connection.execute(page.order_by(records.c.id.desc()).limit(limit + 1)).all()
            items = tuple(_read_offer(row) for row in rows[:limit])
            return OfferPage(items, items[-1].record.id if len(rows) > limit else None, n)

        return self._store.read(act)

    def list_of(self, loan_ids: Sequence[str]) -> Mapping[str | None, list[Offer]]:
        """The offers to some loans, newest first."""
        subjects = [name_subject(loan_id) for loan_id in loan_ids]
        asked = _select_offers().where(personal.c.application_id.in_(subjects)).order_by(records.c.seq.desc())
        found: dict[str | None, list[Offer]] = defaultdict(list)
        for row in self._store.read(lambda connection: connection.execute(asked).all()):
            offer = _read_offer(row)
            found[offer.loan_id].append(offer)
        return found

    def count(self) -> list[Counted]:
        """Offers by action, origin, answer and outcome."""
        by = (help_offers.c.action, help_offers.c.simulated, help_offers.c.answer, help_offers.c.outcome)
        asked = select(*by, func.count().label("n")).group_by(*by)
        return [
            Counted(Action(row.action), bool(row.simulated), row.answer, row.outcome, int(row.n))
            for row in self._store.read(lambda connection: connection.execute(asked).all())
        ]


def _select_offers() -> Select[Any]:
    columns = [column for column in help_offers.c if column.name != "seq"]
    return select_records().add_columns(*columns).join(help_offers, help_offers.c.seq == records.c.seq)


def _find(connection: Connection, offer_id: str) -> Offer:
    row = connection.execute(_select_offers().where(records.c.id == offer_id)).first()
    if row is None:
        raise UnknownOfferError(f"offer {offer_id}", "there is none of this id", "GET /v1/help lists the offers")
    return _read_offer(row)


def _change(
    transaction: Transaction, offer: Offer, entry: Entry, caller: Caller, changed: Mapping[str, object], at: str
) -> Offer:
    transaction.append([entry], caller)
    is_meant = help_offers.c.seq == offer.record.seq
    values = {**changed, at: write_time(transaction.now)}
    transaction.connection.execute(update(help_offers).where(is_meant).values(values))
    return _find(transaction.connection, offer.record.id)


def _refuse(offer_id: str, said: str, by: str | None, at: datetime | None) -> OfferStateError:
    told = f"{by} recorded {said} on {at:%Y-%m-%d %H:%M} UTC"
    return OfferStateError(f"offer {offer_id}", told, "What is recorded stays: look at it with GET /v1/help")


def _refuse_second(loan_id: str, offer: Offer) -> OfferStateError:
    made = offer.record
    return OfferStateError(
        f"loan {loan_id}",
        f"{made.person} offered {offer.action} on {made.at:%Y-%m-%d %H:%M} UTC ({made.id}), and it is {offer.state}",
        "Record its outcome first" if offer.answer else "Record its answer first",
    )


def _read_offer(row: Row[Any]) -> Offer:
    return Offer(
        read_record(row), Action(row.action), bool(row.simulated), State(row.state),
        row.answer and Answer(row.answer), row.answered_at and datetime.fromisoformat(row.answered_at),
        row.answered_by, row.outcome and Outcome(row.outcome),
        row.ended_at and datetime.fromisoformat(row.ended_at), row.ended_by,
    )  # fmt: skip
