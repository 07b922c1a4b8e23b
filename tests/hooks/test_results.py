import pandas as pd
from kedro.io import DataCatalog

from loantap.hooks.results import collect_results


def test_offers_are_told_with_their_account_and_their_model(tmp_path):
  catalog = DataCatalog.from_config(
    {
      "offers": {
        "type": "loantap.datasets.BatchedDataset",
        "dataset": {"type": "pandas.ParquetDataset", "filepath": str(tmp_path / "new.parquet")},
        "in_batches": True,
      },
      "offers.offers_account": {
        "type": "loantap.datasets.StagedDataset",
        "dataset": {"type": "json.JSONDataset", "filepath": str(tmp_path / "a.json")},
      },
    }
  )
  names = ["offers", "offers.offers_account"]
  rows = pd.DataFrame({"application_id": ["1", "1", "2"], "model_name": "m", "model_version": "3"})
  catalog.save(names[0], rows)
  catalog.save(names[1], {"rows": 2})
  for name in names:
    catalog.get(name).publish()

  found = collect_results(catalog, names, tmp_path)

  assert found.offers == tmp_path / "new.parquet"
  assert found.offers_account == {"rows": 2}
  assert found.offering_models is not None
  assert found.offering_models.to_dict("records") == [{"model_name": "m", "model_version": "3", "rows": 3}]
  assert (found.scores, found.decisions, found.scoring_account) == (None, None, None)
