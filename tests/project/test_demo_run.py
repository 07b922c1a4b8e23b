import json
import re
from html import unescape
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from loantap.model.validation.evaluation import SAMPLES
from loantap.portfolio.dictionary import SIMULATED, SYSTEM_OF, Table

LENDS = {"benchmark": False, "published_replica": False, "lending": True, "application": True}
MODELS = tuple(LENDS)
PLAIN = {
	"n",
	"default_rate",
	"roc_auc",
	"average_precision",
	"ks",
	"brier",
	"ece",
	"threshold",
	"accuracy",
	"precision",
	"recall",
	"f2",
	"f2_decline_all",
	"approval_rate",
	"default_rate_approved",
	"ece_perfect_low",
	"ece_perfect_high",
}
UNBOUNDED = {"n", "threshold", "ece_perfect_low", "ece_perfect_high"}
PAGES = ("insights.html", "eda.html", "model_card.html")
PLOTS = ("roc.png", "precision_recall.png", "calibration.png", "calibration_before_and_after.png", "thresholds.png")
EVIDENCE = ("metrics.json", "calibration.json", "thresholds.json", "promotion.json")


def read_report(demo, name):
	return json.loads((demo.reporting / name).read_text("utf-8"))


def read_table(demo, name):
	return pd.read_parquet(demo.folder / "data" / f"{name}.parquet")


@pytest.fixture(scope="module")
def metrics(demo):
	return read_report(demo, "metrics.json")


@pytest.fixture(scope="module")
def training_run(demo):
	"""The run of the demo itself: the first in its store that is no candidate's."""
	experiment = demo.mlflow.get_experiment_by_name("loantap")
	found = demo.mlflow.search_runs([experiment.experiment_id], order_by=["start_time ASC"])
	return next(run for run in found if "mlflow.parentRunId" not in run.data.tags)


def test_the_terminal_tells_each_node_and_ends_with_a_short_summary(demo_result):
	output = demo_result[1].output

	assert "make_portfolio" in output
	assert "render_model_card" in output
	told = " ".join(output.split())
	assert re.search(
		r"Data [\d,]+ loans of SIMULATED DATA, [\d,]+ of which still run; "
		r"0 of [\d,]+ rows in",
		told,
	)
	assert "The new logistic model of lending becomes champion: all 3 conditions hold" in told
	assert re.search(r"SIMULATED DATA: 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\] on \d+ test loans", told)
	assert re.search(r"Reports data/08_reporting/model_card\.html, .+; \d more in that", told)
	assert "Rows per source" not in output
	# No Makefile here, as in a packaged run.
	assert "mlflow ui --backend-store-uri sqlite:" in output
	assert "make " not in output
	for noise in ("WARNING", "INFO", "ERROR", "Warning", "Traceback", "http"):
		assert noise not in output


def test_every_model_has_its_evidence_and_scorecard_and_audits_where_it_is_lent_on(demo):
	for model, lends in LENDS.items():
		for plot in PLOTS:
			assert (demo.reporting / model / plot).read_bytes().startswith(b"\x89PNG\r\n")
		assert (demo.reporting / model / "scorecard.json").is_file() is lends
		table = demo.folder / "data" / "07_model_output" / model / "scorecard.parquet"
		assert table.is_file() is lends

	for name in ("fairness.json", "stability.json"):
		audit = read_report(demo, name)
		assert audit["origin"] == SIMULATED
		measured = {model: found["n"] for model, found in audit["models"].items()}
		assert measured == {"lending": 1_800, "application": 1_800}


def test_nothing_stays_behind_in_staging(demo):
	hidden = [path for path in demo.digests() if ".staged" in path or "/." in path]

	# Of each snapshot, what a run locks while it writes, which is empty.
	assert {Path(path).name for path in hidden} == {".loans.lock", ".applications.lock", ".loan_events.lock"}


@pytest.mark.parametrize(
	("table", "file"),
	[("portfolio", "loans"), ("portfolio_months", "loan_months"), ("portfolio_reconciliation", "reconciliation")],
)
def test_the_new_tables_are_in_the_warehouse_as_well(demo, table, file):
	warehouse = demo.folder / "data" / "00_sources" / "warehouse.duckdb"
	with duckdb.connect(str(warehouse), read_only=True) as connection:
		written = connection.table(table).to_df()
	expected = read_table(demo, f"03_primary/{file}")
	key = [name for name in ("loan_id", "month", "table") if name in expected]

	pd.testing.assert_frame_equal(
		written.sort_values(key, ignore_index=True), expected.sort_values(key, ignore_index=True), check_dtype=False
	)


