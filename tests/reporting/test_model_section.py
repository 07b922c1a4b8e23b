"""What the model card says about one model is put together once and then fixed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pandas as pd
import pytest

from loantap.reporting.model_section import ModelSection


def test_a_section_holds_finished_material_and_does_not_change() -> None:
    section = ModelSection(
        name="benchmark",
        purpose="beside the published case study only",
        for_lending=False,
        blocks={"cv": None},
        candidates=pd.DataFrame(),
        coefficients=pd.DataFrame(),
        figures={},
    )

    with pytest.raises(FrozenInstanceError):
        section.for_lending = True  # type: ignore[misc]
