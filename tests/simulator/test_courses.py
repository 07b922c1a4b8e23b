import pandas as pd
import pytest

from loantap.simulator import true_courses


@pytest.fixture(scope="module")
def courses(loans):
  return true_courses(loans, seed=5, drift_strength=0.5).set_index("loan_id")


def test_each_loan_ends_in_its_last_month_and_as_its_status_says(events, loans, courses):
  months = events.groupby("loan_id", sort=False).size()
  terms = loans.set_index("loan_id").loc[courses.index]

  assert (courses["end_months_on_book"] == months[courses.index]).all()
  assert (courses["end"].eq("charged_off") == terms["loan_status"].eq("Charged Off")).all()
  paid = courses[courses["end"] != "charged_off"]
  is_early = paid["end_months_on_book"] < terms["term_months"].loc[paid.index]
  assert (paid["end"].eq("prepaid") == is_early).all()
  assert set(courses["end"]) == {"prepaid", "matured", "charged_off"}


def test_a_loan_is_thirty_days_late_in_its_first_missed_month_and_later_from_then_on(events, loans, courses):
  rows = events.assign(book=events.groupby("loan_id").cumcount() + 1)
  missed = courses["first_missed_month"].loc[rows["loan_id"]].to_numpy()
  unpaid = rows[rows["book"] >= missed]

  assert (unpaid["days_past_due"] == 30 * (unpaid["book"] - missed[unpaid.index] + 1)).all()
  assert courses["first_missed_month"].notna().equals(courses["end"] == "charged_off")


def test_nobody_knows_how_a_running_loan_of_a_file_ends():
  loan = pd.DataFrame(
    {
      "loan_id": ["one"],
      "loan_amount": [10_000.0],
      "term_months": [36.0],
      "interest_rate_pct": [12.0],
      "instalment": [332.14],
      "issue_month": [pd.Timestamp("2015-09-01")],
      "loan_status": ["Late (31-120 days)"],
    }
  )
  course = true_courses(loan, seed=5).iloc[0]

  assert course["first_missed_month"] in {15, 16, 17}
  assert course[["end_months_on_book", "end"]].isna().all()
