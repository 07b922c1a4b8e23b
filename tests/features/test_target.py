from collections import Counter

import numpy as np
import pandas as pd
import pytest

from loantap.features.target import LATE_START, NO_MONTHS, OPEN, UNSEEN, label_loans, require_real_months
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import Target
from tests.surveillance.months import make_loans, make_months

TWELVE = Target.DPD_90_WITHIN_12
OWED, NOTHING = 500.0, 0.0
RUNS, PAID, LOST = "Current", "Fully Paid", "Charged Off"
# Issue month, status, first month on book, days past due month by month, balances, expected. The
# snapshot is February 2016.
CASES = {
    "90 days in month 12": ("2015-01", RUNS, 1, [0] * 11 + [90, 0], OWED, 1),
    "90 days in month 13": ("2015-01", RUNS, 1, [0] * 12 + [90], OWED, 0),
    "89 days": ("2015-01", RUNS, 1, [0] * 11 + [89, 89], OWED, 0),
    "closed at the snapshot": ("2015-02", RUNS, 1, [0] * 12, OWED, 0),
    "90 days in its last month, at the snapshot": ("2015-02", RUNS, 1, [0] * 11 + [90], OWED, 1),
    "one month short": ("2015-03", LOST, 1, [0] * 8 + [90] * 3, OWED, OPEN),
    "prepaid": ("2015-01", PAID, 1, [0] * 3, [OWED, OWED, NOTHING], 0),
    "prepaid, its window open": ("2015-03", PAID, 1, [0] * 3, [OWED, OWED, NOTHING], OPEN),
    "prepaid after 90 days": ("2015-01", PAID, 1, [0, 0, 90, 0], [OWED, OWED, OWED, NOTHING], 1),
    "charged off early": ("2015-01", LOST, 1, [0, 30, 60], OWED, 1),
    "charged off after it": ("2015-01", LOST, 1, [0] * 13, OWED, 0),
    "reports on the month of issue": ("2015-01", RUNS, 0, [0] * 14, OWED, 0),
    "first month missing": ("2015-01", RUNS, 2, [0, 0, 0, 90] + [0] * 8, OWED, LATE_START),
    "no months": ("2015-01", RUNS, 1, [], OWED, NO_MONTHS),
    "seen no longer": ("2015-02", RUNS, 1, [0] * 11, OWED, UNSEEN),
    "paid by status, balance never 0": ("2015-01", PAID, 1, [0] * 5, OWED, UNSEEN),
    "90 days, then seen no longer": ("2015-01", RUNS, 1, [0, 0, 90], OWED, 1),
}


def make_book(cases):
    loans = make_loans(*cases, is_charged_off=0, loan_status=[case[1] for case in cases.values()])
    issued = pd.to_datetime([case[0] for case in cases.values()]).astype("datetime64[s]")
    loans = loans.assign(issue_month=issued)
    months = [
        make_months(
            name, str(pd.Period(issue, "M") + first), outstanding_balance=owed, days_past_due=[float(d) for d in days]
        )
        for name, (issue, _, first, days, owed, _) in cases.items()
        if days
    ]
    runs = loans["loan_status"].eq(RUNS)
    return loans[~runs], loans[runs].drop(columns="is_charged_off"), pd.concat(months, ignore_index=True)


def label(loans, running, months, target=TWELVE):
    labelled = label_loans(loans, running, months, target)
    return labelled.loans.set_index("loan_id")["is_charged_off"].to_dict(), labelled


@pytest.fixture(scope="module")
def labelled():
    return label(*make_book(CASES))


@pytest.mark.parametrize("name", CASES)
def test_a_loan_has_the_target_of_its_window_or_none(labelled, name):
    expected = CASES[name][-1]
    assert labelled[0].get(name) == (None if isinstance(expected, str) else expected)


def test_every_loan_is_in_the_account(labelled):
    account = labelled[1].account
    told = Counter(case[-1] for case in CASES.values())
    assert dict(account.left_out) == {reason: told[reason] for reason in (OPEN, NO_MONTHS, LATE_START, UNSEEN)}
    assert (account.defaulted, account.n) == (told[1], told[0] + told[1])
    assert (account.name, account.snapshot) == (TWELVE, "2016-02")
    for part in (TWELVE, f"{told[1]} of n = {account.n}", "by 2016-02", f"{told[OPEN]} {OPEN}"):
        assert part in account.words


