import json

import pandas as pd


def test_a_whole_run_of_a_window_reports_its_target_and_leaves_champions_and_insights(demo):
	def read(name):
		return json.loads((demo.reporting / name).read_text("utf-8"))

	before = demo.aliases(), (demo.reporting / "insights.html").read_bytes()

	ended = demo.run("--params", "loans=2000,target=dpd_90_within_12")

	assert ended.exit_code == 0, ended.output
	assert (demo.aliases(), (demo.reporting / "insights.html").read_bytes()) == before
	told = " ".join(ended.output.split())
	assert "Target dpd_90_within_12 (90 days" in told
	assert "target (its target is dpd_90_within_12; the policy" in told
	target, fairness = read("metrics.json")["target"], read("fairness.json")
	loans, *books = (
		pd.read_parquet(demo.folder / "data" / f"{name}.parquet")
		for name in ("04_feature/labelled_loans", "03_primary/loans", "03_primary/running_loans")
	)
	assert (target["name"], target["n"]) == ("dpd_90_within_12", len(loans))
	assert len(loans) + sum(target["left_out"].values()) == sum(map(len, books))
	for name in ("lending/promotion.json", "leakage_report.json", "vintage_analysis.json", "fairness.json"):
		assert read(name)["target"] == target
	assert "target dpd_90_within_12 (90 days" in (demo.reporting / "model_card.html").read_text("utf-8")
	assert (fairness["models"]["lending"]["approvals"], "not applied" in str(fairness)) == ([], True)
	vintages = read("vintage_analysis.json")["models"]["lending"]["vintages"]
	assert max(row["issue_year"] for row in vintages if row["observed_to_expected"]) >= 2015
