import pandas as pd
import pytest

from loantap.model.leakage.evidence import GateVerdict
from loantap.model.leakage.lineage import check_lineage
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.truth_columns import NEVER_A_FEATURE


@pytest.mark.parametrize("name", sorted(NEVER_A_FEATURE))
def test_the_gate_refuses_each_column_of_the_truth_by_name(name):
    loans = pd.DataFrame({"loan_id": ["a", "b"], name: [0.1, 0.2]})
    found = check_lineage(loans[name], loans)

    assert found.verdict is GateVerdict.CAUGHT
    assert "the simulator's truth" in found.statement


def test_no_source_column_has_the_name_of_one():
    assert not NEVER_A_FEATURE & set(COLUMNS)


def test_the_truth_is_read_where_it_is_made_and_nowhere_else():
    readers = {node.name for node in register_pipelines()["all"].nodes if "sources.simulated_truth" in node.inputs}

    assert readers == {"sources.account_for_portfolio", "sources.simulate_loan_events"}
