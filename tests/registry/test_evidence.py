import hashlib
import json
from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest

from loantap.datasets import JudgedModelDataset, RegisteredModelDataset
from loantap.model.promotion.release import digest_predictions
from loantap.model.training.splits import digest_loans
from loantap.model.validation.evaluation import JudgedModel
from loantap.portfolio.errors import InputError
from loantap.registry.evidence import (
	EXPECTED,
	RunRecord,
	add_files,
	attach_evidence,
	list_figures,
	load_judged,
	note_predictions,
)
from loantap.registry.models import ModelVersion, register
from loantap.registry.reading import UnreadableModelError
from tests.registry.registered import PREDICTIONS, artifacts_of, make_champion, make_release, tags_of, with_facts

pytestmark = pytest.mark.usefixtures("active_run")

RUN = RunRecord(
	command="kedro run --params loans=2000",
	git_commit="0" * 40,
	parameters={"modeling.lending.folds": 5},
	origin="simulated",
)
METRICS = {
	"cv": {"n": 1_800, "roc_auc": 0.71, "ece": 0.012},
	"test": {"n": 200, "roc_auc": 0.69, "roc_auc_low": 0.61, "roc_auc_high": 0.77},
	"out_of_time": None,
}


def write(folder, name, content):
	folder.mkdir(exist_ok=True)
	path = folder / name
	path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
	return path


@pytest.fixture
def model(active_run, lending_model):
	return register(make_release(lending_model))


@pytest.fixture
def pack(model, tmp_path):
	files = {"metrics.json": write(tmp_path, ".metrics.staged.json", METRICS)}
	attach_evidence(model, "lending", files, RUN)
	return artifacts_of(model) / "evidence"


@pytest.fixture
def index(pack):
	return json.loads((pack / "evidence.json").read_text("utf-8"))


def test_the_run_that_made_it_is_named(index):
	assert index["model"] == {
		"name": "loantap-lending-demo",
		"version": "1",
		"namespace": "lending",
		"origin": "simulated",
	}
	assert index["run"] == {
		"command": RUN.command,
		"git_commit": RUN.git_commit,
		"parameters": RUN.parameters,
		"origin": RUN.origin,
	}


def test_the_index_is_laid_out_for_people(pack):
	assert (pack / "evidence.json").read_text("utf-8").startswith('{\n  "model": {\n    "name": ')


def test_a_version_is_found_by_predictions_that_were_attached_later(model, tmp_path):
	later = PREDICTIONS.assign(probability_of_default=0.2)
	later.to_parquet(tmp_path / "later.parquet")

	attach_evidence(model, "lending", {"predictions.parquet": tmp_path / "later.parquet"}, RUN)

	assert tags_of(model)["predictions_sha256"] == digest_predictions(later)


def test_a_later_run_replaces_what_it_made_and_what_was_validated_before_is_not_listed_any_more(pack, model, tmp_path):
	add_files(model, write(tmp_path / "later", "validation.json", {}).parent)
	again = replace(RUN, parameters={"policy.version": "2"})

	for run in (replace(RUN, parameters={"policy.version": "1", "policy.id": "npv"}), again):
		attach_evidence(model, "lending", {}, run)

	now = json.loads((pack / "evidence.json").read_text("utf-8"))
	assert now["run"]["parameters"] == RUN.parameters | again.parameters
	assert {"metrics.json"} == {entry["file"] for entry in now["files"]} & {"metrics.json", "validation.json"}


def test_files_made_after_the_run_join_the_index_or_replace_their_namesakes(pack, index, model, tmp_path):
	later = tmp_path / "later"
	for name in ("metrics.json", "validation.json"):
		write(later, name, {})

	add_files(model, later)

	now = json.loads((artifacts_of(model) / "evidence" / "evidence.json").read_text("utf-8"))
	sizes = {entry["file"]: entry["bytes"] for entry in index["files"]}
	expected = sizes | {"metrics.json": 2, "validation.json": 2}
	assert sorted((entry["file"], entry["bytes"]) for entry in now["files"]) == sorted(expected.items())
	assert now["figures"] == index["figures"]


def test_every_file_has_its_digest_the_model_itself_as_well_and_what_is_absent_is_named(index, pack):
	evidence = {"metrics.json", "predictions.parquet", "promotion.json", "training.json"}
	assert {path.name for path in pack.iterdir()} == evidence | {"evidence.json"}
	assert json.loads((pack / "metrics.json").read_text("utf-8")) == METRICS
	digests = {entry["file"]: entry["sha256"] for entry in index["files"]}
	assert set(digests) == evidence | {"MLmodel", "model.skops", "input_example.json"}
	for name, digest in digests.items():
		folder = pack if name in evidence else pack.parent
		assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
	assert set(index["absent"]) == set(EXPECTED) - evidence
	assert "model_card.html" in index["absent"]


def test_each_figure_tells_where_it_is_on_how_many_loans_and_within_what_bounds(index):
	figures = {figure["key"]: figure for figure in index["figures"]}

	assert set(figures) == {"cv.roc_auc", "cv.ece", "test.roc_auc"}
	assert figures["test.roc_auc"] == {
		"file": "metrics.json",
		"key": "test.roc_auc",
		"sample": "test",
		"n": 200,
		"value": 0.69,
		"low": 0.61,
		"high": 0.77,
	}


def test_of_a_report_on_several_models_the_own_part_is_listed():
	report = {
		"origin": "real",
		"models": {
			"lending": {"vintages": [{"year": "2013", "n": 20, "roc_auc": 0.7}]},
			"application": {"vintages": [{"year": "2013", "n": 20, "roc_auc": 0.6}]},
		},
	}

	(figure,) = list_figures("vintage_analysis.json", report, "lending")

	assert figure["key"] == "models.lending.vintages.0.roc_auc"
	assert figure["value"] == 0.7
	assert list_figures("vintage_analysis.json", report, "benchmark") == []