@pytest.mark.parametrize("table", list(Table))
def test_no_row_disappears(demo, table):
	source = demo.folder / "data" / "00_sources" / f"{SYSTEM_OF[table]}.duckdb"
	with duckdb.connect(str(source), read_only=True) as connection:
		counted = len(connection.table(table))
	row = read_table(demo, "03_primary/reconciliation").set_index("table").loc[table]

	assert counted == row["extracted"] == row["kept"] + row["quarantined"]
	assert row["difference"] == 0


def test_the_truth_behind_the_demo_is_kept_for_the_very_loans(demo):
	truth = read_table(demo, "00_sources/simulated_truth")
	loans = read_table(demo, "03_primary/loans")
	running = read_table(demo, "03_primary/running_loans")

	assert len(loans) == 2_000
	assert set(truth["loan_id"]) == {*loans["loan_id"], *running["loan_id"]}
	joined = loans.merge(truth, on="loan_id")
	assert joined["true_pd"].mean() == pytest.approx(joined["is_charged_off"].mean(), abs=0.03)

	months = read_table(demo, "03_primary/loan_months")
	assert set(loans["origin"]) == set(months["origin"]) == {SIMULATED}


def test_the_metrics_holds_every_model_and_the_origin(metrics):
	assert set(metrics) == {*MODELS, "origin", "target"}
	assert metrics["origin"] == SIMULATED
	assert (metrics["target"]["name"], metrics["target"]["n"]) == ("charged_off", 2_000)


@pytest.mark.parametrize("model", MODELS)
def test_every_figure_of_the_contract_is_there_within_its_bounds(demo, metrics, model):
	assert read_report(demo, f"{model}/metrics.json") == metrics[model]
	# The published split of nine to one.
	assert (metrics[model]["cv"]["n"], metrics[model]["test"]["n"]) == (1_800, 200)
	for sample in SAMPLES:
		block = metrics[model][sample]
		bounded = set() if sample == "cv" else PLAIN - UNBOUNDED
		assert set(block) == PLAIN | {f"{n}_{end}" for n in bounded for end in ("low", "high")}
		for name in bounded - {"ece"}:  # a resampled ECE is larger than the ECE
			assert block[f"{name}_low"] <= block[name] <= block[f"{name}_high"], name


def test_the_replica_decides_at_its_published_threshold(metrics):
	assert {block["threshold"] for block in metrics["published_replica"].values()} == {0.45}


def test_the_pincode_alone_makes_the_benchmark_look_good(metrics):
	assert metrics["benchmark"]["cv"]["roc_auc"] > 0.85
	assert metrics["lending"]["cv"]["roc_auc"] < 0.75


