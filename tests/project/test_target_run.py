import json

import pandas as pd


def test_a_whole_run_of_a_window_reports_its_target_and_leaves_champions_and_insights(demo):
    def read(name):
        return json.loads((demo.reporting / name).read_text("utf-8"))

    def read_table(name):
        return pd.read_parquet(demo.folder / "data" / f"{name}.parquet")

    before = demo.aliases(), (demo.reporting / "insights.html").read_bytes()

    ended = demo.run("--params", "loans=2000,target=dpd_90_within_12")

    assert ended.exit_code == 0, ended.output
    assert (demo.aliases(), (demo.reporting / "insights.html").read_bytes()) == before
    told = " ".join(ended.output.split())
    assert "target (its target is dpd_90_within_12; the policy" in told
    assert "Target dpd_90_within_12 (90 days" in told
    target, loans = read("metrics.json")["target"], read_table("04_feature/labelled_loans")
    assert (target["name"], target["n"]) == ("dpd_90_within_12", len(loans))
    books = [read_table(f"03_primary/{name}") for name in ("loans", "running_loans")]
    assert len(loans) + sum(target["left_out"].values()) == sum(map(len, books))
    assert "Current" in set(loans["loan_status"])
    for name in ("lending/promotion.json", "leakage_report.json", "vintage_analysis.json", "fairness.json"):
        assert read(name)["target"] == target
    assert "target dpd_90_within_12 (90 days" in (demo.reporting / "model_card.html").read_text("utf-8")
    vintages = read("vintage_analysis.json")["models"]["lending"]["vintages"]
    assert max(row["issue_year"] for row in vintages if row["observed_to_expected"]) >= 2015
    fairness = read("fairness.json")["models"]["lending"]
    assert (fairness["approvals"], "not applied: its target" in fairness["policy"]) == ([], True)
    versions = demo.mlflow.search_model_versions("name = 'loantap-lending-demo'")
    assert "dpd_90_within_12" in {version.tags["target"] for version in versions}
