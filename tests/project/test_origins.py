import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.dictionary import CURRENT, LATE_31_120, REAL, SIMULATED
from tests.support.temporary_project import make_project

# The replica is left uncalibrated, as published, so the rule never promotes it.
ALIASES = {"benchmark": "best-not-for-lending", "lending": "champion", "application": "champion"}
REAL_CHAMPIONS = {(f"loantap-{model}", alias, 1) for model, alias in ALIASES.items()}
DEMO_CHAMPIONS = {(f"loantap-{model}-demo", alias, 1) for model, alias in ALIASES.items()}


@pytest.fixture(scope="module")
def history(tmp_path_factory, sample_text):
	"""What `all` and early warning left on the real sample, a fifth of it running; a demo run came after them."""
	project = make_project(tmp_path_factory.mktemp("real"))
	book = project.folder / "book.csv"
	turned = sample_text.assign(loan_status=sample_text["loan_status"].mask(sample_text.index % 10 == 1, CURRENT))
	turned["loan_status"] = turned["loan_status"].mask(turned.index % 10 == 2, LATE_31_120)
	turned.to_csv(book, index=False)
	applications = project.folder / "new.csv"
	sample_text.head(30).drop(columns="loan_status").to_csv(applications, index=False)
	scores = project.folder / "scores.parquet"

	given = f"portfolio={book},applications={applications},scores={scores}"
	real = project.run("--pipelines", "all", "--params", given)
	assert real.exit_code == 0, real.output
	watched = project.run("--pipelines", "early_warning")
	assert watched.exit_code == 0, watched.output
	found = SimpleNamespace(
		project=project,
		real_metrics=(project.reporting / "metrics.json").read_bytes(),
		real_aliases=project.aliases(),
		real_reconciliation=pd.read_parquet(project.folder / "data/03_primary/reconciliation.parquet"),
		real_scores=pd.read_parquet(scores),
		primary={
			name: pd.read_parquet(project.folder / f"data/03_primary/{name}.parquet")
			for name in ("loans", "running_loans", "loan_months")
		},
		watchlist=pd.read_parquet(project.reporting / "watchlist.parquet"),
		watchlist_page=(project.reporting / "watchlist.html").read_text("utf-8"),
		real_pages=[(project.reporting / name).read_text("utf-8") for name in ("insights.html", "model_card.html")],
	)
	refused = project.run("--params", "loans=2000")
	assert refused.exit_code == 1
	assert "source_loans: it holds 5,239 real rows" in refused.output
	demo = project.run("--params", "loans=2000,replace_real=true")
	assert demo.exit_code == 0, demo.output
	return found


def test_a_csv_is_a_real_portfolio_every_row_of_which_is_accounted_for(history, sample_text):
	account = history.real_reconciliation.set_index("table")

	assert json.loads(history.real_metrics)["origin"] == REAL
	assert history.real_aliases == REAL_CHAMPIONS
	# Monthly events beside real loans are simulated.
	assert account["origin"].to_dict() == {"loans": REAL, "applications": REAL, "loan_events": SIMULATED}
	assert account.loc["loans", "extracted"] == len(sample_text)
	assert account.loc["loans", "kept"] == len(sample_text)
	assert (account["difference"] == 0).all()


def test_running_loans_of_a_file_train_nothing_and_those_behind_are_listed(history, sample_text):
	loans, running, months = history.primary.values()
	turned = sample_text.index % 10
	metrics = json.loads(history.real_metrics)["lending"]

	assert running["loan_status"].value_counts().to_dict() == {
		CURRENT: (turned == 1).sum(),
		LATE_31_120: (turned == 2).sum(),
	}
	assert metrics["cv"]["n"] + metrics["test"]["n"] == len(loans) == (~np.isin(turned, [1, 2])).sum()
	last = months[months["loan_id"].isin(running["loan_id"])].groupby("loan_id").tail(1)
	behind = last[(last["month"] == last["month"].max()) & last["days_past_due"].isin([60, 90])]
	listed = set(history.watchlist["loan_id"])
	assert len(behind) > 50
	assert set(behind["loan_id"]) <= listed <= set(running["loan_id"])
	assert "The loans are real, their months are made" in history.watchlist_page


def test_the_run_scores_with_the_model_it_has_just_trained(history):
	assert len(history.real_scores) == 30
	assert set(history.real_scores["model_name"]) == {"loantap-lending"}
	assert "invalid" not in set(history.real_scores["decision"])


def test_after_a_demo_run_the_real_champion_still_stands_and_scores(history):
	assert history.project.aliases() == REAL_CHAMPIONS | DEMO_CHAMPIONS
	applications = history.project.folder / "new.csv"
	scores = history.project.folder / "again.parquet"

	result = history.project.run("--pipelines", "scoring", "--params", f"applications={applications},scores={scores}")

	assert result.exit_code == 0, result.output
	told = " ".join(re.sub(r"\w+\.py:\d+", "", result.output).split())
	assert "loantap-lending version 1 (target charged_off), trained on real loans" in told
	pd.testing.assert_frame_equal(pd.read_parquet(scores), history.real_scores)


def test_the_card_of_a_demo_speaks_of_the_demo_s_models_alone(history):
	card = (history.project.reporting / "model_card.html").read_text("utf-8")

	assert "about <strong>loantap-lending-demo version 1</strong>" in card
	# The real champion is named where it is said which version decides, and nowhere else.
	named = re.findall(r"(.{14})loantap-lending version 1(.{10})", card)
	assert set(named) == {("Not champion: ", ", which le")}
	assert "<h3>Does not decide</h3>" in card


def test_the_same_seed_gives_the_same_metrics_byte_for_byte(history, demo):
	"""Two projects, two runs of one seed, one of them after another portfolio."""
	again = (history.project.reporting / "metrics.json").read_bytes()

	assert again == (demo.reporting / "metrics.json").read_bytes()
	assert again != history.real_metrics