def test_the_pincode_is_caught_and_lends_to_nobody(demo):
	report = read_report(demo, "leakage_report.json")
	features = {entry["feature"]: entry for entry in report["features"]}
	caught = {name for name, entry in features.items() if entry["caught"]}

	assert features["pincode"]["used_by"] == ["benchmark"]
	assert "pincode" in caught
	assert not caught & {"interest_rate_pct", "sub_grade_rank", "dti_pct"}
	for model in ("lending", "application"):
		assert not caught & set(read_table(demo, f"05_model_input/{model}"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fetches_nothing_says_that_loans_are_simulated_and_shows_no_applicant(demo, name):
	html = (demo.reporting / name).read_text("utf-8")

	# Whatever stands in it, its policy lets nothing be fetched.
	policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
	assert policy.startswith("default-src 'none';")
	assert "connect-src" not in policy

	shown = re.sub(r"(?s)<(script|style|head)\b.*?</\1>|<[^>]+>", " ", html)
	assert "simulated" in " ".join(shown.split()).lower()[:500]

	source = demo.folder / "data" / "00_sources" / "appstream.duckdb"
	with duckdb.connect(str(source), read_only=True) as connection:
		addresses = connection.execute("SELECT address FROM applications").fetchall()
	loans = read_table(demo, "03_primary/loans")
	assert not [line for (line,) in addresses if line.splitlines()[0] in html]
	assert not [loan_id for loan_id in loans["loan_id"] if loan_id in html]


@pytest.mark.parametrize("model", [model for model, lends in LENDS.items() if lends])
class TestModelsForLending:
	def test_what_is_judged_out_of_time_is_reported_by_origin(self, demo, metrics, model):
		report = read_report(demo, "vintage_analysis.json")["models"][model]["rolling_origin"]
		judged = read_table(demo, "05_model_input/splits")["judged_at"].dropna()

		assert report["pooled"]["n"] == len(judged) > 0
		by_origin = {row["origin"]: row["n"] for row in report["origins"] if not row["skipped"]}
		assert by_origin == judged.dt.strftime("%Y-%m").value_counts().to_dict()
		for figure in ("n", "default_rate", "roc_auc", "ece"):
			assert report["pooled"][figure] == metrics[model]["out_of_time"][figure]


def test_segments_add_up_to_the_portfolio_and_every_one_asked_for_is_there(demo):
	loans = read_table(demo, "03_primary/loans")
	segmentations = read_table(demo, "07_model_output/findings").groupby("segmentation")
	totals = segmentations[["loans", "charged_off"]].sum()

	assert set(totals["loans"]) == {len(loans)}
	assert set(totals["charged_off"]) == {loans["is_charged_off"].sum()}
	for asked in ("grade", "term", "purpose", "home", "income", "dti", "utilisation", "amount", "profession", "pincode"):
		assert asked in " ".join(segmentations.groups).lower()


def test_the_summary_opens_the_page(demo):
	summary = read_report(demo, "summary.json")
	page = unescape((demo.reporting / "insights.html").read_text("utf-8"))

	assert (len(summary["findings"]), len(summary["actions"])) == (5, 3)
	for said in (*summary["findings"], *summary["actions"]):
		assert said["n"] > 0
		assert said["title"] in page


def test_the_run_is_finished_tagged_and_names_the_loans_it_learnt_from(training_run):
	tags = training_run.data.tags
	learnt_from = {logged.dataset.name for logged in training_run.inputs.dataset_inputs}

	assert training_run.info.status == "FINISHED"
	assert tags["origin"] == SIMULATED
	assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", tags["git_commit"])
	assert learnt_from == {
		f"simulated {feature_set} features, 2,000 loans" for feature_set in ("benchmark", "lending", "application")
	}


def test_reports_and_plots_are_attached(demo, training_run):
	run_id = training_run.info.run_id
	top = {file.path for file in demo.mlflow.list_artifacts(run_id)}

	assert {
		"insights.html",
		"model_card.html",
		"metrics.json",
		"leakage_report.json",
		"recommendations.json",
		"vintage_analysis.json",
		"fairness.json",
		"stability.json",
	} <= top
	assert "eda.html" not in top  # it holds a row of the portfolio
	for model in MODELS:
		attached = {file.path for file in demo.mlflow.list_artifacts(run_id, model)}
		assert {f"{model}/{file}" for file in (*PLOTS, *EVIDENCE)} <= attached

	copy = demo.folder / "mlartifacts" / run_id / "artifacts" / "metrics.json"
	assert copy.read_bytes() == (demo.reporting / "metrics.json").read_bytes()


@pytest.mark.parametrize("model", MODELS)
def test_each_model_is_registered_under_a_demo_name_with_its_verdict(demo, training_run, model):
	name = f"loantap-{model.replace('_', '-')}-demo"
	version = demo.mlflow.get_model_version(name, "1")

	assert version.run_id == training_run.info.run_id
	assert version.tags["origin"] == SIMULATED
	lends = LENDS[model]
	assert version.tags["not_for_lending"] == str(not lends).lower()
	# The replica is left uncalibrated, as published, so the rule never promotes it.
	promoted = model != "published_replica"
	assert version.tags["promotion"] == ("promoted" if promoted else "kept")
	alias = "champion" if lends else "best-not-for-lending"
	champion = {(named, alias) for named, alias, _ in demo.aliases() if named == name}
	assert champion == ({(name, alias)} if promoted else set())
	told = [version.description, demo.mlflow.get_registered_model(name).description]
	assert ["NOT FOR LENDING" in text for text in told] == [not lends, not lends]


@pytest.mark.parametrize("model", MODELS)
def test_each_version_carries_its_evidence(demo, model):
	name = f"loantap-{model.replace('_', '-')}-demo"
	source = demo.mlflow.get_model_version(name, "1").source
	served = demo.folder / "mlartifacts" / "models" / source.removeprefix("models:/")
	pack = served / "artifacts" / "evidence"
	index = json.loads((pack / "evidence.json").read_text("utf-8"))

	assert index["absent"] == []
	assert index["run"]["command"] == "kedro run --params loans=2000"
	assert index["model"]["origin"] == SIMULATED
	for name in ("metrics.json", "promotion.json"):
		assert (pack / name).read_bytes() == (demo.reporting / model / name).read_bytes()
	listed = {(figure["file"], figure["key"]): figure for figure in index["figures"]}
	assert listed["metrics.json", "test.roc_auc"]["n"] == 200
	assert (("scorecard.json", "bands.0.default_rate") in listed) is LENDS[model]


def test_no_model_is_registered_as_a_real_one_and_none_is_pickled(demo):
	names = {model.name for model in demo.mlflow.search_registered_models()}
	files = [path.name for path in (demo.folder / "mlartifacts").rglob("*") if path.is_file()]

	assert names == {f"loantap-{model.replace('_', '-')}-demo" for model in MODELS}
	assert files.count("model.skops") >= len(MODELS)
	assert not [f for f in files if f.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))]
