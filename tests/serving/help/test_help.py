from datetime import date

import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.audit.tables import help_offers, personal, records
from loantap.serving.errors import NotNowError, NotThereError
from loantap.serving.help.offer import Ended, HelpProposal, Spoken, Terms, measure_rate, report_help
from loantap.serving.help.offers import HelpOffers, WatchlistFiles
from loantap.surveillance.schemas import WATCHLIST
from tests.serving.entries import ANN, BOB, ask, race, tamper
from tests.serving.watched import LOANS, MONTH, make_plans, make_watchlist, write_watchlist

YES, NO = Spoken(answer="accepted"), Spoken(answer="declined")
CAUGHT_UP, DEFAULTED = Ended(outcome="caught_up"), Ended(outcome="defaulted")
EXTEND = HelpProposal(action="term_extension")
REMIND = HelpProposal(action="reminder", terms=Terms(), note="her husband is ill")


@pytest.fixture(scope="module")
def loans(tmp_path_factory):
	folder = tmp_path_factory.mktemp("reports")
	write_watchlist(folder, "real")
	return WatchlistFiles(folder).read().select(0, 9)[0]


@pytest.fixture
def offers(store):
	return HelpOffers(store)


def test_an_offer_is_answered_and_ended_and_each_step_is_a_record(offers, store, loans):
	made = offers.offer(loans[1].model_copy(update={"pd_12m": 0.3149}), EXTEND, ANN)
	said = offers.follow(made.id, YES, BOB)
	done = offers.follow(made.id, CAUGHT_UP, ANN)

	assert (made.loan_id, made.person, made.by_plan, made.simulated, made.state) == ("L-2", "Ann Lee", 1, 0, "offered")
	assert made.terms == Terms(emi_new=331.5, months_left_new=40)
	assert (said.state, said.answer, said.answered_by) == ("accepted", "accepted", "Bob Ray")
	assert (done.state, done.outcome, done.ended_by) == ("ended", "caught_up", "Ann Lee")
	assert (done.answer, done.answered_at) == ("accepted", said.answered_at)
	kept = store.find(made.id)
	assert kept.personal == {
		"application_id": "loan:L-2",
		"loan_id": "L-2",
		"reason": "Reason 2.",
		"note": "",
		"terms": {"emi_new": 331.5, "months_left_new": 40},
	}
	assert kept.public["plan"] == {"action": "term_extension", "cost": 210, "loss_avoided": 640}
	assert (kept.public["loan"]["pd_12m"], kept.public["loan"]["as_of_month"]) == (0.31, "2017-03-01")
	assert [(one.kind, one.at, one.public) for one in store.about(made.id)] == [
		("help_answered", done.answered_at, {"answer": "accepted"}),
		("help_ended", done.ended_at, {"outcome": "caught_up"}),
	]
	assert [loan.offers for loan in offers.join(loans[:2])] == [[], [done]]
	assert offers.count() == {("term_extension", 0, "accepted", "caught_up"): 1}
	assert store.verify().is_ok


def test_a_step_out_of_order_is_refused_with_who_did_what(offers, store, loans):
	def refuse(told, act, *given):
		with pytest.raises((NotNowError, NotThereError), match=told):
			act(*given)

	made = offers.offer(loans[1], EXTEND, ANN).id
	other = (offers.offer, loans[1], REMIND, BOB)
	refuse(rf"L-2: Ann Lee offered term_extension on 20.*{made}.*its answer", *other)
	refuse(r"it has no answer yet\. Record one", offers.follow, made, DEFAULTED, ANN)
	refuse("there is none of this id", offers.follow, "hlp_0", YES, ANN)
	offers.follow(made, YES, BOB)
	refuse("its outcome first", *other)
	refuse("Bob Ray recorded accepted on 20", offers.follow, made, NO, ANN)
	offers.follow(made, DEFAULTED, BOB)
	refuse("Bob Ray recorded defaulted on 20", offers.follow, made, DEFAULTED, ANN)
	# That one is over, and so is one that is declined.
	for _ in range(2):
		offers.follow(offers.offer(loans[1], REMIND, BOB).id, NO, ANN)
	assert store.verify().n == 7


