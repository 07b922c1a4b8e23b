import json
import shutil
from contextlib import chdir

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from loantap.registry.commands import main
from loantap.registry.evidence import note_predictions
from loantap.registry.models import PREDICTIONS, ModelVersion
from loantap.registry.validation import gather
from loantap.validation.validate import PARTS, run_part, validate
from tests.registry.registered import artifacts_of
from tests.reporting.page_outline import read_section

LENDING = ModelVersion("loantap-lending-demo", "1")


def start(project, *words):
	with chdir(project.folder):
		return CliRunner().invoke(main, ["--registry", f"sqlite:///{project.folder / 'mlflow.db'}", "validate", *words])


@pytest.fixture
def evidence(demo):
	assert demo.mlflow
	return artifacts_of(LENDING) / "evidence"


@pytest.fixture(scope="module")
def material(demo):
	assert demo.mlflow
	return gather(LENDING, demo.folder / "data")[1]


def test_an_honest_run_agrees_and_an_altered_report_is_named(demo, evidence):
	before = json.loads((evidence / "evidence.json").read_text("utf-8"))["files"]
	ended = start(demo)
	told = json.loads((demo.reporting / "validation.json").read_text("utf-8"))

	assert (ended.exit_code, told["differing"]) == (0, []), ended.output
	assert {check["part"] for check in told["checks"]} == set(PARTS)
	after = json.loads((evidence / "evidence.json").read_text("utf-8"))["files"]
	assert [entry["file"] for entry in after if entry not in before] == ["validation.html", "validation.json"]
	assert not any(path.is_dir() for path in evidence.iterdir())
	page = (evidence / "validation.html").read_text("utf-8")
	assert f"All {len(told['checks'])} figures agree" in read_section(page, "verdict")
	assert told["raw_sha256"] in page
	assert "SIMULATED DATA" in page

	metrics = json.loads((evidence / "metrics.json").read_text("utf-8"))
	metrics["test"]["roc_auc"] += 0.001
	(evidence / "metrics.json").write_text(json.dumps(metrics), "utf-8")
	ended = start(demo, LENDING.name, LENDING.version)

	assert ended.exit_code == 1
	page = (demo.reporting / "validation.html").read_text("utf-8")
	verdict = read_section(page, "verdict")
	assert "4 of" in verdict
	assert "bytes of metrics.json unlike evidence.json" in verdict
	assert "test: roc_auc." in verdict


def other(value):
	"""Another number, order or answer."""
	if isinstance(value, list | pd.DataFrame):
		return value[::-1]
	return not value if isinstance(value, bool | np.bool) else value + 0.3


def twice(table):
	return pd.concat([table, table[:1]])


def reword(old, new):
	return lambda content: json.loads(json.dumps(content).replace(old, new))


def alter(content, *path):
	"""Change what is at a path, of a table a column, in the first row or the first of a query; last may stand how."""
	*path, change = path if path and callable(path[-1]) else (*path, other)
	if not path:
		return change(content)
	altered, (place, *rest) = content.copy(), path
	if isinstance(content, pd.DataFrame):
		first = (content.query(*rest) if rest else content).index[0]
		altered.loc[first, place] = change(altered.loc[first, place])
	else:
		altered[place] = alter(content[place], *rest, change)
	return altered


def examine(material, part, name, *path):
	"""Whether each figure of a part agrees after a change, and why the part failed."""
	files, checks = dict(material.files) | {"raw": material.raw}, []
	files[name] = alter(files[name], *path)
	failure = run_part(PARTS[part], material._replace(raw=files.pop("raw"), files=files), checks)
	return {check.figure: check.agrees for check in checks}, failure


