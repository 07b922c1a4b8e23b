import json
from dataclasses import fields
from datetime import date

import numpy as np
import pandas as pd
import pytest

from loantap.model.training.options import OutOfTimeOptions
from loantap.model.validation.external import ExternalResult
from loantap.model.validation.vintage_report import report_vintages
from loantap.model.validation.vintages import Judgement, VintageAnalysis
from tests.conftest import OUT_OF_TIME

WINDOW = OutOfTimeOptions.model_validate(OUT_OF_TIME)
JUDGEMENT = Judgement(120, 24, *[1 / 3] * (len(fields(Judgement)) - 2))
ROW = {f.name: getattr(JUDGEMENT, f.name) for f in fields(Judgement)}
VINTAGES = VintageAnalysis(
    pooled=JUDGEMENT,
    origins=pd.DataFrame(
        [
            {"origin": pd.Timestamp("2012-07-01"), "trained_loans": 5, "skipped": "too few"}
            | dict.fromkeys(ROW, np.nan),
            {"origin": pd.Timestamp("2013-01-01"), "trained_loans": 500, "skipped": ""} | ROW,
        ]
    ),
    vintages=pd.DataFrame([{"issue_year": 2014, "term_months": 36, "interpretable": False} | ROW]),
)
EXTERNAL = ExternalResult(
    "loantap-lending",
    "3",
    date(2007, 6, 1),
    date(2010, 12, 1),
    JUDGEMENT,
    *[0.01234567] * 9,
    4_715,
    is_overlap_checked=True,
)


def report(external=None, window=WINDOW):
    made = report_vintages({"lending": VINTAGES}, {"lending": external or []}, window, "real")
    return json.loads(json.dumps(made, allow_nan=False))  # plain JSON throughout


def test_figures_have_six_significant_digits_counts_are_whole_and_what_was_not_measured_is_null():
    (skipped, row) = report()["models"]["lending"]["rolling_origin"]["origins"]

    assert row["roc_auc"] == 0.333333
    assert (row["origin"], row["n"], row["trained_loans"]) == ("2013-01", 120, 500)
    assert isinstance(row["n"], int)
    assert (skipped["skipped"], skipped["n"], skipped["roc_auc"]) == ("too few", None, None)


def test_the_external_portfolio_is_there_when_one_was_given():
    made = report([EXTERNAL])

    external = made["models"]["lending"]["external"]
    assert external["first_issue_month"] == "2007-06"
    assert external["auc_gain"] == 0.0123457
    assert (external["n"], external["training_loans"]) == (120, 4_715)
    assert "level" in made["caveats"]["external"]


@pytest.mark.parametrize(("settled_only", "said"), [(False, "taken as known"), (True, "contract had ended")])
def test_the_caveat_is_that_of_the_variant(*, settled_only, said):
    window = WINDOW.model_copy(update={"settled_only": settled_only})

    assert said in report(window=window)["caveats"]["rolling_origin"]
