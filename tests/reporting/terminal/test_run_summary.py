"""A run ends by saying what it did, how good it is, and where to look next."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console, RenderableType

from loantap.reporting.terminal.run_summary import summarise_run


@pytest.fixture
def reconciliation() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "table": ["loans", "applications", "loan_events"],
            "origin": ["real", "real", "simulated"],
            "extracted": [5_239, 5_240, 101_234],
            "kept": [5_239, 5_239, 101_233],
            "quarantined": [0, 1, 1],
        }
    )


@pytest.fixture
def metrics() -> dict[str, Any]:
    block = {
        "n": 4_715, "roc_auc": 0.7123, "ece": 0.0123, "f2": 0.5789, "f2_decline_all": 0.5415,
        "approval_rate": 0.331,
    }  # fmt: skip
    bounds = {"roc_auc_low": 0.66, "roc_auc_high": 0.76, "f2_low": 0.53, "f2_high": 0.62}
    blocks = {"cv": block, "test": block | bounds | {"n": 524}, "out_of_time": None}
    return {"lending": blocks, "benchmark": blocks, "origin": "real"}


def say(
    reconciliation: pd.DataFrame | None = None,
    metrics: dict[str, Any] | None = None,
    reports: tuple[Path, ...] = (),
    scores: Path | None = None,
) -> str:
    said = StringIO()
    Console(file=said, width=160).print(summarise_run(reconciliation, metrics, reports, scores))
    return said.getvalue()


def show(summary: RenderableType, width: int) -> str:
    said = StringIO()
    Console(file=said, width=width).print(summary)
    return said.getvalue()


def line_of(text: str, *words: str) -> str:
    return next(line for line in text.splitlines() if all(word in line for word in words))


def test_rows_are_counted_per_source(reconciliation: pd.DataFrame) -> None:
    text = say(reconciliation)

    for counts in ("5,240 5,239 1", "101,234 101,233 1"):
        extracted, kept, quarantined = counts.split()
        row = line_of(text, extracted)
        assert kept in row
        assert f" {quarantined} " in row


def test_simulated_rows_are_called_simulated(reconciliation: pd.DataFrame) -> None:
    text = say(reconciliation)

    assert "SIMULATED" in line_of(text, "loan_events")
    assert "real" in line_of(text, "applications")


def test_headline_metrics_are_shown_with_their_bounds(metrics: dict[str, Any]) -> None:
    text = say(metrics=metrics)

    test = line_of(text, "test", "524")
    assert "0.712 [0.660, 0.760]" in test
    assert "0.579 [0.530, 0.620]" in test
    assert "0.012" in test
    assert "33%" in test


def test_f2_never_stands_alone(metrics: dict[str, Any]) -> None:
    text = say(metrics=metrics)

    cross_validated = line_of(text, "cross", "4,715")
    assert "0.579" in cross_validated
    assert "0.541" in cross_validated or "0.542" in cross_validated  # of declining everybody
    assert "33%" in cross_validated


def test_a_sample_that_is_too_small_says_so(metrics: dict[str, Any]) -> None:
    assert "too few loans" in line_of(say(metrics=metrics), "out of time")


def test_models_that_must_not_decide_are_marked(metrics: dict[str, Any]) -> None:
    text = say(metrics=metrics)

    assert "not for lending" in text
    assert line_of(text, "benchmark").split("benchmark")[1].strip().startswith("*")
    assert not line_of(text, "lending ").split("lending")[1].strip().startswith("*")


@pytest.mark.parametrize(("origin", "is_said"), [("simulated", True), ("real", False)])
def test_models_of_simulated_data_are_called_so(
    origin: str, is_said: bool, metrics: dict[str, Any]
) -> None:
    assert ("SIMULATED DATA" in say(metrics=metrics | {"origin": origin})) == is_said


class TestAt80Columns:
    """Nothing is cut, as wide as the figures may get."""

    @pytest.fixture
    def text(self, metrics: dict[str, Any], reconciliation: pd.DataFrame) -> str:
        wide = {
            model: {s: b and b | {"n": 396_030} for s, b in blocks.items()}
            for model, blocks in metrics.items()
            if model != "origin"
        }
        wide |= {"published_replica": wide["benchmark"], "origin": "simulated"}
        return show(summarise_run(reconciliation, wide, [], None), 80)

    def test_no_line_is_longer_and_none_is_cut(self, text: str) -> None:
        assert max(map(len, text.splitlines())) <= 80
        assert "\N{HORIZONTAL ELLIPSIS}" not in text

    def test_every_figure_is_there_with_n_and_bounds(self, text: str) -> None:
        for figure in ("396,030", "0.712", "0.012", "0.579", "0.541", "33%"):
            assert figure in text
        assert "[0.660,0.760]" in text
        assert "[0.530,0.620]" in text
        assert "published_replica*" in text

    def test_where_there_is_room_it_is_taken(self, metrics: dict[str, Any]) -> None:
        text = show(summarise_run(None, metrics, [], None), 160)

        assert "0.712 [0.660, 0.760]" in line_of(text, "test")


def test_a_run_that_only_trained_shows_what_it_has(metrics: dict[str, Any]) -> None:
    trained = {"lending": {"cv": metrics["lending"]["cv"]}, "origin": "real"}

    text = say(metrics=trained)

    assert "0.712" in line_of(text, "lending", "cross-validated", "4,715")
    assert "too few loans" not in text


@pytest.mark.parametrize(
    ("is_checked", "said"),
    [(True, "it was trained on none of them"), (False, "CANNOT BE CHECKED")],
)
def test_an_external_sample_is_shown_beside_the_rate_alone(is_checked: bool, said: str) -> None:
    bounds = {"roc_auc": 0.655, "rate_roc_auc": 0.635, "auc_gain": 0.02}
    found = {f"{n}{end}": v + by for n, v in bounds.items()
             for end, by in (("", 0), ("_low", -0.01), ("_high", 0.01))}  # fmt: skip
    found |= {
        "n": 17_815, "charged_off": 2_600, "first_issue_month": "2007-06",
        "last_issue_month": "2010-12", "model_name": "loantap-lending", "model_version": "2",
        "is_overlap_checked": is_checked,
    }  # fmt: skip
    vintages = {"models": {"lending": {"external": found}, "application": {}}}

    text = " ".join(show(summarise_run(None, None, [], None, vintages=vintages), 80).split())

    assert "External sample: 17,815 loans issued 2007-06 to 2010-12, 2,600 charged off" in text
    assert "loantap-lending version 2: AUC 0.655 [0.645, 0.665], the interest rate alone" in text
    assert "gain 0.020 [0.010, 0.030]" in text
    assert said in text


@pytest.mark.parametrize("declines", [True, False])
def test_a_policy_that_declines_nobody_says_so_beside_the_decisions(declines: bool) -> None:
    decisions = pd.DataFrame(
        {"decision": ["refer"], "model_name": "loantap-lending", "model_version": "3", "rows": [1]}
    )

    summary = summarise_run(None, None, [], Path("s.parquet"), decisions, declines=declines)

    assert ("declines nobody" in show(summary, 80)) is not declines


def test_files_written_are_listed_as_they_are() -> None:
    text = say(
        reports=(Path("data/insights.html"), Path("data/[draft].html")),
        scores=Path("out/scores.parquet"),
    )

    assert "Reports\n  data/insights.html\n  data/[draft].html" in text  # no markup in a path
    assert "Scores\n  out/scores.parquet" in text


def test_after_a_training_the_commands_that_show_more_are_named(metrics: dict[str, Any]) -> None:
    summary = summarise_run(None, metrics, [], None, next_steps="Lineage: make viz")

    assert "Lineage: make viz" in show(summary, 160)
    assert "make" not in say(metrics=metrics)


def test_a_run_that_neither_ingested_nor_evaluated_has_nothing_to_say() -> None:
    assert say().strip() == ""


@pytest.mark.parametrize(
    ("model", "is_warned"), [("loantap-lending", False), ("loantap-lending-demo", True)]
)
def test_scores_are_counted_by_decision_and_a_demo_model_is_called_simulated(model, is_warned):
    decisions = pd.DataFrame(
        {
            "decision": ["invalid", "approve"],
            "model_name": model,
            "model_version": "3",
            "rows": [1, 2],
        }
    )

    shown = StringIO()
    summary = summarise_run(None, None, [], Path("scores.parquet"), decisions)
    Console(file=shown, width=120).print(summary)

    assert "2 approve, 1 invalid, by " + model + " version 3" in shown.getvalue()
    assert ("SIMULATED DATA, not for decisions" in shown.getvalue()) is is_warned


class TestPromotion:
    @staticmethod
    def promotion(*, promoted: bool) -> dict[str, Any]:
        conditions = [
            {"name": "calibrated", "holds": True, "evidence": "ECE 0.0120 on 4,715 loans"},
            {"name": "better AUC", "holds": promoted, "evidence": "+0.001 [-0.002, +0.004]"},
        ]
        verb = "takes the place of" if promoted else "does not take the place of"
        verdict = {
            "candidate": "the new logistic model of lending",
            "incumbent": "loantap-lending version 3",
            "promoted": promoted,
            "headline": f"the new logistic model of lending {verb} loantap-lending version 3",
            "conditions": conditions,
        }
        return {"challenger": None, "champion": verdict}

    def say(self, model: str, *, promoted: bool) -> str:
        shown = StringIO()
        promotions = {model: self.promotion(promoted=promoted)}
        summary = summarise_run(None, None, [], None, promotions=promotions)
        Console(file=shown, width=160).print(summary)
        return shown.getvalue()

    def test_a_promoted_model_is_told_with_every_condition(self) -> None:
        text = self.say("lending", promoted=True)

        assert "the new logistic model of lending takes the place of loantap-lending" in text
        assert "calibrated: yes, ECE 0.0120 on 4,715 loans" in text
        assert "better AUC: yes, +0.001 [-0.002, +0.004]" in text

    def test_one_that_is_not_is_told_with_what_it_failed(self) -> None:
        text = self.say("lending", promoted=False)

        assert "does not take the place of loantap-lending version 3" in text
        assert "better AUC: NO, +0.001 [-0.002, +0.004]" in text
        assert "calibrated" not in text

    def test_models_that_decide_on_nobody_are_left_out(self) -> None:
        assert self.say("benchmark", promoted=True).strip() == ""
