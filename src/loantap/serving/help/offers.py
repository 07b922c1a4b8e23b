"""Offers of help: made, answered, ended, listed; each step is a record."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from loantap.portfolio.dictionary import REAL
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.reading import read_record, select_records
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import help_offers, personal, records
from loantap.serving.audit.transaction import Transaction
from loantap.serving.errors import NotNowError, NotThereError
from loantap.serving.help.offer import Counts, Ended, HelpOffer, HelpOfferPage, HelpProposal, Spoken, State, WatchedLoan

_STEPS: Final = {"answer": (Kind.HELP_ANSWERED, "answered"), "outcome": (Kind.HELP_ENDED, "ended")}
_COLUMNS: Final = [column for column in help_offers.c if column.name != "seq"]
# What list and plan said, so that outcomes can be learnt from.
_OF_LOAN: Final = {"as_of_month", "level", "queue", "days_past_due", "pd_12m", "expected_loss"}
_OF_PLAN: Final = {"action", "cost", "loss_avoided"}


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
      "plan": loan.plan and _round(loan.plan.model_dump(mode="json", include=_OF_PLAN)),
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
  """The id by which what is kept of a loan is found, and erased."""
  return f"loan:{loan_id}"


def _round(figures: dict[str, Any]) -> dict[str, Any]:
  """Figures of two digits, by which nobody finds an erased loan in the list again."""
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