def test_of_the_same_offers_at_the_same_time_one_is_kept(url, store, loans):
	made = race(url, 20, lambda log, caller, n: HelpOffers(log).offer(loans[n // 4], REMIND, caller).loan_id)

	assert [made[at : at + 4].count(f"L-{1 + at // 4}") for at in range(0, 20, 4)] == [1] * 5
	assert ask(url, "SELECT count(*) FROM help_offers") == [(5,)]
	assert store.verify().n == 5


def test_offers_are_listed_newest_first_page_by_page(offers, loans):
	ids = [offers.offer(loan, REMIND, ANN).id for loan in loans[:3]]
	offers.follow(ids[1], YES, ANN)
	seen, after = [], None
	for _ in ids:
		page = offers.list_offers("", None, after, 1)
		seen += [one.id for one in page.items]
		after = page.next

	assert (seen, after, page.n) == (ids[::-1], None, 3)
	assert [one.id for one in offers.list_offers("accepted", None, None, 9).items] == [ids[1]]
	assert [one.id for one in offers.list_offers("offered", "L-3", None, 9).items] == [ids[2]]
	assert offers.list_offers("offered", "L-2", None, 9).n == 0


def test_a_loan_is_erased_and_what_was_learned_of_it_stays(offers, store, url, loans):
	made, other = (offers.offer(loan, REMIND, ANN).id for loan in loans[:2])

	assert store.erase(BOB, "asked for", application_id="loan:L-1") == 1

	kept = {one.id: (one.loan_id, one.note) for one in offers.list_offers("", None, None, 9).items}
	assert kept == {made: (None, ""), other: ("L-2", REMIND.note)}
	rows = [row for of in (records, personal, help_offers) for row in ask(url, str(of.select()))]
	assert not any("L-1" in str(row) for row in rows)
	assert offers.follow(made, YES, ANN).answer == "accepted"
	assert sum(offers.count().values()) == 2
	assert store.verify().is_ok


def test_an_offer_whose_record_is_missing_is_found(offers, store, url, loans):
	offers.offer(loans[0], REMIND, ANN)
	tamper(url, "DELETE FROM personal", "DELETE FROM records")

	assert store.verify().fault.problem == "it is missing; its offer of help is there"


def test_take_up_and_outcomes_are_of_those_whose_answer_or_outcome_is_known():
	extend = ("term_extension", 0)
	counts = {
		(*extend, None, None): 7,
		(*extend, "declined", None): 1,
		(*extend, "declined", "defaulted"): 1,
		(*extend, "accepted", None): 3,
		(*extend, "accepted", "caught_up"): 4,
		(*extend, "accepted", "defaulted"): 1,
		("reminder", 0, None, None): 2,
		("reminder", 1, "accepted", "caught_up"): 40,
	}

	reminder, extension, simulated = report_help(counts).items

	assert (reminder.action, reminder.offered, reminder.take_up.share) == ("reminder", 2, None)
	assert (extension.offered, extension.take_up.n, extension.take_up.of) == (17, 8, 10)
	# Wilson's bounds of 8 of 10, by hand.
	assert (extension.take_up.low, extension.take_up.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
	found = {said: {name: (rate.n, rate.of) for name, rate in of.items()} for said, of in extension.outcomes.items()}
	assert found["accepted"] == {"caught_up": (4, 5), "paid_off": (0, 5), "still_behind": (0, 5), "defaulted": (1, 5)}
	assert found["declined"]["defaulted"] == (1, 1)
	assert (simulated.simulated, simulated.offered, extension.simulated) == (True, 40, False)


@pytest.mark.parametrize(("of", "is_small"), [(0, True), (29, True), (30, False)])
def test_few_are_called_few(of, is_small):
	assert measure_rate(0, of).is_small is is_small


def test_a_list_is_read_with_its_plans_by_rank(tmp_path):
	write_watchlist(tmp_path)
	WATCHLIST.validate(make_watchlist()).iloc[::-1].to_parquet(tmp_path / "watchlist.parquet")

	found = WatchlistFiles(tmp_path).read()

	loans, n = found.select(0, 10)
	assert ([(one.loan_id, one.plan.action) for one in loans], n) == ([(row[0], row[3]) for row in LOANS], 5)
	assert (loans[0].first_seen, loans[0].escalated_in) == (date(2017, 1, 1), date(2017, 3, 1))
	assert (loans[1].escalated_in, loans[1].plan.emi_later, loans[1].plan.emi_new) == (None, None, 331.5)
	assert loans[0].trend_utilisation == [40, None, 61.5]
	assert found.count()["queue"] == {"restructuring": 2, "reminders": 2, "recoveries": 1}


@pytest.mark.parametrize(
	("after", "limit", "wanted", "ranks", "n"),
	[
		(2, 2, {}, [3, 4], 5),
		(5, 2, {}, [], 5),
		(3, 9, {"queue": "reminders", "level": ""}, [5], 2),
		(0, 9, {"level": "critical", "action": "none"}, [4], 1),
		(0, 9, {"action": "counselling"}, [], 0),
	],
)
def test_loans_are_selected_behind_a_rank(tmp_path, after, limit, wanted, ranks, n):
	write_watchlist(tmp_path)

	loans, found = WatchlistFiles(tmp_path).read().select(after, limit, **wanted)

	assert ([one.rank for one in loans], found) == (ranks, n)


@pytest.mark.parametrize(
	("loans", "months", "is_simulated"),
	[("real", "real", False), ("real", "simulated_from_outcome", True), ("simulated", "real", True)],
)
def test_made_up_loans_or_months_are_simulated(tmp_path, loans, months, is_simulated):
	make_watchlist(loans).assign(events_origin=months).to_parquet(tmp_path / "watchlist.parquet")

	assert WatchlistFiles(tmp_path).read().is_simulated is is_simulated


def test_a_list_is_kept_until_one_of_its_files_changes(tmp_path):
	write_watchlist(tmp_path)
	files = WatchlistFiles(tmp_path)
	first = files.read()
	assert files.read() is first

	make_plans(month=MONTH - pd.DateOffset(months=1)).to_parquet(tmp_path / "help_plans.parquet")
	# They were made for the list of another month.
	assert (files.read().find("L-2").plan, files.read().count()["action"]) == (None, {})
	make_plans().assign(origin="real").to_parquet(tmp_path / "help_plans.parquet")
	assert files.read().find("L-2").plan is None
	(tmp_path / "help_plans.parquet").unlink()
	assert files.read().find("L-2").plan is None
	make_watchlist().head(0).to_parquet(tmp_path / "watchlist.parquet")
	assert (files.read().select(0, 9), files.read().is_simulated) == (([], 0), False)
	with pytest.raises(NotThereError, match="'L-2': it is not on the watch-list"):
		files.read().find("L-2")


def test_without_a_list_or_with_a_damaged_file_it_is_named(tmp_path):
	with pytest.raises(NotThereError, match=r"watchlist.parquet: no run .* --pipelines early_warning"):
		WatchlistFiles(tmp_path / "none").read()

	write_watchlist(tmp_path)
	make_plans().drop(columns="why").to_parquet(tmp_path / "help_plans.parquet")
	with pytest.raises(InputError, match=r"help_plans.parquet: it cannot be read: .*why"):
		WatchlistFiles(tmp_path).read()
