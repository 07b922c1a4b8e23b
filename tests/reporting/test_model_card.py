from __future__ import annotations

import dataclasses
import math
from datetime import date

import pandas as pd
import pytest
from page_outline import HOSTILE, Outline, assert_self_contained, read_text

from loantap.reporting.card_tables import (
    tabulate_candidates,
    tabulate_coefficients,
    tabulate_metrics,
)
from loantap.reporting.evaluation_figures import Title, plot_roc
from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card import (
    DataSummary,
    FeatureRow,
    ModelCard,
    PolicyBand,
    render_model_card,
)

BLOCK = {
    "n": 4_715,
    "default_rate": 0.191,
    "roc_auc": 0.7123,
    "average_precision": 0.36,
    "ks": 0.31,
    "brier": 0.141,
    "ece": 0.012,
    "threshold": 0.11,
    "accuracy": 0.44,
    "precision": 0.237,
    "recall": 0.871,
    "f2": 0.5667,
    "f2_decline_all": 0.5415,
    "approval_rate": 0.33,
    "default_rate_approved": 0.084,
}
TEST_BLOCK = BLOCK | {"n": 524, "roc_auc_low": 0.655, "roc_auc_high": 0.761}
REPLICA = BLOCK | {"accuracy": 0.812, "recall": 0.771, "precision": 0.503, "f2": 0.6961}
ROC = pd.DataFrame(
    {"sample": "cv", "false_positive_rate": [0, 0.3, 1], "true_positive_rate": [0, 0.6, 1]}
)


def make_candidates(count: int = 12) -> pd.DataFrame:
    """Candidates from best to worst F2; the last but one is chosen, the last did not converge."""
    return pd.DataFrame(
        {
            "candidate": [f"smote L1 C={i}" for i in range(count)],
            "mean_f2": [0.6 - 0.001 * i for i in range(count)],
            "std_f2": 0.01,
            "mean_log_loss": 0.45,
            "mean_roc_auc": 0.7,
            "converged": [i < count - 1 for i in range(count)],
            "within_one_standard_error": [i < 4 for i in range(count)],
            "chosen": [i == count - 2 for i in range(count)],
            "fit_seconds": 0.25,
        }
    )


def make_coefficients(values: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "feature": list(values),
            "coefficient": list(values.values()),
            "odds_ratio": [math.exp(v) for v in values.values()],
        }
    )


def make_figures(namespace: str, origin: str):
    title = Title(namespace, origin, 4_715, not_for_lending=namespace != "lending")
    return {"roc": plot_roc(ROC, {"cv": 0.7123}, title)}


def make_card(origin: str = "real", **changes) -> ModelCard:
    card = ModelCard(
        as_of=date(2017, 3, 1),
        data=DataSummary(
            origin, 5_239, 1_001, 0.191, 0.181, 0.202, date(2008, 1, 1), date(2016, 12, 1)
        ),
        metrics={
            "benchmark": {"cv": BLOCK, "test": TEST_BLOCK, "out_of_time": TEST_BLOCK},
            "published_replica": {"cv": REPLICA, "test": None, "out_of_time": None},
            "lending": {"cv": BLOCK, "test": TEST_BLOCK, "out_of_time": None},
            "origin": origin,
        },
        purposes={"lending": "reviews a graded offer"},
        candidates={"lending": make_candidates()},
        coefficients={"lending": make_coefficients({"dti_pct": 0.2, "is_60_months": -0.4})},
        features=[
            FeatureRow("dti_pct", "debt payments as a share of income", ("dti_pct",)),
            FeatureRow("pincode", "the postal code", ("pincode",), "built from the outcome"),
        ],
        leakage_report={
            "features": [
                {"feature": "dti_pct", "auc": 0.56, "caught": False, "reasons": [],
                 "used_by": ["benchmark", "lending"]},
                {"feature": "pincode", "auc": 0.88, "caught": True,
                 "reasons": ["AUC 0.880 on its own, above 0.75"], "used_by": ["benchmark"]},
            ]
        },
        figures={name: make_figures(name, origin) for name in ("benchmark", "lending")},
        policy_version="2026-11",
        policy=[PolicyBand("approve", 0, 0.34, "all but the top decile of the PD")],
        identity={"Git revision": "0123abc"},
        limits=["Few loans before 2012."],
    )  # fmt: skip
    return dataclasses.replace(card, **changes)


def section_of(html: str, namespace: str) -> str:
    start = html.index(f'id="model-{namespace}"')
    return html[start : html.index("</section>", start)]


@pytest.fixture(scope="module")
def page() -> str:
    return render_model_card(make_card())


def test_the_card_is_one_file_that_loads_nothing(page):
    assert_self_contained(page)
    assert len(page.encode()) < 3_000_000


def test_what_may_be_lent_on_comes_first_and_the_rest_is_marked(page):
    order = [page.index(f'id="model-{n}"') for n in ("lending", "benchmark", "published-replica")]

    assert order == sorted(order)
    assert "not for lending" not in read_text("</head>" + section_of(page, "lending")).lower()
    for namespace in ("benchmark", "published-replica"):
        assert "No decision may rest on it" in section_of(page, namespace)
        assert "not for lending" in section_of(page, namespace)