EXCEPTIONS, COMPARED, TARGETS = "instalment_exceptions.parquet", "policy_comparison.parquet", "target_checks.parquet"
PUBLISHED, CURRENT = "08_reporting/metrics.json", "07_model_output/lending/predictions.parquet"
FAIRNESS, APPROVALS = ("fairness.json", "models", "lending"), ("fairness.json", "models", "lending", "approvals")
EXAMPLE, FEATURES = ("scorecard.json", "example"), ("scorecard.json", "features", 0, "attributes", 0)
NPV = "policy == 'npv' and scenario == 'mid' and paid_life == 'capped' and sample == 'cv'"
PLANTED = {
	"Record: loans not in the raw data: ?": (PREDICTIONS, "loan_id", lambda _: "?"),
	"Record: loans twice in a sample": (PREDICTIONS, twice),
	"Record: bytes of model.skops": ("evidence.json", "files", 1, "sha256", lambda _: ""),
	"Outcomes: outcomes that are not the raw status: ": ("raw", "loan_status", lambda _: "Current"),
	"Outcomes: outcomes that are not the raw status": (PREDICTIONS, "is_charged_off", lambda bad: 1 - bad),
	"Split: out_of_time: loans unlike": (PREDICTIONS, lambda of: of[of["sample"] != "out_of_time"]),
	"Published: 08_reporting/metrics.json: unlike the evidence: test.ks": (PUBLISHED, "lending", "test", "ks"),
	"Published: 08_reporting/metrics.json: origin": (PUBLISHED, "origin", lambda _: "real"),
	f"Published: {CURRENT}: loans unlike": (CURRENT, "probability_of_default", lambda pd_: pd_ / 2),
	f"Published: {CURRENT}: loans unlike the evidence: ": (CURRENT, lambda of: of[1:]),
	"Metrics: cv: ece": ("metrics.json", "cv", "ece"),
	"Metrics: test: roc_auc_low": ("metrics.json", "test", "roc_auc_low"),
	"Metrics: out_of_time: ks_high": ("metrics.json", "out_of_time", "ks_high"),
	"Metrics: out_of_time: loans": (PREDICTIONS, lambda of: of[of["sample"] != "out_of_time"]),
	"Thresholds: metrics.json, test: best": ("metrics.json", "test", "threshold"),
	"Thresholds: thresholds.json: f2": ("thresholds.json", "chosen", "f2"),
	"Thresholds: thresholds.json: default_rate": ("thresholds.json", "chosen", "default_rate"),
	"Thresholds: cv: thresholds of loans": (PREDICTIONS, lambda of: of.assign(threshold=0.5)),
	"Thresholds: cv: decisions off": (PREDICTIONS, "declined", "sample == 'cv'"),
	"Thresholds: test: decisions off": (PREDICTIONS, "declined", "sample == 'test'"),
	"Thresholds: trade-off: recall": ("thresholds.json", "thresholds", 40, "recall"),
	"EMI: off the EMI, as listed": ("raw", "instalment"),
	"EMI: listed twice": (EXCEPTIONS, twice),
	"EMI: listed, and not off": (EXCEPTIONS, lambda of: pd.concat([of, of[:1].assign(loan_id="?", difference=0)])),
	"Points: test: log-odds": ("scorecard.parquet", "points"),
	"Points: scorecard.parquet: bands": ("scorecard.parquet",),
	"Points: scorecard.json: base": ("scorecard.json", "base_points"),
	"Points: scorecard.json: n of": (*FEATURES, "n"),
	"Points: scorecard.json: points of": (*FEATURES, "points"),
	"Scores: scorecard.json: order": ("scorecard.json", "bands"),
	"Scores: scorecard.json: charged_off": ("scorecard.json", "bands", 2, "charged_off"),
	"Scores: scorecard.json: default_rate_low": ("scorecard.json", "bands", 2, "default_rate_low"),
	"Scores: made-up case: points": ("scorecard.json", "base_points"),
	"Scores: made-up case: score": (*EXAMPLE, "score", lambda score: score + 1),
	"Scores: made-up case: reasons are": (*EXAMPLE, "reasons"),
	"Scores: made-up case: reasons that": (*EXAMPLE, "reasons", reword("%", "1%")),
	"Decisions: fairness.json: another policy: other": (*FAIRNESS, "policy", lambda _: "other"),
	"Decisions: cv: approved": (*APPROVALS, 0, "approved"),
	"Decisions: cv: approval_rate_low": (*APPROVALS, 0, "approval_rate_low"),
	"Decisions: cv: profit": (*APPROVALS, 0, "profit"),
	"Targets: review_capacity_low": (TARGETS, "reached_low"),
	"Targets: limits": (TARGETS, "limit"),
	"Targets: targets that": (TARGETS, "holds"),
	"Money: mid, capped: NPV": ("imputed_profits.parquet", "npv_mid_capped"),
	"Money: cv, mid, capped: profit": (COMPARED, "profit", NPV),
	"Money: cv, mid, capped: approval_rate": (COMPARED, "approval_rate", NPV),
	"Money: cv, mid, capped: default_rate": (COMPARED, "default_rate_approved", NPV),
	"Money: cv, mid, capped: gain_to_approve_all": (COMPARED, "gain_to_approve_all_low", NPV),
	"Refit: test: PDs": (PREDICTIONS, "probability_of_default", "sample == 'test'", lambda pd_: pd_ / 2),
	"Refit: coefficients": ("training.json", "coefficients", 0, "coefficient"),
}
BROKEN = {
	"Record: predictions.parquet: it has no": (PREDICTIONS, lambda of: of[of["sample"] == "cv"]),
	"Published: 08_reporting/metrics.json: it is empty": (PUBLISHED, lambda _: {}),
	"Metrics: metrics.json: it lacks 'default_rate'": ("metrics.json", "test", lambda of: {"n": of["n"]}),
	"Points: model_input.parquet: it has loans twice": ("model_input.parquet", twice),
	"Scores: scorecard.json: it is not as it should be": (*EXAMPLE, lambda _: []),
	"Decisions: fairness.json: it lacks 'lending'": ("fairness.json", "models", lambda _: {}),
	"Decisions: fairness.json: it lacks 'cv'": (*APPROVALS, lambda _: []),
	"Targets: target_checks.parquet: it is empty": (TARGETS, lambda of: of[:0]),
	"Money: imputed_profits.parquet, policy_comparison.parquet: it lacks": (
		COMPARED,
		lambda of: of[of["policy"] != "npv"],
	),
	"Refit: training.json: none of its": ("training.json", "candidates", lambda _: []),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_difference_that_is_planted_is_named(material, name):
	part, _, figure = name.partition(": ")

	found, failure = examine(material, part, *PLANTED[name])

	assert not failure
	assert [agrees for told, agrees in found.items() if told.startswith(figure)][:1] == [False]


@pytest.mark.parametrize("name", BROKEN)
def test_a_part_without_what_it_needs_fails_and_says_what(material, name):
	part, _, told = name.partition(": ")

	_, failure = examine(material, part, *BROKEN[name])

	assert failure.startswith(told)
	assert "Run `--pipelines training`" in failure


def test_statuses_are_read_as_the_run_read_them(material):
	words = {"Charged Off": "written_OFF", "Fully Paid": " closed"}
	mapped = {"ingestion.statuses.charged_off": ["Written-off"], "ingestion.statuses.paid": ["Closed"]}
	raw, checks = material.raw.assign(loan_status=material.raw["loan_status"].replace(words)), []

	for parameters in (material.parameters, {**material.parameters, **mapped}):
		run_part(PARTS["Outcomes"], material._replace(raw=raw, parameters=parameters), checks)

	assert [check.agrees for check in checks] == [False, True]


def test_bounds_of_few_loans_are_left_out(material):
	rows, sizes = material.files[PREDICTIONS], []

	for n in (99, 100):
		test, checks = rows[rows["sample"] == "test"][:n], []
		files = {**material.files, PREDICTIONS: pd.concat([rows[rows["sample"] != "test"], test])}
		run_part(PARTS["Metrics"], material._replace(files=files), checks)
		sizes.append(sum(check.figure.startswith("test: ") for check in checks))

	assert sizes == [15, 43]


def test_targets_of_which_a_run_can_say_nothing_are_not_asked_for(material):
	told = material.files[TARGETS].query("target in ['review_capacity', 'min_approval_rate']")
	told = told.assign(reached=0.0, reached_low=0.0, reached_high=(x := 1.959964**2) / (len(material.sample("cv")) + x))
	told["holds"] = told["target"] == "review_capacity"
	nobody = {**material.parameters, "policy.rules.min_margin": 9.0}
	checks = []

	given = material._replace(files={**material.files, TARGETS: told}, parameters=nobody)
	failure = run_part(PARTS["Targets"], given, checks)

	assert not failure
	assert all(check.agrees for check in checks)


def test_a_threshold_told_alike_everywhere_is_not_the_best_for_that(material):
	files = dict(material.files) | {PREDICTIONS: material.files[PREDICTIONS].assign(threshold=0.5)}
	for name, block in (("metrics.json", "cv"), ("metrics.json", "test"), ("thresholds.json", "chosen")):
		files[name] = alter(files[name], block, "threshold", lambda _: 0.5)
	checks = []

	run_part(PARTS["Thresholds"], material._replace(files=files), checks)

	assert sum(not check.agrees for check in checks if "best threshold" in check.figure) == 3


def test_a_loan_that_the_raw_data_lack_is_named_and_every_part_goes_on(material):
	lost = material.files[PREDICTIONS].query("sample == 'test'")["loan_id"].iloc[0]

	found = validate(material._replace(raw=material.raw.drop(lost)))

	assert not found.failed
	assert set(found.checks) == set(PARTS)
	assert f"loans not in the raw data: {lost}" in [check.figure for check in found.checks["Record"] if not check.agrees]
	assert not all(check.agrees for check in found.checks["Money"])


def test_absent_and_damaged_files_are_named_and_the_other_parts_go_on(demo, evidence):
	(evidence / "metrics.json").write_text("{", "utf-8")
	for name in ("training.json", "scorecard.json"):
		(evidence / name).unlink()
	(demo.folder / "data" / "07_model_output" / "imputed_profits.parquet").write_text("PAR", "utf-8")
	shutil.rmtree(demo.reporting)

	ended = start(demo)

	told = json.loads((demo.reporting / "validation.json").read_text("utf-8"))
	why = {
		"metrics.json: it is damaged": ["Metrics", "Thresholds"],
		"metrics.json: it is not there": ["Published"],
		"scorecard.json: it is not there": ["Points", "Scores"],
		"imputed_profits.parquet: it is damaged": ["Money"],
		"training.json: it is not there": ["Refit"],
	}
	assert ended.exit_code == 1
	assert {words: [part for part, of in told["failed"].items() if words in of] for words in why} == why
	changed = ("metrics.json", "scorecard.json", "training.json")
	assert told["differing"] == [f"Record: bytes of {name} unlike evidence.json: changed or lost" for name in changed]
	assert {check["part"] for check in told["checks"]} >= set(PARTS) - told["failed"].keys()
	assert "7 parts could NOT BE VALIDATED" in " ".join(ended.output.split())
	page = (demo.reporting / "validation.html").read_text("utf-8")
	assert "imputed_profits.parquet: it is damaged" in read_section(page, "verdict")


@pytest.mark.parametrize(
	("name", "left_out"),
	[("application", {"Targets", "Money"}), ("published-replica", {"Targets", "Money", "Points", "Scores", "Decisions"})],
)
def test_other_models_agree_and_what_is_not_made_of_them_is_said(demo, name, left_out):
	ended = start(demo, f"loantap-{name}-demo", "1")

	assert ended.exit_code == 0, ended.output
	told = json.loads((demo.reporting / "validation.json").read_text("utf-8"))
	assert {check["part"] for check in told["checks"]} == set(PARTS) - left_out
	assert {words.partition(":")[0] for words in told["not_validated"]} >= left_out


def test_files_of_another_version_are_not_held_against_this_one_and_files_of_none_are(demo):
	client, path = demo.mlflow, demo.folder / "data" / "07_model_output" / "lending" / PREDICTIONS
	pd.read_parquet(path).assign(probability_of_default=0.5).to_parquet(path)
	assert gather(LENDING, demo.folder / "data")[1].absent == {}

	other = client.create_model_version(LENDING.name, str(path.parent))
	note_predictions(ModelVersion(LENDING.name, other.version), path)
	try:
		absent = gather(LENDING, demo.folder / "data")[1].absent
	finally:
		client.delete_model_version(LENDING.name, other.version)

	assert absent.keys() == {"Split", "Published", "EMI", "Points", "Targets", "Money", "Refit"}
	assert f"are of {LENDING.name} version {other.version}: validate that one" in absent["Money"]


def test_what_cannot_be_validated_says_what_to_do(demo, evidence, empty_project):
	said = {"no version is registered": start(empty_project), "there is no version 9": start(demo, LENDING.name, "9")}
	pd.read_parquet(evidence / PREDICTIONS).drop(columns="threshold").to_parquet(evidence / PREDICTIONS)
	said["it lacks 'threshold'. Run"] = start(demo)
	(evidence / PREDICTIONS).write_text("PAR", "utf-8")
	said["no predictions.parquet that can be read (it is damaged"] = start(demo)
	(evidence / PREDICTIONS).unlink()
	said["no predictions.parquet that can be read. Run"] = start(demo)
	(demo.folder / "data" / "01_raw" / "loans" / "manifest.json").unlink()
	said["there are no raw loans"] = start(demo)

	for words, ended in said.items():
		assert ended.exit_code == 1
		assert words in " ".join(ended.output.split())


def test_the_same_model_under_other_economics_agrees_as_well(demo, evidence):
	before = {name: (evidence / name).read_bytes() for name in ("promotion.json", "evidence.json")}
	given = "economics.scenarios.hard.loss_given_default=0.8"

	ended = demo.run("--pipelines", "modeling,evaluation,insights", "--params", given)

	assert ended.exit_code == 0, ended.output
	assert {name: (evidence / name).read_bytes() == content for name, content in before.items()} == {
		"promotion.json": True,
		"evidence.json": False,
	}
	assert start(demo, LENDING.name, "1").exit_code == 0
