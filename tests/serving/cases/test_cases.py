from dataclasses import replace
from datetime import timedelta

import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.cases.case import CaseDecision, Reason, State
from loantap.serving.cases.cases import CaseQueue, Order, list_queue
from loantap.serving.errors import NotNowError, NotThereError
from tests.serving.entries import ANN, BOB, ask, keep, make_decision, race

APPROVE = CaseDecision(decision="approve", reason=Reason.INCOME_CONFIRMED)
DECLINE = CaseDecision(decision="decline", reason=Reason.SUSPECTED_FRAUD)
AMOUNTS = (300.0, 100.0, 200.0, 100.0)


@pytest.fixture
def cases(store):
	return CaseQueue(store)


@pytest.fixture
def ids(store):
	entries = [make_decision(1, "refer", amount=amount) for amount in AMOUNTS]
	return [record.id for record in store.append([*entries, make_decision(9)], ANN)][:4]


@pytest.fixture
def taken(cases, ids):
	return cases.take(ids[0], ANN)


def test_a_case_is_taken_and_decided(cases, ids, store, taken):
	assert (taken.state, taken.taken_by, taken.amount) == (State.TAKEN, "Ann Lee", 300.0)
	assert taken.expires_at == taken.taken_at + timedelta(minutes=30)
	assert cases.find(ids[0]) == taken

	said = APPROVE.model_copy(update={"note": "payslip seen"})
	closed, override = cases.decide(ids[0], said, ANN)

	assert (closed.state, closed.outcome, closed.reason) == ("closed", "approve", APPROVE.reason)
	assert (closed.taken_by, closed.closed_at) == ("Ann Lee", override.at)
	assert cases.find(ids[0]) == closed
	assert override.public == {"decision": "approve", "reason": "income confirmed"}
	assert override.personal == {"note": "payslip seen"}
	assert [record.kind for record in store.about(ids[0])] == ["case_taken", "case_decided"]
	assert store.find(ids[0]).public["decision"] == "refer"
	assert store.verify().is_ok


def test_another_person_is_told_who_has_it(cases, ids, store, taken):
	with pytest.raises(NotNowError, match="Ann Lee has it until"):
		cases.take(ids[0], BOB)
	with pytest.raises(NotNowError, match="Bob Ray does not have it: Ann Lee has it"):
		cases.give_back(ids[0], BOB)
	with pytest.raises(NotNowError, match="Ann Lee has it"):
		cases.decide(ids[0], APPROVE, BOB)
	assert len(store.about(ids[0])) == 1


@pytest.mark.parametrize("other", [{"key_id": "key-b"}, {"person": "Bob Ray"}])
def test_who_has_it_is_a_person_with_a_key_however_the_name_is_written(cases, ids, other, taken):
	with pytest.raises(NotNowError, match="Ann Lee has it until"):
		cases.take(ids[0], replace(ANN, **other))
	assert cases.decide(ids[0], APPROVE, replace(ANN, person="ANN  lee"))


def test_a_case_that_was_given_back_is_anybodys(cases, ids, taken):
	given = cases.give_back(ids[0], ANN)

	assert (given.state, given.taken_by, given.taken_by_key) == (State.OPEN, None, None)
	assert (given.taken_at, given.expires_at) == (None, None)
	with pytest.raises(NotNowError, match=r"nobody has it\. Nothing is to be done"):
		cases.give_back(ids[0], ANN)
	assert cases.take(ids[0], BOB).taken_by == "Bob Ray"


def test_a_case_is_held_for_so_long_only(store, ids):
	over = CaseQueue(store, hold=timedelta(0))
	over.take(ids[0], ANN)

	found = over.find(ids[0])
	assert (found.state, found.taken_by, found.expires_at) == (State.OPEN, None, None)
	with pytest.raises(NotNowError, match="nobody has it"):
		over.decide(ids[0], APPROVE, ANN)
	assert [item.decision_id for item in over.list_cases().items] == ids
	assert over.list_cases(State.TAKEN).n == 0
	assert CaseQueue(store).take(ids[0], BOB).taken_by == "Bob Ray"