def test_gaps_and_repeated_months_change_nothing(labelled):
    loans, running, months = make_book(CASES)
    gap = months["loan_id"].isin(["90 days in month 12", "closed at the snapshot"]) & months["months_on_book"].eq(5)
    changed = pd.concat([months[~gap], months[months["months_on_book"].ge(9)]]).sample(frac=1, random_state=1)
    assert label(loans, running, changed)[0] == labelled[0]


def test_over_the_life_the_resolved_loans_stay_as_they_are():
    loans, running, months = make_book(CASES)
    found = label_loans(loans.assign(is_charged_off=[1, *[0] * (len(loans) - 1)]), running, months, Target.CHARGED_OFF)
    assert found.loans["loan_id"].tolist() == loans["loan_id"].tolist()
    assert (found.account.n, found.account.defaulted, dict(found.account.left_out)) == (len(loans), 1, {})


def judge(status, rows, window, snapshot):
    """The target of one loan from `(month, days, balance)`, without a query."""
    if window > snapshot:
        return OPEN
    if not rows:
        return NO_MONTHS
    if min(month for month, *_ in rows) > 1:
        return LATE_START
    last = max(month for month, *_ in rows)
    owed = max((month for month, _, balance in rows if balance > 0), default=-1)
    default = min((month for month, days, _ in rows if days >= 90), default=None)
    paid = min((month for month, _, balance in rows if balance == 0 and month > owed), default=None)
    if status == LOST:
        late = last if owed < 0 else owed
        default, paid = late if default is None else default, None
    if paid is not None and (default is None or paid < default):
        return 0
    if default is not None:
        return int(default <= window)
    return 0 if last >= window else UNSEEN


@pytest.mark.parametrize("target", [TWELVE, Target.DPD_90_WITHIN_18, Target.DPD_90_WITHIN_24])
def test_it_is_what_loan_by_loan_would_give(target):
    rng = np.random.default_rng(4)
    cases, expected = {}, {}
    for number in range(400):
        age, first = int(rng.integers(8, 30)), int(rng.integers(0, 3))
        whole = age - first + 1
        seen = int(rng.integers(0, whole)) if rng.random() < 0.5 else whole
        days = rng.choice([0, 30, 89, 90], seen, p=[0.9, 0.05, 0.02, 0.03]).tolist()
        owed = rng.choice([OWED, NOTHING], seen, p=[0.97, 0.03]).tolist()
        status, name = rng.choice([RUNS, PAID, LOST]), f"{number:03}"
        cases[name] = (str(pd.Period("2016-02", "M") - age), status, first, days, owed, 0)
        rows = list(zip(range(first, first + seen), days, owed, strict=True))
        expected[name] = judge(status, rows, target.window_months, age)
    found, _ = label(*make_book(cases), target)
    assert set(map(str, expected.values())) == {"0", "1", OPEN, NO_MONTHS, LATE_START, UNSEEN}
    assert found == {name: value for name, value in expected.items() if not isinstance(value, str)}


def test_where_no_loan_has_it_the_run_stops_and_says_why():
    with pytest.raises(InputError, match=rf"target=dpd_90_within_24.*17 {OPEN}.*Read loans"):
        label_loans(*make_book(CASES), Target.DPD_90_WITHIN_24)


@pytest.mark.parametrize(
    ("target", "origin", "months", "is_refused"),
    [
        (TWELVE, "real", "simulated", True),
        (TWELVE, "real", "real", False),
        (TWELVE, "simulated", "simulated", False),
        (Target.CHARGED_OFF, "real", "simulated", False),
    ],
)
def test_months_made_of_real_outcomes_give_no_target(target, origin, months, is_refused):
    if not is_refused:
        require_real_months(target, origin, months)
        return
    with pytest.raises(InputError, match="loan_months of this portfolio are simulated from the outcomes"):
        require_real_months(target, origin, months)
