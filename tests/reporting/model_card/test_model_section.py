"""What the model card says about one model."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from loantap.reporting.model_card.model_section import word_section
from tests.reporting.card_material import BLOCKS, make_scorecard, make_section, make_verdict


def test_a_section_holds_finished_material_and_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        make_section("benchmark").for_lending = True  # type: ignore[misc]


def test_its_anchor_is_its_name_as_a_page_can_have_it() -> None:
    assert word_section(make_section("published_replica"), None).anchor == "model-published-replica"


def test_its_figures_are_embedded_under_their_captions() -> None:
    figures = word_section(make_section("lending"), None).figures

    assert figures["before_and_after"].caption == "Calibration out of fold, before and after"
    assert all(f.source.startswith("data:image/svg+xml;base64,") for f in figures.values())


@pytest.mark.parametrize("name", BLOCKS)
def test_only_the_replica_is_compared_with_what_was_published(name: str) -> None:
    worded = word_section(make_section(name), None)

    assert (worded.comparison is not None) is (name == "published_replica")


@pytest.mark.parametrize(
    ("challenger", "is_boosted"),
    [
        (None, False),
        (make_verdict("boosting", "logistic", promoted=False), False),
        (make_verdict("boosting", "logistic", promoted=True), True),
    ],
)
def test_it_is_boosted_where_the_challenger_went_forward(challenger, is_boosted) -> None:
    promotion = {"champion": make_verdict(), "challenger": challenger}

    assert word_section(make_section("lending", promotion=promotion), None).is_boosted is is_boosted


def test_the_scorecard_is_shown_as_its_file_has_it() -> None:
    scorecard = make_scorecard()

    assert word_section(make_section("lending"), scorecard).scorecard is scorecard
