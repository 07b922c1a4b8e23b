import pytest

from loantap.pipelines.insights.nodes import find_effects, measure_information
from loantap.policy.findings import schemas
from loantap.policy.money.returns import tabulate_profits
from tests.policy.findings.material import make_insights_options
from tests.policy.money.economics import make_economics

OPTIONS = make_insights_options()


def test_findings_fit_their_schemas_with_profits_of_the_main_scenario(simulated_loans):
  economics = make_economics()
  profits = tabulate_profits(simulated_loans, economics)

  tables = find_effects(simulated_loans, profits, economics, OPTIONS)

  named = (schemas.FINDINGS, schemas.FINDING_YEARS, schemas.DRIVERS, schemas.CLAIMS)
  assert all(len(schema.validate(table)) for table, schema in zip(tables, named, strict=True))
  row = tables[0].set_index(["segmentation", "segment"]).loc[("grade", "B")]
  is_b = simulated_loans["grade"] == "B"
  for life in ("contractual", "capped"):
    assert row[f"profit_{life}"] == pytest.approx(profits.loc[is_b, f"npv_mid_{life}"].mean())


def test_information_fits_its_schemas(simulated_loans):
  values, bins = measure_information(simulated_loans, OPTIONS)

  schemas.INFORMATION_VALUES.validate(values)
  schemas.BINS.validate(bins)
  assert values["factor"].iloc[0] == "pincode"
  assert set(bins["factor"]) == set(values["factor"])
