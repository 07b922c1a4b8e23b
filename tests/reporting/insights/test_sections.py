import pandas as pd

from loantap.reporting.insights.policy_tables import list_rules
from loantap.reporting.insights.sections import (
  describe_audit,
  describe_drivers,
  describe_fairness,
  describe_findings,
  describe_rules,
)
from tests.reporting.charts.test_charts import make_drivers
from tests.reporting.insights.test_tables import make_rule_tests


def make_information():
  values = pd.DataFrame(
    [
      {
        "factor": "dti_pct",
        "role": "applicant",
        "iv": 0.1,
        "iv_low": 0.05,
        "iv_high": 0.2,
        "iv_chance": 0.01,
        "loans": 500,
      },
      {"factor": "pincode", "role": "audit", "iv": 0.9, "iv_low": 0.8, "iv_high": 1.0, "iv_chance": 0.01, "loans": 500},
    ]
  )
  bins = pd.DataFrame(
    [
      {"factor": "dti_pct", "bin": name, "default_rate": 0.15, "loans": loans}
      for name, loans in (("below 20", 30), ("20 and more", 29))
    ]
  )
  return values, bins


def test_drivers_come_with_the_chart_of_years_where_there_is_one():
  drivers = make_drivers()

  whole = describe_drivers(drivers, *make_information())
  yearless = describe_drivers(drivers[drivers["year"].eq(0)], *make_information())

  assert [chart.anchor for chart in whole.charts] == ["chart-drivers", "chart-driver-years"]
  # What nothing may be lent on is no driver.
  assert [row[0] for row in whole.tables[2].rows] == ["Debt-to-income ratio (DTI)"]
  # Nor is a bin of few loans told.
  assert whole.tables[2].rows[0][-1] == "below 20 (15.0%)"
  assert [chart.anchor for chart in yearless.charts] == ["chart-drivers"]
  assert {chart.loans for chart in whole.charts} == {5_239}


def test_a_factor_that_cannot_be_judged_has_no_rates():
  drivers = make_drivers().assign(lowest_segment="", lowest_rate=float("nan"), finding="too few loans to say")

  row = describe_drivers(drivers, *make_information()).tables[0].rows[0]

  assert row[3] == "\N{EN DASH}"
  assert row[4] == "F: 36.0%"


def test_rules_without_a_figure_have_a_table_and_no_chart():
  rules = list_rules(make_rule_tests(), "mid", "capped")
  none = rules.assign(profit_change=float("nan"))

  assert len(describe_rules(rules).charts) == 1
  assert describe_rules(none).charts == []
  assert len(describe_rules(none).tables) == 1


def test_findings_and_audit_share_the_factors_between_them(findings):
  worded = findings.assign(
    phrase="x", stability="x", **dict.fromkeys(("profit_capped", "profit_capped_low", "profit_capped_high"), 1.0)
  )
  years = pd.DataFrame(
    {
      "segmentation": ["grade"],
      "segment": ["A"],
      "year": [2014],
      "effect": [1.0],
      "effect_low": [0.0],
      "effect_high": [2.0],
    }
  )

  lent_on = describe_findings(worded, years, 0.2)
  audit = describe_audit(findings, 0.2)

  assert [plot.anchor for plot in lent_on.plots] == ["by-grade", "by-purpose"]
  assert [plot.anchor for plot in audit.plots] == ["by-pincode"]
  assert audit.is_audit
  assert not lent_on.is_audit


def test_fairness_without_a_frontier_has_no_chart():
  audit = pd.DataFrame(
    [
      {
        "policy": "npv",
        "proxy": "income",
        "phrase": "income",
        "audit_only": False,
        "n": 50,
        "group": str(ratio),
        "verdict": "",
        **{
          f"{name}{end}": 0.5
          for end in ("", "_low", "_high")
          for name in ("approval_rate", "true_positive_rate", "false_positive_rate", "observed_to_expected")
        },
        "approval_ratio": ratio,
        "approval_ratio_low": ratio,
        "approval_ratio_high": ratio,
      }
      for ratio in (0.6, 1.0)
    ]
  )
  row = {
    "phrase": "Income",
    "scenario": "mid",
    "paid_life": "capped",
    "target_ratio": 0.8,
    "n": 100,
    **dict.fromkeys(
      [
        f"{name}{end}"
        for end in ("", "_low", "_high")
        for name in ("worst_ratio", "lost_per_application", "default_rate_approved")
      ],
      0.5,
    ),
  }
  frontier = pd.DataFrame([row])

  shown = describe_fairness(audit, frontier, "mid", "capped", 0.17)
  empty = describe_fairness(audit, frontier.head(0), "mid", "capped", 0.17)

  assert [chart.loans for chart in shown.charts] == [100]
  assert empty.charts == []
