from dataclasses import replace
from datetime import date

import pytest

from loantap.policy.credit_policy import require_as_approved
from loantap.portfolio.errors import InputError
from loantap.serving.audit.records import Caller
from loantap.serving.errors import InvalidPolicyError, NotNowError, NotThereError, PolicyChangedError, SamePersonError
from loantap.serving.policies.book import PolicyBook
from loantap.serving.policies.entries import State
from tests.policy.shipped import ECONOMICS, make_policy, read_policy
from tests.serving.entries import ANN, BOB, ask, race, tamper

SYSTEM = Caller("loantap-api", "loantap-api", "start")
TODAY = date(2026, 12, 15)
_CHANGE = "UPDATE records SET public = replace(public, '35000', '99000')"


@pytest.fixture
def book(store):
	opened = PolicyBook(store, lambda: TODAY)
	opened.enter(make_policy(), ECONOMICS, SYSTEM)
	return opened


def write(version="2026-12", **changed):
	written = read_policy(version=version, author="Ann Lee", effective_from=date(2026, 12, 1))
	kept = {name: value for name, value in written.items() if name not in {"approved_by", "digest"}}
	return {"policy": kept | changed}


def propose(book, *version, **changed):
	return book.propose(write(*version, **changed), ANN)


def activate(book, *version):
	return book.activate(propose(book, *version).id, BOB)


def make_economics(loss_given_default):
	economics = ECONOMICS.model_dump(mode="json")
	economics["scenarios"]["mid"]["loss_given_default"] = loss_given_default
	return economics


def test_the_configured_policy_is_in_force_at_the_first_start_and_later_it_changes_nothing(store):
	book = PolicyBook(store, lambda: TODAY)
	assert book.active() is None

	entered = book.enter(make_policy(), ECONOMICS, SYSTEM)

	assert (entered.policy, entered.economics) == (make_policy(), ECONOMICS)
	assert (entered.generation, entered.can_roll_back_to) == (1, None)
	n = store.verify().n
	assert book.enter(make_policy(min_margin=0.01), ECONOMICS, SYSTEM) == entered
	assert book.active() == entered
	assert store.verify().n == n


def test_two_processes_enter_it_once(url, store):
	def enter(log, *_):
		return PolicyBook(log, lambda: TODAY).enter(make_policy(), ECONOMICS, SYSTEM).generation

	assert race(url, 8, enter) == [1] * 8
	assert store.verify().n == 2


def test_the_configured_policy_must_be_as_approved_and_due(store):
	book = PolicyBook(store, lambda: TODAY)
	with pytest.raises(NotNowError, match="there was none before it"):
		book.roll_back(ANN)
	changed = make_policy().model_copy(update={"version": "other"})
	with pytest.raises(InputError, match="was changed after"):
		book.enter(changed, ECONOMICS, SYSTEM)
	early = PolicyBook(store, lambda: date(2026, 10, 31))
	with pytest.raises(InputError, match="it takes effect on 2026-11-01"):
		early.enter(make_policy(), ECONOMICS, SYSTEM)
	assert store.verify().n == 0


def test_four_eyes_one_proposes_and_another_activates(book, store):
	proposal = propose(book)
	assert (proposal.name, proposal.person) == ("npv 2026-12", "Ann Lee")
	assert book.active().policy.version == "2026-11"

	active = book.activate(proposal.id, BOB)

	assert book.active() == active
	assert (active.policy.version, active.policy.approved_by) == ("2026-12", "Bob Ray")
	require_as_approved(active.policy, active.economics)
	assert (active.generation, active.can_roll_back_to) == (2, "npv 2026-11")
	[activated] = store.about(proposal.id)
	assert (activated.kind, activated.person) == ("policy_activated", "Bob Ray")
	assert activated.public["digest"] == active.policy.digest


@pytest.mark.parametrize(
	("caller", "problem"),
	[
		(ANN, "Ann Lee proposed it"),
		(replace(BOB, person="ann  LEE"), "Ann Lee proposed it"),
		(replace(BOB, person="Cy Oak"), "Cy Oak wrote it"),
		(replace(ANN, person="Bob Ray"), "it was proposed with this key"),
	],
)
def test_the_same_person_or_key_is_refused(book, caller, problem):
	proposal = propose(book, author="Cy Oak")

	with pytest.raises(SamePersonError, match=problem):
		book.activate(proposal.id, caller)
	assert book.active().generation == 1
	assert book.activate(proposal.id, BOB).generation == 2


def test_the_author_is_who_proposes_where_none_is_named(book):
	content = write()
	del content["policy"]["author"]

	assert book.propose(content, BOB).policy["author"] == "Bob Ray"


@pytest.mark.parametrize(
	("changed", "where"),
	[
		({"rules": {}}, "policy.rules.min_margin"),
		({"surprise": 1}, "policy.surprise"),
		({"version": " "}, "policy.version"),
		({"scenario": "rosy"}, "policy.scenario"),
		({"digest": "x"}, "policy.digest"),
	],
)
def test_what_is_no_policy_names_the_field(book, changed, where):
	require_refusal(book, write(**changed), where)


def test_assumptions_are_checked_too(book):
	content = {**write(), "economics": make_economics(2)}
	require_refusal(book, content, "economics.scenarios.mid.loss_given_default")


