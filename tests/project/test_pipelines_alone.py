import json
from datetime import UTC, datetime

import pandas as pd
import pytest

REASONS = [f"reason_{number}" for number in range(1, 5)]
COLUMNS = [
	"application_id",
	"probability_of_default",
	"score",
	"decision",
	*REASONS,
	"model_name",
	"model_version",
	"expected_npv",
	"policy_version",
	"policy_digest",
]


@pytest.mark.parametrize(
	("pipeline", "given", "makes"),
	[
		("sources", "loans=2000", "data/00_sources/simulated_truth.parquet"),
		("ingestion", "summary=full", "data/03_primary/loans.parquet"),
		("feature_engineering", "", "data/05_model_input/lending.parquet"),
		("modeling", "", "data/07_model_output/lending/predictions.parquet"),
		("evaluation", "", "data/08_reporting/metrics.json"),
		("insights", "", "data/08_reporting/insights.html"),
	],
)
def test_a_pipeline_runs_by_itself_and_makes_the_same_again(pipeline, given, makes, demo):
	path = demo.folder / makes
	before = path.read_bytes()
	aliases, versions = demo.aliases(), list_versions(demo)
	if pipeline == "insights":
		# The page says on which day it was made: midnight may have passed since.
		given = f"as_of={datetime.fromtimestamp(path.stat().st_mtime, UTC).date()}"
	path.unlink()

	result = demo.run("--pipelines", pipeline, *(["--params", given] if given else []))

	assert result.exit_code == 0, result.output
	# pytest would explain a difference within a page of 1.6 MB for hours.
	is_same = path.read_bytes() == before
	assert is_same
	assert demo.aliases() == aliases
	assert list_versions(demo) == versions
	told = " ".join(result.output.split())
	assert ("Rows per source" in told) is (given == "summary=full")
	assert "same data, same model as loantap-lending-demo" in told or pipeline != "modeling"


def test_the_older_spelling_of_the_option_works_as_well(demo):
	with pytest.warns(DeprecationWarning, match="--pipelines"):
		assert demo.run("--pipeline", "insights", "--nodes", "insights.recommend").exit_code == 0


def list_versions(project):
	return {
		(version.name, str(version.version), version.tags.get("promotion", ""))
		for version in project.mlflow.search_model_versions()
	}


def test_each_row_comes_out_in_its_place_and_one_that_cannot_be_scored_says_why(demo, applications, score):
	ids = [f"A-{number}" for number in (5, 3, 4, 1, 9, 2)]
	bad = applications.head(6).assign(application_id=ids)
	bad.loc[2, "annual_inc"] = "plenty"
	bad.loc[4, "sub_grade"] = "Z9"
	versions = {name: version for name, _, version in demo.aliases()}

	scores, _ = score(bad)

	assert scores.columns.tolist() == COLUMNS
	assert scores["application_id"].tolist() == ids
	assert set(scores["policy_version"]) == {"npv 2026-11"}
	assert set(scores["model_name"]) == {"loantap-lending-demo"}
	assert set(scores["model_version"]) == {str(versions["loantap-lending-demo"])}
	good, invalid = scores.drop([2, 4]), scores.loc[[2, 4]]
	assert good["probability_of_default"].between(0, 1).all()
	assert good["score"].between(300, 900).all()
	assert set(good["decision"]) <= {"approve", "refer", "decline"}
	assert (good["reason_1"] != "").any()
	assert invalid["decision"].tolist() == ["invalid", "invalid"]
	assert invalid[["probability_of_default", "score"]].isna().all(axis=None)
	assert invalid["reason_1"].tolist()[0] == "annual_inc 'plenty': not a number"
	assert invalid["reason_1"].tolist()[1].startswith("sub_grade 'Z9': not one of A1, A2")


def test_scoring_without_a_path_the_scores_go_to_the_model_output_and_none_into_mlflow(demo, applications, tmp_path):
	source = tmp_path / "new.csv"
	applications.head(6).to_csv(source, index=False)
	experiment = demo.mlflow.get_experiment_by_name("loantap").experiment_id
	before = len(demo.mlflow.search_runs([experiment], max_results=5_000))

	result = demo.run("--pipelines", "scoring", "--params", f"applications={source}")

	assert result.exit_code == 0, result.output
	assert "scores.parquet" in result.output
	assert len(pd.read_parquet(demo.folder / "data/07_model_output/scores.parquet")) == 6
	assert len(demo.mlflow.search_runs([experiment], max_results=5_000)) == before


@pytest.fixture
def recommended(demo):
	file = demo.reporting / "recommendations.json"
	before = file.read_text("utf-8")
	written = json.loads(before)
	every = [*written["recommendations"], *written["tested"]]
	rule = next(entry for entry in every if entry["id"] == "dti_at_most_30")
	file.write_text(json.dumps(written | {"recommendations": [rule], "tested": []}), "utf-8")
	yield
	file.write_text(before, "utf-8")


@pytest.mark.usefixtures("recommended")
def test_loans_that_earn_are_approved_and_a_rule_that_is_switched_on_declines_more(applications, score):
	without, _ = score(applications)
	scores, _ = score(applications, "scoring.recommendations=[dti_at_most_30]")

	npv = without.groupby("decision")["expected_npv"]
	assert set(without["decision"]) == {"approve", "refer", "decline"}
	assert npv.min()["approve"] > 0
	assert npv.median()["decline"] < 0
	assert 0.4 < (without["decision"] == "approve").mean() < 0.8
	assert (without["decision"] == "refer").mean() < 0.12
	is_high = applications["dti"].astype(float).gt(30)
	is_unlike = without["reason_1"].str.contains("outside the range|does not follow|no loan of")
	turned = is_high & without["decision"].isin(["approve", "refer"]) & ~is_unlike
	assert turned.any()
	expected = without["decision"].mask(turned, "decline")
	assert scores["decision"].tolist() == expected.tolist()
	assert set(scores["policy_version"]) == {"npv 2026-11 + dti_at_most_30"}


def test_an_external_portfolio_is_judged_by_the_models_that_may_be_lent_on(demo, portfolio_text, tmp_path):
	path = tmp_path / "older.csv"
	portfolio_text.drop(columns="address").to_csv(path, index=False)
	file = demo.reporting / "vintage_analysis.json"
	before = json.loads(file.read_text("utf-8"))["models"]

	result = demo.run("--pipelines", "evaluation", "--params", f"external={path}")

	assert result.exit_code == 0, result.output
	models = json.loads(file.read_text("utf-8"))["models"]
	assert set(models) == {"lending", "application"}
	for name, found in models.items():
		assert "external" not in before[name]
		assert found["external"]["n"] == 1_000
		assert found["external"]["model_name"] == f"loantap-{name}-demo"
		assert found["external"]["auc_gain_low"] < found["external"]["auc_gain_high"]
	assert "An external sample" in (demo.reporting / "model_card.html").read_text("utf-8")
