import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model import schemas
from loantap.model.leakage.findings import LeakageError
from loantap.model.leakage.last_training import LastTraining
from loantap.pipelines.feature_engineering.nodes import detect_leakage
from tests.pipelines.in_memory import load_options, run

SCHEMAS = {
	"benchmark": schemas.MODEL_INPUT_BENCHMARK,
	"lending": schemas.MODEL_INPUT_LENDING,
	"application": schemas.MODEL_INPUT_APPLICATION,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_model_input_holds_its_feature_set_and_nothing_else(engineered, name):
	table = SCHEMAS[name].validate(engineered[f"{name}_input"])

	assert table.columns.tolist() == [
		"loan_id",
		"split",
		"known_from",
		"judged_at",
		"is_charged_off",
		*FEATURE_SETS[name].features,
	]


def test_features_are_those_that_scoring_computes(engineered, ingested):
	computed = build_features(ingested["loans"], FEATURE_SETS["lending"].features)

	assert_frame_equal(engineered["lending_input"][list(computed.columns)], computed)


def test_rows_of_all_tables_are_the_same_loans_in_one_order(engineered, ingested):
	ids = ingested["loans"]["loan_id"].tolist()
	for name in ("feature_engineering.features", "splits", *(f"{name}_input" for name in SCHEMAS)):
		assert engineered[name]["loan_id"].tolist() == ids
	outcome = ingested["loans"]["is_charged_off"].tolist()
	assert engineered["lending_input"]["is_charged_off"].tolist() == outcome


def test_a_tenth_of_the_loans_is_held_out_and_both_sides_default_alike(engineered):
	rates = engineered["lending_input"].groupby("split")["is_charged_off"].agg(["size", "mean"])

	assert rates["size"].to_dict() == {"train": 1_350, "test": 150}
	assert rates.loc["test", "mean"] == pytest.approx(rates.loc["train", "mean"], abs=0.01)


def test_loans_judged_out_of_time_had_run_their_course_and_train_no_model_before(engineered, ingested):
	loans = ingested["loans"].merge(engineered["splits"])
	judged = loans[loans["judged_at"].notna()]

	assert len(judged)
	assert set(judged["term_months"]) == {36}
	assert (judged["issue_month"] + pd.DateOffset(months=36)).max() < pd.Timestamp("2017-03-01")
	assert (judged["issue_month"] >= judged["judged_at"]).all()
	assert (judged["known_from"] > judged["judged_at"]).all()


def test_the_gate_looks_at_training_loans_only(ingested, engineered):
	"""Outcomes of the held-out loans may be anything: the report stays the same."""
	held_out = engineered["splits"]["split"] == "test"
	loans = ingested["loans"]
	shuffled = loans["is_charged_off"].copy()
	outcomes = shuffled[held_out].sample(frac=1, random_state=3).to_numpy()
	shuffled[held_out] = outcomes
	changed = loans.assign(is_charged_off=shuffled)

	report = detect_leakage(
		changed,
		engineered["feature_engineering.features"],
		engineered["splits"],
		engineered["target"],
		ingested["reconciliation"],
		ingested["feature_engineering.last_training"],
		load_options()["params:feature_engineering"],
	)
	assert report == engineered["leakage_report"]


@pytest.mark.parametrize(("target", "told"), [("charged_off", "1 of 1 "), ("dpd_90_within_12", "nothing to compare")])
def test_a_feature_is_held_against_the_champion_of_its_origin_and_target(target, told, ingested, engineered):
	weak = {"feature": "sub_grade_rank", "n": 90_000, "auc": 0.5, "auc_low": 0.5, "auc_in_sample": 0.5}
	last = LastTraining.model_validate({"target": {"name": target}, "features": [weak], "label": "champion"})

	report = detect_leakage(
		ingested["loans"],
		engineered["feature_engineering.features"],
		engineered["splits"],
		engineered["target"],
		ingested["reconciliation"],
		{"simulated": lambda: last},
		load_options()["params:feature_engineering"],
	)

	assert report["checks"]["last_training"]["statement"].startswith(told)


def test_a_leak_in_a_lending_model_stops_the_run(ingested):
	strict = {"feature_engineering": {"leakage": {"max_auc": 0.55}}}

	with pytest.raises(LeakageError, match=r"uses what the leakage gate caught: .*AUC 0"):
		run("feature_engineering", ingested, **strict)


def test_a_source_column_computed_from_outcomes_stops_the_run(ingested):
	"""Built as declared, and yet a leak: its values were default rates of other loans' outcomes."""
	loans = ingested["loans"]
	rates = loans.groupby("earliest_credit_line")["is_charged_off"].transform("mean")

	with pytest.raises(LeakageError, match=r"dti_pct \(.*computed from outcomes: over loans"):
		run("feature_engineering", ingested | {"loans": loans.assign(dti_pct=50 * rates)})


def test_the_checks_of_the_whole_portfolio_are_reported(engineered):
	checks = engineered["leakage_report"]["checks"]

	assert set(checks) == {"borrowers", "time_travel", "lineage", "last_training", "feature_sets", "audited_columns"}
	assert all(check["passed"] for check in checks.values())
	audited = {entry["feature"] for entry in checks["audited_columns"]["columns"]}
	assert {"profession", "title", "sub_grade", "state"} <= audited
	suspicious = {entry["feature"] for entry in engineered["leakage_report"]["features"] if entry["verdict"] != "passed"}
	assert {record["feature"] for record in engineered["leakage_report"]["impact"]} == suspicious