def test_a_report_may_be_a_list():
	(figure,) = list_figures("x.json", [{"n": 3, "auc": 0.5}], "lending")

	assert figure == {"file": "x.json", "key": "0.auc", "sample": "0", "n": 3, "value": 0.5}


def test_the_range_of_a_perfect_ece_is_listed_though_it_bounds_no_figure():
	block = {"n": 20, "ece": 0.02, "ece_perfect_low": 0.01, "ece_perfect_high": 0.04}

	listed = {figure["key"]: figure for figure in list_figures("x.json", block, "lending")}

	assert set(listed) == {"ece", "ece_perfect_low", "ece_perfect_high"}
	assert "low" not in listed["ece"]


REPORT = {"promotion": {"champion": {"promoted": True}}}


@pytest.fixture
def predictions(tmp_path):
	path = tmp_path / "predictions.parquet"
	PREDICTIONS.to_parquet(path)
	return path


@pytest.fixture
def report(tmp_path):
	path = tmp_path / "training.json"
	path.write_text(json.dumps(REPORT), "utf-8")
	return path


def test_in_a_run_that_trains_it_is_the_new_version_promoted_or_not(lending_model, predictions, report):
	make_champion(lending_model)
	# Another model than the champion, or nothing new would be registered.
	release = make_release(with_facts(lending_model, training_loans=3_999), promoted=False)

	RegisteredModelDataset(namespace="lending").save(release)
	judged = JudgedModelDataset(namespace="lending", predictions=str(predictions), training_report=str(report)).load()

	assert str(judged) == "loantap-lending-demo version 2"
	assert judged.is_new
	assert judged.champion == "loantap-lending-demo version 1"
	assert judged.lending_scorer.version == "2"
	pd.testing.assert_frame_equal(judged.predictions, PREDICTIONS)
	assert judged.training_report == REPORT


def test_a_demo_is_judged_itself_beside_a_real_champion(lending_model, predictions, report):
	real = make_champion(with_facts(lending_model, origin="real"))
	RegisteredModelDataset(namespace="lending").save(make_release(lending_model))

	judged = load_judged("lending", predictions, report)

	assert str(judged) == "loantap-lending-demo version 1"
	assert judged.champion == str(real)
	assert judged.training is None  # as of an older release


def test_later_it_is_the_version_that_made_the_predictions(lending_model, predictions, report):
	first = register(make_release(lending_model, promoted=False))
	note_predictions(first, predictions)
	make_champion(lending_model)

	judged = load_judged("lending", predictions, report)

	assert str(judged) == str(first)
	assert not judged.is_new
	assert judged.champion == "loantap-lending-demo version 2"


def test_a_model_that_must_not_be_lent_on_is_judged_but_neither_scores_nor_has_a_champion(
	lending_model, predictions, report
):
	model = make_champion(with_facts(lending_model, namespace="benchmark"))
	note_predictions(model, predictions)

	judged = load_judged("benchmark", predictions, report)

	assert (str(judged), judged.champion, judged.scorer, judged.training) == (str(model), "", None, None)


@pytest.mark.parametrize(("change", "is_known"), [(1e-15, True), (1e-8, False)])
def test_a_training_that_differs_in_its_last_bits_makes_the_same_predictions(
	change, is_known, lending_model, predictions, report
):
	note_predictions(make_champion(lending_model), predictions)
	pd_column = "probability_of_default"
	PREDICTIONS.assign(**{pd_column: PREDICTIONS[pd_column] + change}).to_parquet(predictions)

	with nullcontext() if is_known else pytest.raises(InputError, match="no version"):
		load_judged("lending", predictions, report)


def test_predictions_of_no_version_are_not_taken_for_those_of_the_champion(lending_model, predictions, report):
	make_champion(lending_model)

	with pytest.raises(InputError, match="no version in the model registry made them") as refused:
		load_judged("lending", predictions, report)
	assert "--pipelines training" in refused.value.remedy


def test_a_version_carries_the_loans_it_was_trained_on(lending_model, predictions, report, simulated_loans):
	training = digest_loans(simulated_loans, "lending")
	release = replace(make_release(lending_model), training=training)
	RegisteredModelDataset(namespace="lending").save(release)

	judged = load_judged("lending", predictions, report)

	assert judged.training is not None
	assert judged.training.count_shared(simulated_loans.head(9)) == 9
	(artifacts_of(ModelVersion(judged.name, judged.version)) / "evidence" / "training_loans.npz").write_bytes(b"damaged")
	with pytest.raises(UnreadableModelError, match=r"its training_loans\.npz is damaged"):
		load_judged("lending", predictions, report)


@pytest.mark.parametrize(
	("name", "is_new", "promoted", "champion", "said"),
	[
		("loantap-lending", True, True, "", "Champion from the end of this run on"),
		("loantap-lending", True, False, "loantap-lending version 1", "Not champion: loantap-l"),
		("loantap-lending", True, False, "", "Not champion, and no other version is"),
		("loantap-lending", False, True, "loantap-lending version 2", "Champion"),
		("loantap-lending", False, True, "loantap-lending version 3", "Not champion: loantap-le"),
		("loantap-lending-demo", True, True, "loantap-lending version 1", "learnt from real loans"),
	],
)
def test_it_says_which_version_decides(name, is_new, promoted, champion, said):
	told = JudgedModel(name, "2", is_new, champion, PREDICTIONS, REPORT).tell_standing(promoted=promoted)

	assert said in told
	assert ("not about it" in told) == (champion not in {"", f"{name} version 2"} and not said.startswith("Champion"))
