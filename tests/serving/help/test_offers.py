from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from loantap.serving.audit.records import Caller
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import help_offers, personal, records
from loantap.serving.help.errors import OfferStateError, UnknownOfferError
from loantap.serving.help.offer import Answer, Outcome, Proposal, State
from loantap.serving.help.offers import HelpOffers
from loantap.surveillance.help.actions import Action
from tests.serving.entries import ANN, BOB, ask, tamper

YES, NO = Answer.ACCEPTED, Answer.DECLINED


def propose(loan_id="L-1", action=Action.TERM_EXTENSION, note="", is_simulated=False):
    return Proposal(loan_id, action, is_simulated, {"terms": {"emi_new": 331.5}}, "DTI has risen.", note)


@pytest.fixture
def offers(store):
    return HelpOffers(store)


def test_an_offer_is_answered_and_ended_and_each_step_is_a_record(offers, store):
    made = offers.offer(propose(note="she asked"), ANN)
    assert (made.state, made.loan_id, made.record.person) == (State.OFFERED, "L-1", "Ann Lee")
    assert made.record.public == {"action": "term_extension", "simulated": False, "terms": {"emi_new": 331.5}}

    answered = offers.answer(made.record.id, YES, BOB)
    ended = offers.end(made.record.id, Outcome.CAUGHT_UP, ANN)

    assert (answered.state, answered.answer, answered.answered_by) == (State.ACCEPTED, YES, "Bob Ray")
    assert (ended.state, ended.outcome, ended.ended_by) == (State.ENDED, Outcome.CAUGHT_UP, "Ann Lee")
    assert (ended.answer, ended.answered_at) == (YES, answered.answered_at)
    since = store.about(made.record.id)
    assert [(one.kind, one.at, one.public) for one in since] == [
        ("help_answered", ended.answered_at, {"answer": "accepted"}),
        ("help_ended", ended.ended_at, {"outcome": "caught_up"}),
    ]
    assert offers.list_of(["L-1", "L-2"]) == {"L-1": [ended]}
    assert store.verify().is_ok


def test_a_step_out_of_order_is_refused_with_who_did_what(offers, store):
    made = offers.offer(propose(), ANN).record.id
    with pytest.raises(OfferStateError, match=r"it has no answer yet\. Record the answer first"):
        offers.end(made, Outcome.DEFAULTED, ANN)
    offers.answer(made, NO, BOB)
    with pytest.raises(OfferStateError, match=r"Bob Ray recorded declined on 20"):
        offers.answer(made, YES, ANN)
    offers.end(made, Outcome.DEFAULTED, BOB)
    with pytest.raises(OfferStateError, match=r"Bob Ray recorded defaulted on 20"):
        offers.end(made, Outcome.DEFAULTED, ANN)
    with pytest.raises(UnknownOfferError, match="there is none of this id"):
        offers.answer("hlp_0", YES, ANN)
    assert store.verify().n == 3


@pytest.mark.parametrize(
    ("said", "outcome", "remedy"),
    [(None, None, "its answer first"), (YES, None, "its outcome first"), (NO, None, ""), (YES, Outcome.PAID_OFF, "")],
)
def test_a_loan_has_one_running_offer(offers, said, outcome, remedy):
    made = offers.offer(propose(), ANN).record.id
    if said:
        offers.answer(made, said, ANN)
    if outcome:
        offers.end(made, outcome, ANN)

    if remedy:
        with pytest.raises(OfferStateError, match=rf"loan L-1: Ann Lee offered term_extension on 20.*{remedy}"):
            offers.offer(propose(action=Action.REMINDER), BOB)
    else:
        assert offers.offer(propose(action=Action.REMINDER), BOB).state == State.OFFERED
    # Others are not concerned.
    assert offers.offer(propose("L-2"), BOB).loan_id == "L-2"


def test_of_the_same_offers_at_the_same_time_one_is_kept(url):
    stores = [AuditStore.open(url), AuditStore.open(url)]

    def offer(number):
        caller = Caller(f"key-{number}", f"Person {number}", "r")
        try:
            return HelpOffers(stores[number % 2]).offer(propose(f"L-{number // 4}"), caller).record.id
        except OfferStateError:
            return None

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(offer, range(32)))
        ids = [one for one in made if one]
        said = list(threads.map(lambda one: _try_to_answer(stores, *one), [(i, a) for i in ids for a in Answer] * 2))

    assert [sum(one is not None for one in made[at : at + 4]) for at in range(0, 32, 4)] == [1] * 8
    assert sum(said) == 8
    assert ask(url, "SELECT count(*) FROM help_offers WHERE state <> 'offered'") == [(8,)]
    assert stores[0].verify().n == 16
    for store in stores:
        store.close()


def _try_to_answer(stores, offer_id, answer):
    try:
        HelpOffers(stores[answer == YES]).answer(offer_id, answer, ANN)
    except OfferStateError:
        return False
    return True


def test_offers_are_listed_newest_first_page_by_page(offers):
    ids = [offers.offer(propose(f"L-{n}"), ANN).record.id for n in range(4)]
    offers.answer(ids[1], YES, ANN)
    seen, after = [], None
    for _ in range(4):
        page = offers.list_offers("", None, after, 1)
        assert page.n == 4
        seen += [one.record.id for one in page.items]
        after = page.next

    assert (seen, after) == (ids[::-1], None)
    assert all(newer > older for newer, older in pairwise(seen))
    assert [one.record.id for one in offers.list_offers("accepted", None, None, 9).items] == [ids[1]]
    found = offers.list_offers("offered", "L-2", None, 9)
    assert ([one.record.id for one in found.items], found.n) == ([ids[2]], 1)


def test_a_loan_is_erased_and_what_was_learned_of_it_stays(offers, store, url):
    made = offers.offer(propose(note="her husband is ill"), ANN)
    offers.answer(made.record.id, YES, ANN)
    other = offers.offer(propose("L-2"), ANN)

    assert store.erase(BOB, "asked for", application_id="loan:L-1") == 1

    kept = {one.record.id: one for one in offers.list_offers("", None, None, 9).items}
    assert (kept[made.record.id].loan_id, kept[made.record.id].record.is_erased) == (None, True)
    assert kept[other.record.id].loan_id == "L-2"
    assert offers.list_of(["L-1"]) == {}
    rows = [row for of in (records, personal, help_offers) for row in ask(url, str(of.select()))]
    assert not any("L-1" in str(row) or "husband" in str(row) for row in rows)
    assert offers.end(made.record.id, Outcome.CAUGHT_UP, ANN).outcome == "caught_up"
    assert sum(one.n for one in offers.count()) == 2
    assert store.verify().is_ok


def test_an_offer_whose_record_is_missing_is_found(offers, store, url):
    offers.offer(propose(), ANN)
    tamper(url, "DELETE FROM personal", "DELETE FROM records")

    assert store.verify().fault.problem == "it is missing; its offer of help is there"
