import pandas as pd
import pytest

from loantap.policy.comparison.comparison import decide_portfolio
from loantap.policy.comparison.frontier import compare_policies
from loantap.policy.money.cash_flows import PaidLife
from loantap.portfolio.errors import InputError
from loantap.serving.dashboard.charts import chart_again
from loantap.serving.dashboard.last_run import Choice, LastRun, NoRunError, decide_again, load_judged
from loantap.serving.dashboard.settings import DashboardSettings
from tests.conftest import PROJECT
from tests.policy.comparison.loans import make_portfolio

CONF = PROJECT / "conf" / "base"
PREDICTIONS, LOANS, SPLITS = make_portfolio()


def write_run(folder, loans=LOANS, target="charged_off"):
	tables = {
		"07_model_output/lending/predictions": PREDICTIONS,
		"03_primary/loans": loans,
		"05_model_input/splits": SPLITS,
	}
	for name, table in tables.items():
		path = folder / "data" / f"{name}.parquet"
		path.parent.mkdir(parents=True, exist_ok=True)
		table.to_parquet(path)
	report = folder / "data/08_reporting/lending/training.json"
	report.parent.mkdir(parents=True, exist_ok=True)
	report.write_text(f'{{"promotion": {{"target": {{"name": "{target}"}}}}}}', "utf-8")
	return LastRun(DashboardSettings("http://none", "", folder))


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
	return load_judged(write_run(tmp_path_factory.mktemp("run")), CONF)


@pytest.fixture(scope="module")
def of_run(judged):
	decided = decide_portfolio(PREDICTIONS, LOANS, SPLITS, judged.economics, judged.options)
	compared = compare_policies(decided, judged.economics, judged.options, judged.min_loans)
	return compared.policies, compared.frontier


def choose(judged, lgd=None, scenario="mid", life=PaidLife.CONTRACTUAL):
	usual = judged.economics.scenarios[scenario].loss_given_default
	return Choice(scenario, usual if lgd is None else lgd, life)


@pytest.mark.parametrize(("scenario", "life"), [("mid", PaidLife.CONTRACTUAL), ("hard", PaidLife.CAPPED)])
def test_at_the_assumptions_of_the_run_its_figures_come_out(judged, of_run, scenario, life):
	again = decide_again(judged, choose(judged, None, scenario, life))

	policies, frontier = (
		table[table["sample"].eq("cv") & table["scenario"].eq(scenario) & table["paid_life"].eq(life.value)]
		for table in of_run
	)
	curves = frontier[~frontier["is_policy"] & frontier["family"].ne("profit_score_hurdle")]
	pd.testing.assert_frame_equal(again.curves, curves.reset_index(drop=True))
	figures = [
		"approved",
		"profit",
		"profit_low",
		"default_rate_approved_high",
		"charge_offs_avoided",
		"gain_to_approve_all",
	]
	ours = again.compare(0.3).set_index("policy").loc[["approve_all", "npv"], figures]
	theirs = policies.set_index("policy").loc[["approve_all", "npv"], figures]
	pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("cutoff", [0.01, 0.2, 1.0])
def test_a_cut_off_approves_the_loans_below_it(judged, cutoff):
	compared = decide_again(judged, choose(judged)).compare(cutoff).set_index("policy")

	pds = judged.portfolio["probability_of_default"]
	assert compared.loc["pd_cutoff", "approved"] == (pds < cutoff).sum()
	assert compared["n"].eq(len(pds)).all()


def test_a_cut_off_that_approves_nobody_has_no_point(judged):
	again = decide_again(judged, choose(judged))

	spec = chart_again(again.curves, again.compare(0.01)).to_dict()

	named = {row["name"] for rows in spec["datasets"].values() for row in rows if "name" in row}
	assert named == {"Approve everybody", "Expected NPV above 0"}


@pytest.mark.parametrize(
	("changes", "told"),
	[
		({"loans": LOANS.assign(loan_id=[f"other-{n}" for n in range(len(LOANS))])}, "another portfolio was read since"),
		({"target": "dpd_90_within_12"}, r"dpd_90_within_12.*over the life"),
	],
	ids=["tables of two runs", "PDs of a window"],
)
def test_what_decides_nothing_is_refused(tmp_path, changes, told):
	with pytest.raises(InputError, match=told):
		load_judged(write_run(tmp_path, **changes), CONF)


def test_a_damaged_table_names_its_file(tmp_path):
	run = write_run(tmp_path)
	(tmp_path / "data/03_primary/loans.parquet").write_bytes(b"no parquet")

	with pytest.raises(InputError, match=r"loans\.parquet.*cannot be read"):
		load_judged(run, CONF)


def test_a_parameter_that_cannot_be_used_is_named(tmp_path):
	run = write_run(tmp_path)
	for file in CONF.glob("parameters*.yml"):
		text = file.read_text("utf-8").replace("frontier_points: 15", "frontier_points: 1")
		(tmp_path / file.name).write_text(text, "utf-8")

	with pytest.raises(InputError, match=r"parameter insights\.comparison\.frontier_points in "):
		load_judged(run, tmp_path)


def test_before_the_first_run_there_is_nothing_to_judge(tmp_path):
	with pytest.raises(NoRunError, match="make run"):
		load_judged(LastRun(DashboardSettings("http://none", "", tmp_path)), CONF)
