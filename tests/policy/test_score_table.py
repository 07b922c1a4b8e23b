import numpy as np
import pandas as pd

from loantap.model.scoring.assessed import Assessed
from loantap.model.scoring.reasons import GivenReasons
from loantap.policy.decisions import DECISIONS, Decided
from loantap.policy.schemas import DECISIONS as DECISIONS_SCHEMA
from loantap.policy.schemas import SCORES
from loantap.policy.score_table import SCORE_COLUMNS, MadeBy, date_decisions, tabulate_scores
from loantap.portfolio.column_reading import Texts


def make_scores(identifiers):
	reasons = GivenReasons(np.array([[3, 2], [1, 0], [0, 0], [0, 0]], dtype="int32"), ("", "a", "b", "c", "unused"))
	codes = np.array([DECISIONS.index("decline"), DECISIONS.index("invalid")], dtype="int8")
	pds, nothing = np.array([0.25, np.nan]), np.zeros(2, dtype="int8")
	assessed = Assessed(pds, np.array([550, np.nan]), reasons, nothing, {})
	decided = Decided(Texts(codes, DECISIONS), nothing, np.array([-12.5, np.nan]))
	made_by = MadeBy("loantap-lending-demo", "3", "npv 2026-11", "0123456789ab")
	ids = pd.Series(identifiers, dtype="str")
	return tabulate_scores(ids, assessed, decided, reasons, made_by)


def test_a_row_holds_what_was_found_of_its_application():
	scores = SCORES.validate(make_scores(["A", "B"]))

	assert tuple(scores.columns) == SCORE_COLUMNS
	first, second = scores.astype(object).where(scores.notna(), None).to_dict("records")
	model, policy = ("loantap-lending-demo", "3"), ("npv 2026-11", "0123456789ab")
	assert list(first.values()) == ["A", 0.25, 550, "decline", "c", "a", "", "", *model, -12.5, *policy]
	assert list(second.values()) == ["B", None, None, "invalid", "b", "", "", "", *model, None, *policy]


def test_reasons_that_no_row_has_are_not_kept():
	scores = make_scores(["A", "B"])

	assert scores["reason_1"].cat.categories.tolist() == ["b", "c"]
	assert scores["reason_2"].cat.categories.tolist() == ["", "a"]


def test_decisions_are_kept_with_their_day_and_the_origin_of_the_model():
	scores = make_scores(["row 12-B", None])
	texts = scores.columns[scores.dtypes == "category"]

	kept = date_decisions(scores, pd.Timestamp("2026-11-23"))

	DECISIONS_SCHEMA.validate(kept.astype(dict.fromkeys(texts, "str")))
	assert kept["application_id"].tolist() == ["row 12-B"]
	assert kept["origin"].tolist() == ["simulated"]
	assert kept["decided_on"].tolist() == [pd.Timestamp("2026-11-23")]
