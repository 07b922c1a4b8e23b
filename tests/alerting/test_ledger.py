from datetime import timedelta

from loantap.alerting.ledger import claimed, note_failed
from tests.alerting.conftest import NOW, make_finding

DTI, INCOME = make_finding(), make_finding("annual_income")


def _count_due(ledger, now=NOW):
	with claimed(ledger.engine, now) as due:
		return len(due)


def test_each_alert_is_told_once_when_it_opens_and_once_when_it_clears(ledger):
	ledger.take(DTI, INCOME)
	ledger.take(DTI, later=1)
	ledger.take(later=2)

	told = [("opened", "dti_pct"), ("opened", "annual_income"), ("cleared", "annual_income"), ("cleared", "dti_pct")]
	assert ledger.kinds == told


def test_one_that_goes_on_is_told_again_after_its_silence(ledger):
	ledger.take(DTI)

	assert ledger.take(DTI, later=29) == 0
	assert ledger.take(DTI, later=30) == 1
	assert ledger.take(DTI, later=59) == 0
	assert ledger.kinds == [("opened", "dti_pct"), ("goes_on", "dti_pct")]


def test_one_that_comes_back_after_it_cleared_opens_anew(ledger):
	ledger.take(DTI)
	ledger.take(later=1)
	ledger.take(DTI, later=2)

	assert [kind for kind, _ in ledger.kinds] == ["opened", "cleared", "opened"]


def test_what_could_not_be_judged_is_not_said_to_have_cleared(ledger):
	ledger.take(DTI, INCOME)
	ledger.take(later=1, quiet=["annual_income"])
	ledger.take(DTI, later=2)

	assert ledger.kinds == [("opened", "dti_pct"), ("opened", "annual_income"), ("cleared", "annual_income")]


def test_a_report_that_was_taken_changes_nothing_and_an_older_one_is_not_counted(ledger):
	eager = make_finding(silence_days=0)
	assert ledger.take(eager) == 1

	assert ledger.take(eager) == 0
	assert ledger.take(later=-1) is None
	assert ledger.kinds == [("opened", "dti_pct")]


def test_another_report_of_the_same_day_counts(ledger):
	ledger.take(DTI)
	ledger.take(INCOME)

	assert ledger.kinds == [("opened", "dti_pct"), ("opened", "annual_income"), ("cleared", "dti_pct")]


def test_a_channel_is_told_in_order_so_that_nothing_opens_after_it_cleared(ledger):
	ledger.take(DTI)
	with claimed(ledger.engine, NOW) as due:
		note_failed(ledger.engine, due, "it is down", NOW)
	ledger.take(later=1)

	assert _count_due(ledger) == 0
	assert _count_due(ledger, NOW + timedelta(minutes=1)) == 2


def test_a_sender_that_was_too_slow_lets_the_claim_of_the_next_be(ledger):
	ledger.take(DTI)
	slow = claimed(ledger.engine, NOW)
	slow.__enter__()
	with claimed(ledger.engine, NOW + timedelta(minutes=10)) as due:
		slow.__exit__(None, None, None)

		assert (len(due), _count_due(ledger, NOW + timedelta(minutes=10))) == (1, 0)


def test_two_senders_at_once_get_no_message_twice(ledger):
	ledger.take(DTI)

	with claimed(ledger.engine, NOW) as mine:
		assert (len(mine), _count_due(ledger)) == (1, 0)
	assert _count_due(ledger) == 1


def test_a_claim_of_a_sender_that_died_runs_out(ledger):
	ledger.take(DTI)
	died = claimed(ledger.engine, NOW)
	died.__enter__()

	assert [_count_due(ledger, NOW + timedelta(minutes=minutes)) for minutes in (9, 10)] == [0, 1]


def test_what_failed_is_due_again_after_a_wait_that_doubles_up_to_an_hour(ledger):
	ledger.take(DTI)
	now, waits = NOW, []
	for _ in range(9):
		with claimed(ledger.engine, now) as due:
			note_failed(ledger.engine, due, "it is down", now)
		minutes = next(n for n in range(1, 100) if _count_due(ledger, now + timedelta(minutes=n)))
		waits.append(minutes)
		now += timedelta(minutes=minutes)

	assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
	[(message, error)] = ledger.waiting
	assert (message.attempts, error) == (9, "it is down")


def test_a_clock_that_was_put_back_holds_no_message_up(ledger):
	ledger.take(DTI)
	with claimed(ledger.engine, NOW) as due:
		note_failed(ledger.engine, due, "it is down", NOW)

	assert _count_due(ledger) == 0
	assert _count_due(ledger, NOW - timedelta(days=1)) == 1
