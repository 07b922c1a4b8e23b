from collections import Counter

import numpy as np
import pandas as pd
import pytest

from loantap.features.target import LATE_START, NO_MONTHS, OPEN, UNSEEN, label_loans, require_real_months
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import Target
from tests.surveillance.months import make_loans, make_months

TWELVE = Target.DPD_90_WITHIN_12
RUNS, PAID, LOST = "Current", "Fully Paid", "Charged Off"
# Age at the snapshot in months, status, first month on book, days past due by month, how many of
# the last months owe nothing, and what is expected.
CASES = {
    "90 days in month 12": (13, RUNS, 1, [0] * 11 + [90, 0], 0, 1),
    "90 days in month 13": (13, RUNS, 1, [0] * 11 + [89, 90], 0, 0),
    "closed at the snapshot": (12, RUNS, 1, [0] * 12, 0, 0),
    "90 days at the snapshot": (12, RUNS, 1, [0] * 11 + [90], 0, 1),
    "one month short": (11, LOST, 1, [0] * 8 + [90] * 3, 0, OPEN),
    "prepaid": (13, PAID, 1, [0] * 3, 1, 0),
    "prepaid after 90 days": (13, PAID, 1, [0, 0, 90, 0], 1, 1),
    "charged off early": (13, LOST, 1, [0, 30, 60], 0, 1),
    "charged off after it": (13, LOST, 1, [0] * 13, 0, 0),
    "with the month of issue": (13, RUNS, 0, [0] * 14, 0, 0),
    "first month missing": (13, RUNS, 2, [90] * 12, 0, LATE_START),
    "no months": (13, RUNS, 1, [], 0, NO_MONTHS),
    "seen no longer": (12, RUNS, 1, [0] * 11, 0, UNSEEN),
}


def balances(case):
    return [500.0] * (len(case[3]) - case[4]) + [0.0] * case[4]


def make_book(cases):
    issued = {name: pd.Period("2016-02", "M") - case[0] for name, case in cases.items()}
    loans = make_loans(
        *cases,
        is_charged_off=0,
        loan_status=[case[1] for case in cases.values()],
        issue_month=pd.DatetimeIndex([month.to_timestamp() for month in issued.values()]).as_unit("s"),
    )
    months = [
        make_months(name, f"{issued[name] + case[2]}", outstanding_balance=balances(case), days_past_due=case[3])
        for name, case in cases.items()
        if case[3]
    ]
    runs, rows = loans["loan_status"].eq(RUNS), pd.concat(months)
    # A month that is missing in between, and one that is there twice, change nothing.
    rows = rows[rows["months_on_book"].ne(5) | rows["loan_id"].ne("closed at the snapshot")]
    rows = pd.concat([rows, rows[rows["months_on_book"].ge(9)]]).sample(frac=1, random_state=1)
    return loans[~runs], loans[runs].drop(columns="is_charged_off"), rows


def label(cases, target=TWELVE):
    found, account = label_loans(*make_book(cases), target)
    return found.set_index("loan_id")["is_charged_off"].to_dict(), account


@pytest.fixture(scope="module")
def labelled():
    return label(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_loan_has_the_target_of_its_window_or_none(labelled, name):
    expected = CASES[name][-1]
    assert labelled[0].get(name) == (None if isinstance(expected, str) else expected)


def test_every_loan_is_in_the_account(labelled):
    account, told = labelled[1], Counter(case[-1] for case in CASES.values())
    assert account["left_out"] == {reason: told[reason] for reason in (OPEN, NO_MONTHS, LATE_START, UNSEEN)}
    assert (account["defaulted"], account["n"]) == (told[1], told[0] + told[1])
    assert f"dpd_90_within_12 (90 days past due or charged off by month 12): {told[1]} of n = " in account["words"]


def judge(case, window):
    """The target of one loan, without a query."""
    age, status, first, days, *_ = case
    if window > age:
        return OPEN
    if not days:
        return NO_MONTHS
    if first > 1:
        return LATE_START
    last, owed = first + len(days) - 1, [first + n for n, owed in enumerate(balances(case)) if owed]
    defaults = [first + n for n, late in enumerate(days) if late >= 90] or [max(owed, default=last)] * (status == LOST)
    paid = max(owed, default=first - 1) + 1
    if status != LOST and paid <= last and paid < min([*defaults, last + 1]):
        return 0
    if defaults:
        return int(defaults[0] <= window)
    return 0 if last >= window else UNSEEN


@pytest.mark.parametrize("target", [TWELVE, Target.DPD_90_WITHIN_18, Target.DPD_90_WITHIN_24])
def test_it_is_what_loan_by_loan_would_give(target):
    rng = np.random.default_rng(4)
    cases = {"000": (30, RUNS, 1, [0] * 30, 0)}
    for number in range(1, 400):
        age, first = int(rng.integers(8, 30)), int(rng.integers(3))
        seen = int(rng.integers(age - first + 1)) if rng.random() < 0.5 else age - first + 1
        days = rng.choice([0, 30, 89, 90], seen, p=[0.9, 0.05, 0.02, 0.03]).tolist()
        cases[f"{number:03}"] = (
            age,
            str(rng.choice([RUNS, PAID, LOST])),
            first,
            days,
            int(rng.integers(seen // 2 + 1)),
        )
    expected = {name: judge(case, target.window_months) for name, case in cases.items()}
    assert set(map(str, expected.values())) == {"0", "1", OPEN, NO_MONTHS, LATE_START, UNSEEN}
    assert label(cases, target)[0] == {name: value for name, value in expected.items() if not isinstance(value, str)}


def test_where_no_loan_has_it_the_run_stops_and_says_why():
    with pytest.raises(InputError, match=rf"target=dpd_90_within_24.*'{OPEN}': {len(CASES)}"):
        label(CASES, Target.DPD_90_WITHIN_24)


@pytest.mark.parametrize(
    ("target", "months"), [(TWELVE, "simulated"), (TWELVE, "real"), (Target.CHARGED_OFF, "simulated")]
)
def test_months_made_of_real_outcomes_give_no_target(target, months):
    reconciliation = pd.DataFrame({"table": ["loans", "loan_events"], "origin": ["real", months]})
    if target is Target.CHARGED_OFF or months == "real":
        require_real_months(target, reconciliation)
        return
    with pytest.raises(InputError, match="simulated from its outcomes: the target would be made up"):
        require_real_months(target, reconciliation)
