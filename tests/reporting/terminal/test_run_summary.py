import re
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from loantap.reporting.terminal.details import RunResults
from loantap.reporting.terminal.run_summary import summarise_run
from tests.reporting.card_material import BLOCK, EXTERNAL, TEST_BLOCK
from tests.reporting.terminal.test_scoring_told import make_account


def say(width=160, *, full=False, **results):
	said = StringIO()
	Console(file=said, width=width).print(summarise_run(RunResults(**results), full=full))
	return said.getvalue()


def tell(label, **results):
	lines = say(**results).splitlines()
	first = next(n for n, line in enumerate(lines) if line.startswith(label))
	others = lines[first + 1 :]
	below = next((n for n, line in enumerate(others) if line[:1] != " "), len(others))
	return [lines[first].removeprefix(label).strip(), *(line.strip() for line in others[:below])]


RECONCILIATION = pd.DataFrame(
	{
		"table": ["loans", "applications", "loan_events"],
		"origin": ["real", "real", "simulated"],
		"extracted": [5_239, 5_240, 101_234],
		"kept": [5_239, 5_239, 101_233],
		"running": 0,
		"left_out": 0,
		"quarantined": [0, 1, 1],
	}
)
BLOCKS = {"cv": BLOCK, "test": TEST_BLOCK | {"f2_low": 0.53, "f2_high": 0.62}, "out_of_time": None}
METRICS = {"lending": BLOCKS, "benchmark": BLOCKS, "origin": "real"}


def make_promotion(*, promoted, model="lending"):
	conditions = [
		{"name": "calibrated", "holds": True, "evidence": "ECE 0.0120 on 4,715 loans"},
		{"name": "better AUC", "holds": promoted, "evidence": "+0.001 [-0.002, +0.004]"},
	]
	verb = "takes the place of" if promoted else "does not take the place of"
	headline = f"the new logistic model of {model} {verb} loantap-{model} version 3"
	return {"challenger": None, "champion": {"promoted": promoted, "headline": headline, "conditions": conditions}}


def make_external(**changes):
	return {"models": {"application": {}, "lending": {"external": EXTERNAL | changes}}}


def test_a_book_that_lives_says_how_much_of_it():
	living = RECONCILIATION.assign(running=[1_048, 1_048, 20_000], left_out=[12, 12, 300])

	assert "5,239 real loans, 1,048 of which still run; 12 left out" in say(reconciliation=living)
	assert re.search(r"loan_events.*101,233\W+20,000\W+300\W+1\b", say(reconciliation=living, full=True))


@pytest.mark.parametrize(
	("changes", "said"),
	[
		({}, "real loans; loan_events SIMULATED; 2 of 111,713 rows in quarantine (applications 1, loan_events 1)"),
		({"quarantined": 0, "origin": "real"}, "real loans; 0 of 111,713 rows in quarantine"),
		({"quarantined": 0, "origin": "simulated"}, "loans of SIMULATED DATA; 0 of 111,713 rows in quarantine"),
	],
)
def test_loans_are_counted_and_so_is_what_was_put_aside(changes, said):
	assert tell("Data", reconciliation=RECONCILIATION.assign(**changes)) == [f"5,239 {said}"]


def test_a_new_model_is_told_with_its_conditions_or_what_it_failed_and_its_auc():
	promoted, not_promoted = (
		tell("Champion", metrics=METRICS, promotions={"lending": make_promotion(promoted=promoted)})
		for promoted in (True, False)
	)

	assert promoted == [
		(
			"The new logistic model of lending takes the place of loantap-lending version 3: "
			"all 2 conditions hold (calibrated, better AUC)"
		),
		"AUC of the new model: 0.712 [0.655, 0.761] on 524 test loans",
	]
	assert not_promoted[0] == (
		"The new logistic model of lending does not take the place of loantap-lending version "
		"3. Not met: better AUC (+0.001 [-0.002, +0.004])"
	)


@pytest.mark.parametrize("promoted", [True, False])
def test_another_lending_model_is_named_where_it_fared_otherwise(promoted):
	alike, otherwise = (make_promotion(promoted=fared) for fared in (promoted, not promoted))
	promotions = {"benchmark": otherwise, "application": otherwise, "lending": alike}

	told = tell("Champion", promotions=promotions)[1:]

	assert told == [f"application {'does not become' if promoted else 'becomes'} champion"]
	assert "application" not in say(promotions=promotions | {"application": alike})


def test_a_run_that_only_trained_tells_the_auc_out_of_fold():
	trained = {"application": {"cv": BLOCK}, "origin": "simulated"}
	untold = {"lending": {"cv": None, "test": None}, "origin": "real"}

	assert tell("Model", metrics=trained) == [
		"AUC of application, trained on SIMULATED DATA: 0.712 out of fold on 4,715 training loans"
	]
	assert tell("Model", metrics=untold) == ["AUC of lending: too few loans"]


def test_a_benchmark_alone_is_called_not_for_lending():
	assert "benchmark is not for lending" in say(metrics={"benchmark": BLOCKS, "origin": "real"})
	assert "not for lending" not in say(metrics=METRICS)


@pytest.mark.parametrize(
	("names", "said"),
	[
		(
			("metrics.json", "eda.html", "[draft].html", "model_card.html", "fairness.json"),
			"model_card.html, eda.html, [draft].html; 2 more in that folder",
		),
		(("leakage_report.json",), "leakage_report.json"),
	],
)
def test_pages_are_named_the_model_card_first_and_the_others_counted(names, said):
	assert tell("Reports", reports=[Path("data/08") / name for name in names]) == [f"data/08/{said}"]


