import json
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import mlflow
import numpy as np
import pandas as pd
import skops.io
import yaml
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from loantap.model.promotion.release import Release
from loantap.model.promotion.rule import Condition, Verdict
from loantap.registry.models import CHAMPION, TRUSTED_TYPES, conclude, register

PREDICTIONS = pd.DataFrame(
	{
		"loan_id": ["00001", "00002"],
		"sample": ["cv", "test"],
		"is_charged_off": [False, True],
		"probability_of_default": [0.1, np.nextafter(0.3, 1)],
	}
)


def with_facts(trained, **changes):
	return replace(trained, facts=trained.facts.model_copy(update=changes))


def make_release(trained, *, promoted=True):
	"""A model that meets the conditions, or fails the one on calibration."""
	conditions = (
		Condition("enough charge-offs", True, "798 in training, 100 required"),
		Condition("calibrated", promoted, "ECE 0.0310 out of fold on 3,600 loans"),
	)
	verdict = Verdict("the new model", "the old one", promoted, conditions)
	return Release(trained, PREDICTIONS, {"promotion": {"champion": verdict.as_dict()}}, (verdict,))


def make_champion(trained):
	release = make_release(trained)
	model = register(release)
	conclude(model, release.verdicts[-1])
	return model


def champions():
	models = mlflow.MlflowClient().search_registered_models()
	return {m.name: str(m.aliases[CHAMPION]) for m in models if CHAMPION in m.aliases}


def artifacts_of(model):
	return Path(mlflow.artifacts.download_artifacts(f"{model.uri}/MLmodel")).parent


def tags_of(model):
	tags: dict[str, str] = mlflow.MlflowClient().get_model_version(model.name, model.version).tags
	return tags


def describe_anew(folder, change):
	path = folder / "MLmodel"
	described = yaml.safe_load(path.read_text("utf-8"))
	change(described)
	path.write_text(yaml.safe_dump(described), "utf-8")


def change_facts(folder, change):
	describe_anew(folder, lambda described: change(described["metadata"]["loantap"]))


def say_scikit_learn(folder, version):
	describe_anew(folder, lambda described: described["flavors"]["sklearn"].update(sklearn_version=version))


def make_facts_old(folder):
	"""As the release before this one wrote them."""

	def change(facts):
		facts["candidate"] = facts.pop("hyperparameters")
		del facts["kind"], facts["calibration"]

	change_facts(folder, change)


def make_facts_untrue(folder):
	"""Reasons measured from a point that is no number."""
	nan = float("nan")
	change_facts(folder, lambda facts: facts.update(reference=[*facts["reference"][:-1], nan]))


def shorten_reference(folder):
	change_facts(folder, lambda facts: facts.update(reference=facts["reference"][:2]))


def forget_facts(folder):
	describe_anew(folder, lambda described: described.pop("metadata"))


def shorten(folder):
	path = folder / "model.skops"
	path.write_bytes(path.read_bytes()[:-1_000])


def trust_itself(folder):
	"""Code, and a description that has it among the types to trust."""
	skops.io.dump(FunctionTransformer(func=print), folder / "model.skops")
	describe_anew(folder, lambda d: d["flavors"]["sklearn"].update(skops_trusted_types=["builtins.print"]))


def put_another_object(folder):
	skops.io.dump(FunctionTransformer(), folder / "model.skops")


def put_another_model(folder):
	"""Of the same features, but not explainable."""
	path = folder / "model.skops"
	pipeline = skops.io.load(path, trusted=TRUSTED_TYPES)
	skops.io.dump(Pipeline([pipeline.steps[0], ("classify", DummyClassifier())]), path)


def take_other_features(folder):
	path = folder / "model.skops"
	pipeline = skops.io.load(path, trusted=TRUSTED_TYPES)
	pipeline[0].feature_names_in_ = pipeline[0].feature_names_in_[1:]
	skops.io.dump(pipeline, path)


def change_schema(folder, change):
	"""An intact archive whose `schema.json` is not as this release of skops writes it."""
	path = folder / "model.skops"
	with ZipFile(path) as archive:
		contents = {name: archive.read(name) for name in archive.namelist()}
	schema = json.loads(contents["schema.json"])
	change(schema)
	contents["schema.json"] = json.dumps(schema).encode()
	with ZipFile(path, "w") as archive:
		for name, content in contents.items():
			archive.writestr(name, content)


def name_no_kind(folder):
	change_schema(folder, lambda schema: schema.pop("__class__"))


def name_no_loader(folder):
	change_schema(folder, lambda schema: schema.update(__loader__="NodeOfTomorrow"))


def forget_flavors(folder):
	describe_anew(folder, lambda described: described.update(flavors=None))