def require_refusal(book, content, where):
	with pytest.raises(InvalidPolicyError) as refused:
		book.propose(content, ANN)

	assert refused.value.where == where
	assert len(book.history()) == 1


def test_something_else_is_refused(book):
	for content in ({}, {"policy": 1}, {**write(), "other": 1}):
		with pytest.raises(InvalidPolicyError):
			book.propose(content, ANN)


def test_an_unknown_proposal(book):
	for act in (lambda: book.activate("pol_x", BOB), lambda: book.find_proposal("pol_x")):
		with pytest.raises(NotThereError, match="policy pol_x"):
			act()


def test_a_policy_of_the_future_says_from_when(book):
	tomorrow = propose(book, effective_from=date(2026, 12, 16))
	with pytest.raises(NotNowError, match="it takes effect on 2026-12-16") as refused:
		book.activate(tomorrow.id, BOB)
	assert refused.value.remedy == "Activate it from 2026-12-16 on"

	today = propose(book, "2026-12b", effective_from=TODAY)
	assert book.activate(today.id, BOB).policy.version == "2026-12b"


def test_a_policy_that_another_has_taken_the_place_of_has_expired(book):
	old = propose(book, "old", effective_from=date(2026, 10, 31))
	same_day = propose(book, "same", effective_from=date(2026, 11, 1))

	with pytest.raises(NotNowError, match="it has expired: it was to take effect on 20"):
		book.activate(old.id, BOB)
	assert book.activate(same_day.id, BOB).policy.version == "same"
	with pytest.raises(NotNowError, match=r"in force already\. Nothing is to be done"):
		book.activate(same_day.id, BOB)


@pytest.mark.parametrize("part", ["rules", "economics"])
def test_a_version_stands_for_one_content(book, part):
	content = write()
	other = write(rules=content["policy"]["rules"] | {"min_margin": 0.01})
	if part == "economics":
		other = {**content, "economics": make_economics(0.65)}
	waiting = book.propose(other, ANN)
	book.activate(book.propose(content, ANN).id, BOB)
	assert book.propose(content, ANN).name == "npv 2026-12"

	for act in (lambda: book.propose(other, ANN), lambda: book.activate(waiting.id, BOB)):
		with pytest.raises(InvalidPolicyError, match="was in force with another content"):
			act()


def test_a_proposal_that_was_changed_in_the_log(book, url):
	proposal = propose(book)
	tamper(url, _CHANGE)
	assert "99000" in ask(url, "SELECT public FROM records ORDER BY seq DESC LIMIT 1")[0][0]

	with pytest.raises(PolicyChangedError, match="was changed after Ann Lee proposed it"):
		book.activate(proposal.id, BOB)


def test_a_policy_in_force_that_was_changed_in_the_log(book, store, url):
	tamper(url, _CHANGE)

	fresh = PolicyBook(store, lambda: TODAY)
	with pytest.raises(PolicyChangedError, match="is not what LoanTap credit policy approved"):
		fresh.active()


def test_each_way_back_goes_one_further(book, url):
	for version in ("b", "c", "d"):
		activate(book, version)

	back = [book.roll_back(ANN) for _ in range(3)]

	assert [active.policy.version for active in back] == ["c", "b", "2026-11"]
	assert back[-1] == book.active()
	assert (back[-1].policy, back[-1].generation) == (make_policy(), 7)
	assert (back[-1].activated_by, back[-1].can_roll_back_to) == ("Ann Lee", None)
	assert ask(url, "SELECT kind, person FROM records ORDER BY seq DESC LIMIT 1") == [("policy_rolled_back", "Ann Lee")]
	with pytest.raises(NotNowError, match="there was none before it"):
		book.roll_back(ANN)


def test_a_policy_may_be_put_in_force_again_and_rolled_back_to_the_last(book):
	activate(book, "b")
	book.roll_back(ANN)
	activate(book, "c")

	assert book.active().can_roll_back_to == "npv 2026-11"
	assert book.roll_back(ANN).policy.version == "2026-11"


def test_what_is_proposed_twice_is_there_once_while_it_waits(book):
	first = propose(book)

	assert propose(book) == first
	assert book.propose(write(), BOB).id != first.id
	book.activate(first.id, BOB)
	assert propose(book).id != first.id


def test_past_decisions_find_their_policy(book):
	first = book.active()
	second = activate(book)

	assert book.find_by_digest(first.policy.short_digest).policy == first.policy
	assert book.find_by_digest(str(second.policy.digest)).policy == second.policy
	for unknown in ("0" * 12, "", second.policy.short_digest[:11]):
		assert book.find_by_digest(unknown) is None


def test_the_history_tells_what_became_of_each(book):
	proposals = [propose(book, version) for version in ("b", "c", "d")]
	book.activate(proposals[0].id, BOB)
	book.activate(proposals[2].id, BOB)

	told = [(entry.proposal.name, entry.state, entry.approved_by) for entry in book.history()]

	assert told == [
		("npv d", State.IN_FORCE, "Bob Ray"),
		("npv c", State.PROPOSED, None),
		("npv b", State.PAST, "Bob Ray"),
		("npv 2026-11", State.PAST, "LoanTap credit policy"),
	]
	book.roll_back(ANN)
	assert [entry.state for entry in book.history()] == [State.PAST, State.PROPOSED, State.IN_FORCE, State.PAST]