@pytest.mark.parametrize(("model", "is_warned"), [("loantap-lending", False), ("loantap-lending-demo", True)])
def test_scores_are_counted_by_decision_and_a_demo_model_is_called_simulated(model, is_warned):
	decisions = pd.DataFrame(
		{"decision": ["invalid", "approve"], "model_name": model, "model_version": "3", "rows": [1, 2]}
	)

	path, counted = tell("Scores", scores=Path("out/[new].parquet"), decisions=decisions)[:2]

	assert path == "out/[new].parquet"  # no markup in a path
	assert counted.startswith(f"2 approve, 1 invalid, by {model} version 3")
	assert ("SIMULATED DATA, not for decisions" in counted) is is_warned


def test_what_could_not_be_scored_is_told_without_being_asked_for():
	told = tell("Scores", scores=Path("s"), scoring_account=make_account(invalid=300))

	assert told[1].startswith("300 of 4,000 could not be scored")


ACCOUNT = {
	"rows": 1_250,
	"invalid": 0,
	"invalid_share": 0.0,
	"causes": [],
	"has_ids": True,
	"without_id": {"rows": 9, "first_rows": [1]},
	"decisions": {"approve": 900, "refer": 200, "decline": 147, "invalid": 3},
	"kinds": {"as asked": 1_001, "smaller": 1_050, "none": 150},
	"no_offer": {},
}


def tell_offers(model="loantap-application", **changes):
	models = pd.DataFrame({"model_name": [model], "model_version": ["3"], "rows": [2_200]})
	models = models if changes.get("rows", 1) else models.head(0)
	return tell("Offers", offers=Path("[new].parquet"), offers_account=ACCOUNT | changes, offering_models=models)


def test_applicants_with_an_offer_are_counted():
	assert tell_offers() == [
		"[new].parquet",
		(
			"1,100 of 1,250 applicants have an offer, 1,001 of them one of the loan as asked "
			"for, by loantap-application version 3"
		),
	]
	assert "SIMULATED DATA, not for decisions" in " ".join(tell_offers("loantap-application-demo"))


def test_nobody_has_an_offer():
	none = tell_offers(decisions={"decline": 1_250}, kinds={"none": 1_250})

	assert none[1].startswith("0 of 1,250 applicants have an offer, 0 of them")
	assert tell_offers(rows=0)[1:] == ["0 applications: the file has a header and no rows"]


@pytest.mark.parametrize("width", [80, 120])
def test_all_that_a_run_may_say_fits(width):
	lines = say(
		width,
		reconciliation=RECONCILIATION,
		metrics=METRICS | {"origin": "simulated"},
		promotions={"lending": make_promotion(promoted=False)},
		vintages=make_external(),
		reports=[Path("data/08_reporting") / f"page_{n}.html" for n in range(9)],
		next_steps="make viz\nkedro run",
	).splitlines()

	assert len(lines) <= 20
	require_uncut(lines, width)


def require_uncut(lines, width):
	assert max(map(len, lines)) <= width
	assert "…" not in "".join(lines)


def line_of(text, *words):
	return next(line for line in text.splitlines() if all(word in line for word in words))


def test_metrics_of_each_sample_are_shown_with_their_bounds_and_f2_never_alone():
	text = say(metrics=METRICS | {"origin": "simulated"}, full=True)

	test = line_of(text, "test", "524", "33%")
	for figure in ("0.712 [0.655, 0.761]", "0.567 [0.530, 0.620]", "0.012"):
		assert figure in test
	cross_validated = line_of(text, "cross", "4,715")
	for figure in ("0.567", "0.541", "33%"):  # 0.541 is declining everybody's
		assert figure in cross_validated
	assert "too few loans" in line_of(text, "out of time")
	assert "Models - SIMULATED DATA" in text
	assert "SIMULATED" not in say(metrics=METRICS, full=True)


def test_every_condition_of_a_lending_model_is_told():
	promotions = {
		"benchmark": make_promotion(promoted=True, model="benchmark"),
		"lending": make_promotion(promoted=False),
	}

	text = say(promotions=promotions, full=True)

	assert "calibrated: yes, ECE 0.0120 on 4,715 loans" in text
	assert "better AUC: NO, +0.001 [-0.002, +0.004]" in text
	assert "benchmark" not in text


@pytest.mark.parametrize(
	("is_checked", "said"), [(True, "it was trained on none of them"), (False, "CANNOT BE CHECKED")]
)
def test_an_external_sample_is_shown_with_the_gain_over_the_rate(is_checked, said):
	text = " ".join(say(80, full=True, vintages=make_external(is_overlap_checked=is_checked)).split())

	assert "External sample: 17,815 loans issued 2007-06 to 2010-12, 2,600 charged" in text
	assert "loantap-lending version 3: AUC 0.655 [0.645, 0.665], the interest rate" in text
	assert "gain 0.019 [0.012, 0.026]" in text
	assert said in text


def test_every_file_is_listed():
	text = say(reports=(Path("data/a.html"), Path("data/[b].json")), full=True)

	assert "Reports\n  data/a.html\n  data/[b].json" in text


def test_at_80_columns_nothing_is_cut_as_wide_as_the_figures_may_get():
	wide = {sample: block and block | {"n": 396_030} for sample, block in BLOCKS.items()}
	models = dict.fromkeys(("lending", "benchmark", "published_replica"), wide)

	text = say(80, full=True, reconciliation=RECONCILIATION, metrics=models | {"origin": "simulated"})

	require_uncut(text.splitlines(), 80)
	for figure in "396,030 0.712 0.012 0.567 0.541 33% [0.655,0.761] [0.530,0.620] published_replica*".split():
		assert figure in text
