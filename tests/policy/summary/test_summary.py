"""Five findings and three actions: what is said depends on what the intervals allow."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from loantap.policy.summary.actions import propose_actions
from loantap.policy.summary.findings import summarise_findings
from loantap.policy.summary.headlines import Headline, Money, describe_summary

NAN = float("nan")


def spread(name: str, value: float, half: float) -> dict[str, float]:
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def make_drivers(**findings: str) -> pd.DataFrame:
    """Factors in the order of their strength, over all years and in one."""
    roles = {"grade": "lender", "DTI": "applicant", "income": "applicant"}
    return pd.DataFrame(
        [
            {"phrase": phrase, "role": roles[phrase], "rank": rank, "year": year, "loans": 5_000,
             "finding": finding if year == 0 else ""}
            for rank, (phrase, finding) in enumerate(findings.items(), start=1)
            for year in (0, 2014)
        ]
    )  # fmt: skip


DRIVERS = make_drivers(grade="drives default", DTI="drives default", income="no effect shown")


def segment(factor: str, name: str, **figures: Any) -> dict[str, Any]:
    plain = {
        "segmentation": factor, "phrase": factor, "role": "applicant", "segment": name, "order": 0,
        "loans": 100, "finding": "no difference shown", **spread("default_rate", 0.2, 0.05),
        **spread("effect", 0, 2), **spread("profit_contractual", 400, 100),
    }  # fmt: skip
    return plain | figures


RATES = [
    segment("interest_rate_pct", "24% and more", role="lender", order=6, loans=110,
            **spread("default_rate", 0.468, 0.1), **spread("profit_contractual", 2_863, 500)),
    segment("interest_rate_pct", "0 to 8%", role="lender", loans=636,
            **spread("default_rate", 0.052, 0.02), **spread("profit_contractual", -376, 97)),
]  # fmt: skip
DTI = segment("DTI", "35% and more", loans=86, finding="more defaults", **spread("effect", 17, 9),
              **spread("profit_contractual", -828, 879))  # fmt: skip
POOR = segment("income", "0 to 30,000", loans=300, finding="more defaults",
               **spread("effect", 9, 4), **spread("profit_contractual", -250, 100))  # fmt: skip


def make_claims(*extra: dict[str, Any]) -> pd.DataFrame:
    plain = {"said": "Grade A repays", "verdict": "does not hold", "segmentation": "grade",
             "claimed": "fewer defaults", "loans": 815, "profit_contractual_others": 600.0,
             **spread("profit_contractual", 100, 10)}  # fmt: skip
    pincode = plain | {"segmentation": "pincode", "verdict": "audit only"}
    return pd.DataFrame([plain, pincode, *({**plain, **one} for one in extra)])


def policy(name: str, gain: float = 100, half: float = 30, **figures: Any) -> dict[str, Any]:
    plain = {
        "policy": name, "cap": NAN, "sample": "cv", "scenario": "mid", "paid_life": "contractual",
        "n": 4_715, "approval_rate": 0.62, "profit": 500.0, "charge_offs_avoided": 0.28,
        **spread("default_rate_approved", 0.222, 0.015),
        **spread("gain_to_approve_all", gain, half),
    }  # fmt: skip
    return plain | figures


def make_policies(*changed: dict[str, Any]) -> pd.DataFrame:
    """Policies in two scenarios, on two samples; rows given take the place of those like them."""
    rows = [
        policy("npv"),
        policy("npv", 577, 97, scenario="hard"),
        policy("npv", 13, 39, sample="out_of_time", n=1_357),
        policy("bands", -207, 58, charge_offs_avoided=0.226),
        policy("f2_threshold", -517, 93, approval_rate=0.34),
        policy("capped_default_rate_15", -43, 51, cap=0.15),
        policy("capped_default_rate", 31, 40, cap=0.17, profit=450.0, charge_offs_avoided=0.402),
        policy("capped_default_rate_19", 98, 35, cap=0.19),
        # Never to be told: paid loans capped.
        *(policy(name, -999, 1, paid_life="capped") for name in ("npv", "bands", "f2_threshold")),
    ]
    keys = ("policy", "sample", "scenario", "paid_life")
    kept = {tuple(row[key] for key in keys): row for row in (*rows, *changed)}
    return pd.DataFrame(list(kept.values()))


def find(
    *segments: dict[str, Any],
    drivers: pd.DataFrame = DRIVERS,
    policies: pd.DataFrame | None = None,
    claims: pd.DataFrame | None = None,
) -> list[Headline]:
    return summarise_findings(
        drivers,
        pd.DataFrame([*RATES, *segments]),
        make_policies() if policies is None else policies,
        make_claims() if claims is None else claims,
        "mid",
    )


def change(value: float | None, low: float | None) -> dict[str, Any]:
    high = None if value is None or low is None else 2 * value - low
    return {"mid": {"capped": {"value": value, "low": low, "high": high}}}


def rule(name: str, alone: tuple[float, float], after: tuple[float | None, float | None],
         **figures: Any) -> dict[str, Any]:  # fmt: skip
    plain = {
        "id": name, "title": name.upper(), "n": 2_000, "cause": "risk", "holds_after_npv": False,
        "default_rate_declined": 0.09, "profit_change": change(*alone),
        "after_npv": {"n": 1_500, "profit_change": change(*after)},
    }  # fmt: skip
    return plain | figures


def propose(
    held: list[dict[str, Any]] | None = None, policies: pd.DataFrame | None = None
) -> list[Headline]:
    tested = [rule("no_gain", (-1, -9), (-1, -9), n=3_000)]
    report = {"scenario": "mid", "paid_life": "capped", "recommendations": held or [],
              "tested": tested}  # fmt: skip
    return propose_actions(make_policies() if policies is None else policies, report, "mid")


def test_there_are_five_findings_and_three_actions() -> None:
    assert len(find(DTI)) == 5
    assert len(propose()) == 3


def test_drivers_are_the_applicants_beside_the_price_and_the_worst_segment_has_its_money() -> None:
    said = find(DTI, POOR)[0]

    assert said.title == "Default goes with DTI, beside the lender's own price"
    assert "Strongest is the price: grade." in said.text
    assert "No effect is shown for income." in said.text
    assert said.text.endswith("Most defaults: DTI 35% and more, 20.0% (15.0 to 25.0%) charged off.")
    assert said.money == Money(-828, -1_707, 51, "per loan")
    assert said.n == 86


def test_an_audit_is_no_driver() -> None:
    pincode = segment("pincode", "11650", role="audit", finding="more defaults", effect=74.8,
                      profit_contractual=-4_000, profit_contractual_high=-3_000)  # fmt: skip

    said = find(DTI, pincode)

    assert all("11650" not in one.title + one.text for one in said[:4])
    assert said[0].money is not None
    assert said[0].money.value == -828


def test_without_a_driver_or_a_worse_segment_that_is_said() -> None:
    said = find(drivers=make_drivers(grade="no effect shown", DTI="no effect shown"))[0]

    assert said.title == "Beside the lender's own price, no factor is shown to drive default"
    assert said.text == "Other factors equal. No effect is shown for grade and DTI."
    assert said.money is None
    assert said.n == 5_000


@pytest.mark.parametrize(
    ("profit", "title"),
    [
        (-98, "The safest loans lose money"),
        (-97, "The safest loans neither earn nor lose beyond chance"),
        (97, "The safest loans neither earn nor lose beyond chance"),
        (98, "The safest loans earn money"),
    ],
)
def test_the_safest_loans_are_those_of_the_lowest_rates(profit: float, title: str) -> None:
    cheap = RATES[1] | spread("profit_contractual", profit, 97)

    said = summarise_findings(
        DRIVERS, pd.DataFrame([RATES[0], cheap]), make_policies(), make_claims(), "mid"
    )[1]

    assert said.title == title
    assert "a loan earned +2,863 (+2,363 to +3,363)" in said.text
    assert said.n == 636


def test_without_rates_enough_nothing_is_said_of_them() -> None:
    few = [row | {"finding": "too few loans to say"} for row in RATES]

    said = summarise_findings(DRIVERS, pd.DataFrame(few), make_policies(), make_claims(), "mid")[1]

    assert said.money is None
    assert "Too few loans" in said.title


def test_the_group_that_lost_most_in_all_is_named_not_the_worst_per_loan() -> None:
    few = segment("DTI", "35% and more", loans=10, **spread("profit_contractual", -900, 100))

    said = find(POOR, few, segment("purpose", "car"))[2]

    assert said.title == "Applicants with income 0 to 30,000 lose money"
    assert "-75,000 in all. Of 3 groups of applicants, 2 lost money" in said.text
    assert said.money == Money(-250, -350, -150, "per loan")


def test_a_loss_that_may_be_chance_is_none() -> None:
    said = find(DTI, segment("purpose", "car"))[2]

    assert said.title == "No group of applicants loses money beyond chance"
    assert "DTI 35% and more" in said.text


@pytest.mark.parametrize(
    ("gain", "title"),
    [
        (-59, "To decline by PD alone costs money"),
        (-58, "To decline by PD alone does not change profit beyond chance"),
        (58, "To decline by PD alone does not change profit beyond chance"),
        (59, "To decline by PD alone earns money"),
    ],
)
def test_declining_by_pd_is_judged_by_its_interval(gain: float, title: str) -> None:
    said = find(policies=make_policies(policy("bands", gain, 58, charge_offs_avoided=0.226)))[3]

    assert said.title == title
    assert "avoids 23% of charge-offs" in said.text
    assert "The F2 threshold declines 66%: -517 (-610 to -424) per application." in said.text


def test_claims_are_counted_and_the_one_that_holds_and_earns_is_told() -> None:
    longer = {"said": "Loans over 60 months are riskier", "verdict": "holds", "loans": 1_235,
              "claimed": "more defaults", **spread("profit_contractual", 1_813, 300)}  # fmt: skip
    losing = longer | spread("profit_contractual", 599, 10)

    said = find(claims=make_claims(longer, losing, {"verdict": "holds"}))[4]

    assert said.title == "Of 5 claims of the case study, 3 hold"
    assert "1 are about pincodes" in said.text
    assert "That loans over 60 months are riskier holds, and still they earn more" in said.text
    assert "against +600 of all others" in said.text
    assert said.money is not None
    assert said.money.value == 1_813


def test_claims_that_earn_nothing_more_come_without_money() -> None:
    assert find()[4].money is None


def test_the_policy_is_proposed_with_what_other_scenarios_and_the_latest_loans_say() -> None:
    said = propose()[0]

    assert said.title == "Decide by expected NPV"
    assert said.money == Money(100, 70, 130, "per application, against approving everybody")
    assert "62% are approved, 22.2% (20.7 to 23.7%) of them charged off, and 28%" in said.text
    assert "Scenario hard: +577 (+480 to +674)." in said.text
    assert "latest loans (n = 1,357): +13 (-26 to +52), neither gain nor loss" in said.text
    assert "Scenario mid" not in said.text


def test_a_policy_whose_gain_may_be_chance_is_not_proposed() -> None:
    said = propose(policies=make_policies(policy("npv", 30, 30)))[0]

    assert said.title == "Expected NPV is not shown to beat approving everybody"


def test_a_policy_that_approves_too_few_comes_without_money() -> None:
    said = propose(policies=make_policies(policy("npv", NAN)))[0]

    assert said.title == "Expected NPV is not shown to beat approving everybody"
    assert said.money is None


def test_the_lowest_cap_that_does_not_lose_is_proposed_with_its_price() -> None:
    said = propose()[1]

    assert said.title == "Where the default rate must fall, cap it at 17%"
    assert "40% of charge-offs are avoided, for -50 per application against" in said.text
    assert "A cap of 15% would earn less" in said.text
    assert said.money is not None
    assert said.money.value == 31


def test_where_every_cap_loses_none_is_proposed() -> None:
    losing = [policy(f"capped_default_rate{end}", -1, cap=cap)
              for end, cap in (("_15", 0.15), ("", 0.17), ("_19", 0.19))]  # fmt: skip

    said = propose(policies=make_policies(*losing))[1]

    assert said.title == "No cap on the default rate pays"
    policies = make_policies()
    none = propose(policies=policies[policies["cap"].isna()])[1]
    assert none.text == "None was tried."
    assert none.money is None


def test_a_cap_that_breaks_even_is_proposed_without_a_word_on_lower_ones_where_none_was_tried() -> (
    None
):
    even = make_policies(policy("capped_default_rate_15", 0, 1, cap=0.15))

    said = propose(policies=even)[1]

    assert said.title == "Where the default rate must fall, cap it at 15%"
    assert "would earn less" not in said.text


def test_the_rule_that_gains_most_surely_after_the_policy_is_to_be_added() -> None:
    held = [
        rule("large", (50, 40), (30, 1), holds_after_npv=True),
        rule("sure", (20, 10), (12, 8), holds_after_npv=True),
        rule("alone", (99, 90), (1, -9)),
    ]

    said = propose(held)[2]

    assert said.title == "Add a rule: SURE"
    assert "scoring.recommendations=[sure]" in said.text
    assert "what 4 rules tried explain" in said.text
    assert said.money == Money(12, 8, 16, "per application")
    assert said.n == 1_500


def test_a_rule_against_cheap_loans_says_to_raise_rates() -> None:
    held = [rule("weak", (9, 1), (1, -9)), rule("cheap", (97, 62), (8, -4), cause="price")]

    said = propose(held)[2]

    assert said.title == "Raise rates instead of the rule “CHEAP”"
    assert "2 of 3 rules tried earn more than approving everybody." in said.text
    assert "After expected NPV the best of them adds +8 (-4 to +20), no more than" in said.text
    assert "default less often than others (9.0%)" in said.text
    assert said.money is not None
    assert said.money.value == 97


def test_a_rule_that_only_holds_alone_is_not_to_be_added() -> None:
    said = propose([rule("risky", (22, 10), (None, None))])[2]

    assert said.title == "Add no rule to expected NPV"
    assert "After expected NPV" not in said.text
    assert said.text.endswith("The best alone: RISKY.")


def test_where_no_rule_holds_none_is_to_be_added() -> None:
    said = propose()[2]

    assert (said.title, said.money, said.n) == ("Add no rule", None, 3_000)


def test_the_summary_is_plain_figures_of_six_digits() -> None:
    money = Money(105.260966, 73.175517, 137.346416, "per application")
    known, unknown = Headline("A", "a", money, 3), Headline("B", "b", None, 0)

    written = describe_summary([known], [unknown], "mid")

    assert written["findings"] == [
        {"title": "A", "text": "a", "n": 3,
         "money": {"value": 105.261, "low": 73.1755, "high": 137.346, "per": "per application"}}
    ]  # fmt: skip
    assert written["actions"][0]["money"] is None
    assert (written["scenario"], written["profit"]) == ("mid", "imputed from outcomes")
