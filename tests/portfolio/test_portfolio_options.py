"""Options of sources and ingestion are validated once and then frozen."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from loantap.portfolio.options import IngestionOptions, SourcesOptions

SOURCES = {"loans": 20_000, "seed": 42, "as_of": "2026-11-23", "tolerated_bad_share": 0.0}
INGESTION = {"as_of": "2026-11-23", "most_quarantined_share": 0.05}


def test_the_day_of_the_run_is_a_date() -> None:
    assert SourcesOptions(**SOURCES).day == pd.Timestamp("2026-11-23")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loans", 999),
        ("loans", 5_000_001),
        ("loans", "many"),
        ("loans", 1_000.5),
        ("seed", None),
        ("seed", -1),
        ("seed", 2**32),
        ("as_of", "yesterday"),
        ("tolerated_bad_share", -0.1),
        ("tolerated_bad_share", 1),
        ("tolerated_share", 0.1),
    ],
)
def test_a_bad_or_unknown_option_of_the_sources_is_refused_by_name(
    name: str, value: object
) -> None:
    with pytest.raises(ValidationError, match=name):
        SourcesOptions(**(SOURCES | {name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("most_quarantined_share", 0), ("most_quarantined_share", 1.1), ("seed", 1)],
)
def test_a_bad_or_unknown_option_of_ingestion_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        IngestionOptions(**(INGESTION | {name: value}))


@pytest.mark.parametrize("name", SOURCES)
def test_every_option_has_to_be_given(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        SourcesOptions(**{k: v for k, v in SOURCES.items() if k != name})


def test_options_do_not_change() -> None:
    options = SourcesOptions(**SOURCES)

    with pytest.raises(ValidationError, match="frozen"):
        options.seed = 1
