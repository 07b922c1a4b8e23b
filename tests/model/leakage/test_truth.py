import pandas as pd
import pytest

from loantap.features.definitions import Feature
from loantap.model.leakage import evidence, lineage
from loantap.model.leakage.evidence import GateVerdict
from loantap.model.leakage.lineage import check_lineage
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.schemas import LOAN_MONTHS, LOANS
from loantap.portfolio.truth_columns import NEVER_A_FEATURE
from loantap.surveillance.schemas import LOAN_PANEL


@pytest.mark.parametrize("name", sorted(NEVER_A_FEATURE))
def test_the_gate_refuses_each_column_of_the_truth_by_name(name):
	loans = pd.DataFrame({"loan_id": ["a", "b"], name: [0.1, 0.2]})
	found = check_lineage(loans[name], loans)

	assert found.verdict is GateVerdict.CAUGHT
	assert "the simulator's truth" in found.statement


@pytest.mark.parametrize("column", sorted({*LOAN_PANEL.columns, *LOAN_MONTHS.columns} - {*LOANS.columns}))
def test_the_gate_refuses_features_of_the_months(monkeypatch, column):
	made = {"sneaked_in": Feature("sneaked_in", "what came of it", (column,))}
	for module in (lineage, evidence):
		monkeypatch.setattr(module, "FEATURES", made)

	found = check_lineage(pd.Series([1.0, 2.0], name="sneaked_in"), pd.DataFrame({column: [1.0, 2.0]}))

	assert evidence.check_known("sneaked_in").verdict is found.verdict is GateVerdict.CAUGHT
	assert f"{column}: in no application" in found.statement


def test_no_source_column_has_the_name_of_one():
	assert not NEVER_A_FEATURE & set(COLUMNS)


def test_the_truth_is_read_where_it_is_made_and_nowhere_else():
	readers = {node.name for node in register_pipelines()["all"].nodes if "sources.simulated_truth" in node.inputs}

	assert readers == {"sources.account_for_portfolio", "sources.simulate_loan_events"}