def test_a_decided_case_stays_as_it_is(cases, ids, taken):
	cases.decide(ids[0], DECLINE, ANN)

	for act in (
		lambda: cases.take(ids[0], BOB),
		lambda: cases.give_back(ids[0], ANN),
		lambda: cases.decide(ids[0], APPROVE, ANN),
	):
		with pytest.raises(NotNowError, match=r"Ann Lee decided it on 20.*decline"):
			act()


def test_what_was_not_referred_has_no_case(cases, store):
	[approved] = keep(store, 1)

	for asked in (approved.id, "dec_unknown"):
		assert cases.find(asked) is None
		with pytest.raises(NotThereError, match="no decision of this id was referred"):
			cases.take(asked, ANN)


def test_a_note_says_why_where_the_reason_does_not(cases, ids, taken):
	for note, told in ((None, None), ("  ", None), ("x" * 2_000, {"note": "x" * 2_000})):
		said = CaseDecision(decision="decline", reason=Reason.OTHER, note=note)
		if told is None:
			with pytest.raises(InputError, match="note: it is missing"):
				cases.decide(ids[0], said, ANN)
		else:
			assert cases.decide(ids[0], said, ANN)[1].personal == told


def test_a_case_is_open_to_all_from_the_moment_that_its_time_ends(store, taken):
	def count(state, now):
		return store.read(lambda log: list_queue(log, state, Order.AGE, None, 50, now)).n

	just_before = taken.expires_at - timedelta(microseconds=1)
	assert (count(State.OPEN, just_before), count(State.TAKEN, just_before)) == (3, 1)
	assert (count(State.OPEN, taken.expires_at), count(State.TAKEN, taken.expires_at)) == (4, 0)


def test_two_people_in_two_processes_never_hold_one_case(url, store):
	kept = store.append([make_decision(1, "refer")] * 12, ANN)

	taken = race(url, 48, lambda log, caller, n: CaseQueue(log).take(kept[n // 4].id, caller).taken_by)

	winners = [[name for name in taken[i : i + 4] if name] for i in range(0, 48, 4)]
	assert [len(names) for names in winners] == [1] * 12
	assert [(name,) for names in winners for name in names] == ask(url, "SELECT taken_by FROM cases ORDER BY seq")
	assert store.verify().n == 24


@pytest.mark.parametrize(("order", "places"), [(Order.AGE, [0, 1, 2, 3]), (Order.AMOUNT, [0, 2, 1, 3])])
def test_the_queue_is_in_order_page_by_page(cases, ids, order, places):
	seen, after = [], None
	# Of one case each, so that equal amounts are parted.
	for _ in range(4):
		page = cases.list_cases(order=order, after=after, limit=1)
		assert page.n == 4
		seen += [item.decision_id for item in page.items]
		after = page.next

	assert seen == [ids[place] for place in places]
	assert after is None


def test_each_state_has_its_list(cases, ids):
	cases.take(ids[1], ANN)
	cases.take(ids[2], BOB)
	cases.decide(ids[2], APPROVE, BOB)

	listed = {state: [item.decision_id for item in cases.list_cases(state).items] for state in State}
	assert listed == {State.OPEN: [ids[0], ids[3]], State.TAKEN: [ids[1]], State.CLOSED: [ids[2]]}


@pytest.mark.parametrize("order", list(Order))
def test_a_cursor_of_another_list_is_refused(cases, order):
	for cursor in ("", "1:x", "nan"):
		with pytest.raises(InputError, match="is no cursor of this list"):
			cases.list_cases(order=order, after=cursor)


def test_overrides_are_counted(cases, ids):
	assert cases.count_overrides().n == 0
	for decision_id, caller, said in ((ids[0], ANN, APPROVE), (ids[1], ANN, DECLINE), (ids[2], BOB, APPROVE)):
		cases.take(decision_id, caller)
		cases.decide(decision_id, said, caller)

	counted = cases.count_overrides()

	assert (counted.n, counted.by_outcome) == (3, {"approve": 2, "decline": 1})
	reasons = [(one.reason, one.outcome, one.n) for one in counted.by_reason]
	assert reasons == [("income confirmed", "approve", 2), ("suspected fraud", "decline", 1)]
	people = [(one.person, one.outcome, one.n) for one in counted.by_person]
	assert people == [("Ann Lee", "approve", 1), ("Ann Lee", "decline", 1), ("Bob Ray", "approve", 1)]
