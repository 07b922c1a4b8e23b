"""From a PD to a decision, by the bands of a versioned policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from loantap.model.scoring.trained import ModelFacts, TrainedModel
from loantap.policy.decisions import (
    Band,
    BandEdges,
    Decision,
    Policy,
    band_edges,
    decider_of_bands,
    make_decider,
)
from loantap.policy.options import InsightsOptions, ScoringOptions
from loantap.portfolio.errors import InputError

_FILE = Path(__file__).parents[2] / "conf" / "base" / "parameters_insights.yml"
REFER_TOP_DECILE = {
    "version": "2026-11",
    "bands": [
        {"from_quantile": 0, "decision": "approve"},
        {"from_quantile": 0.9, "decision": "refer"},
    ],
}
THREE_BANDS = {
    "version": "strict",
    "bands": [*REFER_TOP_DECILE["bands"], {"from_quantile": 0.95, "decision": "decline"}],
}


def decide(pds: pd.Series, policy: Policy, facts: ModelFacts) -> list[str]:
    """Decisions on many PDs, in words."""
    decided = make_decider(policy, facts).decide_column(pds.to_numpy())
    return [decided.values[code] for code in decided.codes]


@pytest.fixture
def facts(lending_model: TrainedModel) -> ModelFacts:
    """Of a model whose 90% and 95% quantiles of PD are .3 and .4."""
    return lending_model.facts.model_copy(
        update={"pd_quantiles": {"0.5": 0.15, "0.9": 0.3, "0.95": 0.4}}
    )


class TestDecide:
    @pytest.mark.parametrize(
        ("pd_", "decision"),
        [
            (0.0, "approve"),
            (np.nextafter(0.3, 0), "approve"),
            (0.3, "refer"),  # a band begins at its edge
            (np.nextafter(0.4, 0), "refer"),
            (0.4, "decline"),
            (1.0, "decline"),
        ],
    )
    def test_a_band_runs_from_its_edge_to_below_the_next(
        self, pd_: float, decision: str, facts: ModelFacts
    ) -> None:
        policy = Policy.model_validate(THREE_BANDS)

        assert decide(pd.Series([pd_]), policy, facts) == [decision]

    @pytest.mark.parametrize("pd_", [0.0, np.nextafter(0.3, 0), 0.3, 0.35, 0.4, 1.0])
    def test_one_pd_is_decided_as_in_a_batch(self, pd_: float, facts: ModelFacts) -> None:
        policy = Policy.model_validate(THREE_BANDS)

        one = make_decider(policy, facts).decide_one(pd_)

        assert [one] == decide(pd.Series([pd_]), policy, facts)
        assert make_decider(policy, facts).decide_one(None) == "invalid"

    def test_an_application_without_a_pd_is_invalid_whatever_the_policy(
        self, facts: ModelFacts
    ) -> None:
        everybody = {"version": "1", "bands": [{"from_quantile": 0, "decision": "approve"}]}
        for given in (everybody, REFER_TOP_DECILE, THREE_BANDS):
            decided = decide(pd.Series([np.nan, 0.1]), Policy.model_validate(given), facts)

            assert decided == ["invalid", "approve"]

    def test_decisions_keep_the_place_of_their_application(self, facts: ModelFacts) -> None:
        pds = pd.Series([0.35, 0.1, np.nan])

        decided = decide(pds, Policy.model_validate(REFER_TOP_DECILE), facts)

        assert decided == ["refer", "approve", "invalid"]

    def test_no_applications_get_no_decisions(self, facts: ModelFacts) -> None:
        policy = Policy.model_validate(THREE_BANDS)

        assert decide(pd.Series([], dtype="float64"), policy, facts) == []

    def test_a_band_at_a_share_the_model_does_not_know_is_refused_with_those_it_knows(
        self, facts: ModelFacts
    ) -> None:
        bands = [*REFER_TOP_DECILE["bands"], {"from_quantile": 0.97, "decision": "decline"}]
        policy = Policy.model_validate({"version": "new", "bands": bands})

        with pytest.raises(
            InputError, match=r"policy new: the model has no PD for the quantile 0\.97"
        ) as e:
            decide(pd.Series([0.1]), policy, facts)

        assert "[0.0, 0.5, 0.9, 0.95]" in e.value.remedy


class TestPolicy:
    def test_is_frozen(self) -> None:
        policy = Policy.model_validate(REFER_TOP_DECILE)

        with pytest.raises(ValidationError, match="frozen"):
            policy.version = "2026-12"

    @pytest.mark.parametrize(
        ("starts", "problem"),
        [
            ([0.1], "bands must begin at 0 and rise"),
            ([0, 0.9, 0.5], "bands must begin at 0 and rise"),
            ([0, 0.9, 0.9], "bands must begin at 0 and rise"),
            ([0, 1], "less than 1"),
            ([-0.1, 0.5], "greater than or equal to 0"),
            ([], "at least 1 item"),
        ],
    )
    def test_has_bands_in_rising_order_from_zero(self, starts: list[float], problem: str) -> None:
        bands = [{"from_quantile": start, "decision": "refer"} for start in starts]

        with pytest.raises(ValidationError, match=problem):
            Policy.model_validate({"version": "1", "bands": bands})

    @pytest.mark.parametrize("decision", ["invalid", "maybe"])
    def test_decides_in_its_own_words_only(self, decision: str) -> None:
        bands = [{"from_quantile": 0, "decision": decision}]

        with pytest.raises(ValidationError, match=decision):
            Policy.model_validate({"version": "1", "bands": bands})

    @pytest.mark.parametrize("given", [{"bands": []}, REFER_TOP_DECILE | {"threshold": 0.5}])
    def test_has_a_version_and_bands_and_nothing_else(self, given: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Policy.model_validate(given)

    def test_band_has_no_unknown_field(self) -> None:
        with pytest.raises(ValidationError, match="to_quantile"):
            Band.model_validate({"from_quantile": 0, "decision": "refer", "to_quantile": 1})


def test_bands_are_shown_at_the_pds_of_cross_validation() -> None:
    predictions = pd.DataFrame(
        {
            "sample": ["cv"] * 101 + ["test"],
            "probability_of_default": [*(np.arange(101) / 200), 0.9],
        }
    )

    bands = band_edges(predictions, Policy.model_validate(REFER_TOP_DECILE))

    assert bands == [
        BandEdges("approve", 0.0, 0.45, "0 to 90% of training loans, lowest PD first"),
        BandEdges("refer", 0.45, 1.0, "90 to 100% of training loans, lowest PD first"),
    ]


def test_the_top_decile_of_unseen_pds_is_referred(
    lending_model: TrainedModel, simulated_loans: pd.DataFrame
) -> None:
    edge = lending_model.facts.pd_quantiles["0.9"]
    pds = pd.Series(np.linspace(0, 2 * edge, 1_001))

    decided = np.array(decide(pds, Policy.model_validate(REFER_TOP_DECILE), lending_model.facts))

    assert set(decided[pds < edge]) == {Decision.APPROVE}
    assert set(decided[pds >= edge]) == {Decision.REFER}


def read_insights() -> dict[str, Any]:
    """The shipped group of insights, with a day in place of its reference."""
    written: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))["insights"]
    return written | {"as_of": "2026-11-23"}


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (ScoringOptions, {"as_of": "2026-11-23", "policy": REFER_TOP_DECILE}),
        (InsightsOptions, read_insights()),
    ],
)
def test_options_are_taken_whole_and_refused_with_an_unknown_key(options, given) -> None:
    assert options.model_validate(given).day == pd.Timestamp("2026-11-23")
    with pytest.raises(ValidationError, match="speed"):
        options.model_validate(given | {"speed": 1})


@pytest.mark.parametrize("name", ["min_loans", "max_recommendations"])
def test_a_count_of_none_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        InsightsOptions.model_validate(read_insights() | {name: 0})


def test_the_bands_of_one_model_decide_as_their_edges_say() -> None:
    bands = [
        BandEdges("approve", 0.0, 0.2, ""),
        BandEdges("refer", 0.2, 0.5, ""),
        BandEdges("decline", 0.5, 1.0, ""),
    ]
    pds = np.array([0.0, 0.19, 0.2, 0.49, 0.5, 0.9, np.nan])
    decider = decider_of_bands(bands)

    decided = decider.decide_column(pds)
    assert [decided.values[code] for code in decided.codes] == [
        "approve", "approve", "refer", "refer", "decline", "decline", "invalid",
    ]  # fmt: skip
    assert decider.approves_column(pds).tolist() == [True, True, *[False] * 5]
