import json

import pandas as pd
import pytest

WINDOW = "dpd_90_within_12"


@pytest.mark.slow
def test_a_whole_run_of_a_window_reports_its_target_and_leaves_champions_and_insights(demo):
    def read(name):
        return json.loads((demo.reporting / name).read_text("utf-8"))

    champions, insights = demo.aliases(), (demo.reporting / "insights.html").read_bytes()

    ended = demo.run("--params", f"loans=2000,target={WINDOW}")

    assert ended.exit_code == 0, ended.output
    assert (demo.aliases(), (demo.reporting / "insights.html").read_bytes()) == (champions, insights)
    account = read("metrics.json")["target"]
    loans = pd.read_parquet(demo.folder / "data/05_model_input/labelled_loans.parquet")
    assert (account["name"], account["n"]) == (WINDOW, len(loans))
    assert len(loans) + sum(account["left_out"].values()) == sum(
        len(pd.read_parquet(demo.folder / f"data/03_primary/{name}.parquet")) for name in ("loans", "running_loans")
    )
    assert set(loans["loan_status"]) > {"Fully Paid", "Charged Off", "Current"}
    for name in ("lending/promotion.json", "leakage_report.json", "vintage_analysis.json"):
        assert read(name)["target"] == account
    assert "target (its target is dpd_90_within_12; the policy" in " ".join(ended.output.split())
    assert f"Target {WINDOW}" in (demo.reporting / "model_card.html").read_text("utf-8")
    vintages = read("vintage_analysis.json")["models"]["lending"]["vintages"]
    assert max(row["issue_year"] for row in vintages if row["observed_to_expected"]) >= 2015
    versions = demo.mlflow.search_model_versions("name = 'loantap-lending-demo'")
    assert max(versions, key=lambda one: int(one.version)).tags["target"] == WINDOW