def test_a_further_namespace_can_be_kept_from_lending():
    page = render_model_card(make_card(not_for_lending={"lending"}))

    assert "No decision may rest on it" in section_of(page, "lending")
    assert "No decision may rest on it" in section_of(page, "benchmark")


def test_the_card_says_what_the_data_is_and_that_it_is_censored(page):
    text = read_text(page)

    assert "Issued 2008-01 to 2016-12" in text
    assert "19.1% 1,001 charged off, 95% interval 18.1 to 20.2%" in text
    assert "Levels of default by issue year mix risk with censoring" in text


@pytest.mark.parametrize(("origin", "shown"), [("simulated", True), ("real", False)])
def test_the_banner_shows_for_simulated_data_only(origin, shown):
    text = read_text(render_model_card(make_card(origin)))

    assert ("SIMULATED DATA" in text) is shown
    assert ("The data is simulated." in text) is shown


def test_a_metric_is_shown_with_its_interval_and_number_of_loans(page):
    text = read_text("</head>" + section_of(page, "lending"))

    assert "cross-validation n 4,715 test n 524" in text
    assert "AUC 0.712 0.712 0.655 to 0.761" in text


def test_a_null_block_is_said_to_have_too_few_loans(page):
    text = read_text("</head>" + section_of(page, "lending"))

    assert "out of time too few loans" in text
    assert "Out of time: not measured. There were too few loans" in text


def test_a_sample_without_any_block_is_unmeasured():
    table = tabulate_metrics({"cv": BLOCK})

    assert table.unmeasured == ["test", "out of time"]
    assert [cell.value for cell in table.rows["F2"]] == ["0.567", NOTHING, NOTHING]


def test_the_replica_stands_beside_the_published_figures(page):
    text = read_text("</head>" + section_of(page, "published-replica"))

    assert "Accuracy 0.830 0.810 0.812" in text
    assert "Recall 0.654 0.770 0.771" in text
    assert "Precision 0.552 0.500 0.503" in text
    assert "F2 0.630 0.695 0.696" in text
    assert "mean over 5 cross-validation folds at a threshold of 0.45" in text
    assert "published case study</h3>" not in section_of(page, "lending")


def test_the_comparison_survives_a_replica_that_was_not_measured():
    metrics = {"published_replica": {"cv": None, "test": None, "out_of_time": None}}

    text = read_text(render_model_card(make_card(metrics=metrics)))

    assert f"Accuracy 0.830 0.810 {NOTHING}" in text


def test_the_search_shows_its_top_and_the_chosen_candidate_wherever_it_ranks():
    table = tabulate_candidates(make_candidates(12).sample(frac=1, random_state=1))

    assert [row["rank"] for row in table.rows] == [1, 2, 3, 4, 5, 6, 7, 8, 11]
    assert table.rows[-1]["candidate"] == "smote L1 C=10"
    assert (table.tried, table.within, table.not_converged) == (12, 4, 1)


def test_the_search_says_how_many_candidates_did_not_converge(page):
    assert "1 did not converge" in section_of(page, "lending")


def test_coefficients_are_ordered_by_size_and_drawn_about_one():
    table = tabulate_coefficients(
        make_coefficients({"small": 0.1, "large": -math.log(2), "zero": 0.0})
    )

    assert [row.feature for row in table.all] == ["large", "small", "zero"]
    assert [row.odds_ratio for row in table.all] == ["0.50", "1.11", "1.00"]
    assert [row.raises_risk for row in table.all] == [False, True, False]
    assert (table.top[0].at, table.top[2].at, table.one) == (0, 50, 50)


def test_only_the_largest_coefficients_are_drawn_and_all_are_in_the_table():
    table = tabulate_coefficients(make_coefficients({f"x{i}": i / 10 for i in range(30)}))

    assert (len(table.top), len(table.all)) == (20, 30)
    assert table.all[0].feature == "x29"


def test_the_leakage_gate_names_what_it_caught_and_who_uses_it(page):
    text = read_text(page)

    assert "1 of 2 features caught: pincode." in text
    assert "pincode 0.880 caught AUC 0.880 on its own, above 0.75 benchmark" in text
    assert text.index("pincode 0.880") < text.index("dti_pct 0.560 passed")


def test_exclusions_carry_their_reason(page):
    assert "the postal code pincode excluded built from the outcome" in read_text(page)


def test_policy_limits_and_blank_approvals_are_there(page):
    text = read_text(page)

    assert "Decision policy, version 2026-11" in text
    assert "approve 0.0% 34.0% all but the top decile of the PD" in text
    assert "Few loans before 2012." in text
    assert page.count('<td class="blank"></td>') == 4 * 3


def test_figures_are_embedded_with_a_text_in_their_place(page):
    images = [a for a in Outline(page).attributes if a["tag"] == "img"]

    assert [image["alt"] for image in images] == [
        "ROC curve: how well the model ranks loans, model lending",
        "ROC curve: how well the model ranks loans, model benchmark, not for lending",
    ]


def test_hostile_text_stays_text():
    card = make_card(
        purposes={"lending": HOSTILE},
        coefficients={"lending": make_coefficients({HOSTILE: 1.0})},
        limits=[HOSTILE],
    )

    assert "script" not in Outline(render_model_card(card)).tags


def test_the_same_card_gives_the_same_bytes(page):
    assert render_model_card(make_card()) == page
