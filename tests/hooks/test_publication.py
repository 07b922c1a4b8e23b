"""In a run that trains and scores, evaluation sees the new version, scoring the one in office."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node

from loantap.datasets import RegisteredModelDataset
from loantap.hooks.publication import PromotionHook
from loantap.hooks.record import _tell_command


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> DataCatalog:
    """A model dataset that says what it is asked for, beside applications."""
    monkeypatch.setattr(RegisteredModelDataset, "load_deciding", lambda _: "in office")
    return DataCatalog(
        {
            "lending_model": RegisteredModelDataset(namespace="lending"),
            "applications": MemoryDataset("rows"),
        }
    )


def ask(catalog: DataCatalog, tag: str, *saved: str) -> dict[str, Any] | None:
    hook = PromotionHook()
    for name in saved:
        hook.after_dataset_saved(name)
    task = node(
        lambda applications, model: (applications, model),
        ["applications", "lending_model"],
        "out",
        name="task",
        tags=tag,
    )
    return hook.before_node_run(task, catalog)


def test_scoring_is_given_what_is_in_office_when_the_run_has_ended(catalog: DataCatalog) -> None:
    given = ask(catalog, "scoring", "lending_model", "applications")

    assert given == {"lending_model": "in office"}


def test_evaluation_is_given_the_version_that_the_run_saved(catalog: DataCatalog) -> None:
    assert ask(catalog, "evaluation", "lending_model") is None


def test_a_run_that_only_scores_loads_as_usual(catalog: DataCatalog) -> None:
    assert not ask(catalog, "scoring")


@pytest.mark.parametrize(
    ("run", "command"),
    [
        ({"pipeline_names": None, "env": None, "runtime_params": {}}, "kedro run"),
        (
            {"pipeline_names": ["modeling", "evaluation"], "runtime_params": {"seed": 7}},
            "kedro run --pipelines modeling,evaluation --params seed=7",
        ),
        (
            {"env": "odbc", "runtime_params": {"portfolio": "my loans.csv"}},
            "kedro run --env odbc --params 'portfolio=my loans.csv'",
        ),
    ],
)
def test_the_command_in_the_evidence_can_be_pasted(run: dict[str, Any], command: str) -> None:
    assert _tell_command(run) == command
