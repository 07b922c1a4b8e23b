import os
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_info


def make_scores(batch, first_row):
	texts = dict.fromkeys(
		("decision", "reason_1", "reason_2", "reason_3", "reason_4", "model_name", "model_version"), "approve"
	)
	policy = dict.fromkeys(("policy_version", "policy_digest"), "npv 2026-11")
	scores = pd.DataFrame(
		{
			"application_id": (batch["a"].astype("int64") + 0).astype("str"),
			"probability_of_default": 0.5,
			"score": pd.array([600] * len(batch), dtype="Int64"),
		}
	)
	scores = scores.assign(**texts, expected_npv=100.0, **policy)
	return scores.astype(dict.fromkeys((*texts, *policy), "str"))


def make_one_impossible(batch, first_row):
	scores = make_scores(batch, first_row)
	return scores.assign(probability_of_default=np.where(batch["a"].eq(299), 1.5, scores["probability_of_default"]))


def take_minutes(batch, first_row):
	if len(batch):
		time.sleep(120)
	return make_scores(batch, first_row)


def break_in_the_middle(batch, first_row):
	if first_row:
		raise OSError("a cable was cut")
	return make_scores(batch, first_row)


def tell_where(batch, first_row):
	threads = max([pa.cpu_count(), *(pool["num_threads"] for pool in threadpool_info())])
	return make_scores(batch, first_row).assign(
		reason_1=str(os.getpid()),
		reason_2=str(threads),
		reason_3="with mlflow" if "mlflow" in sys.modules else "without mlflow",
	)
