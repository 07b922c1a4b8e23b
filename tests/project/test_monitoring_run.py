import json

import pandas as pd
import pytest

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.serving.audit.export import export_decisions
from loantap.serving.audit.records import Entry, Kind
from loantap.serving.audit.store import AuditStore
from loantap.simulator import simulate_portfolio
from tests.serving.entries import ANN


def write_applications(project, n=1_000, shift=0.0):
	simulated = simulate_portfolio(n, seed=5).portfolio
	simulated["dti_pct"] += shift
	rows = render(simulated, portfolio_columns()).drop(columns="loan_status")
	path = project.folder / "new.csv"
	rows.to_csv(path, index=False)
	return rows, path


def monitor(project, *parameters, pipelines="monitoring"):
	given = ("--params", ",".join(parameters)) if parameters else ()
	result = project.run("--pipelines", pipelines, *given)
	assert result.exit_code == 0, result.output
	return json.loads((project.reporting / "monitoring.json").read_text())


def test_without_decisions_it_says_so_and_judges_the_sources(demo, monkeypatch):
	monkeypatch.delenv("LOANTAP_AUDIT_URL", raising=False)
	found = monitor(demo)

	assert (found["n"], found["alarms"], found["origin"]) == (0, 0, "simulated")
	verdicts = {check["what"]: check["verdict"] for check in found["checks"]}
	assert verdicts["psi"] == verdicts["roc_auc"] == verdicts["approval_rate"] == "cannot_tell"
	assert verdicts["unread_days"] == "quiet"
	assert json.loads((demo.reporting / "alerts.json").read_text())["findings"] == []


def test_a_scored_file_of_other_applicants_raises_alarms_that_a_rule_tells(demo):
	_, path = write_applications(demo, shift=6.0)
	scores = demo.folder / "scores.parquet"
	found = monitor(demo, f"applications={path}", f"scores={scores}", pipelines="scoring,monitoring")

	assert found["n"] == 1_000
	told = json.loads((demo.reporting / "alerts.json").read_text())["findings"]
	assert ("applicants_moved", "dti_pct") in {(each["rule"], each["subject"]) for each in told}
	page = (demo.reporting / "monitoring.html").read_text()
	assert "SIMULATED DATA" in page
	assert found["recommendation"]["words"] in page

	_, other = write_applications(demo, n=300)
	refused = demo.run("--pipelines", "offers,monitoring", "--params", f"applications={other},scores={scores}")
	assert refused.exit_code == 1
	assert "scores: they are of another file than the applications" in " ".join(refused.output.split())

	# The file was judged; the next run finds no decision in the log again, and history keeps the day once.
	assert monitor(demo)["n"] == 0
	history = pd.read_parquet(demo.reporting / "monitoring_history.parquet")
	assert history.groupby(["as_of", "subject", "what"]).size().eq(1).all()


def test_decisions_of_the_log_and_of_its_export_are_the_same_to_it(demo, monkeypatch):
	rows, _ = write_applications(demo, n=250)
	loans = pd.read_parquet(demo.folder / "data/04_feature/labelled_loans.parquet")

	url = f"sqlite:///{demo.folder / 'audit.db'}"
	store = AuditStore.open(url)
	public = {"decision": "approve", "probability_of_default": 0.1, "expected_npv": 5.0}
	public |= {"model": {"name": "loantap-lending-demo", "version": "1"}, "policy": {"digest": "189e91e62ae3"}}
	given = rows.astype("object").where(rows.notna(), None).to_dict("records")
	told = ({"application_id": name, "application": row} for name, row in zip(loans["loan_id"], given, strict=False))
	store.append([Entry(Kind.DECISION, public, each) for each in told], ANN)
	store.close()
	monkeypatch.setenv("LOANTAP_AUDIT_URL", url)

	of_log = monitor(demo)
	path = demo.folder / "decisions.parquet"
	export_decisions(url, path)
	of_file = monitor(demo, f"decisions={path}")

	assert of_log == of_file
	assert of_log["n"] == 250
	assert {c["verdict"] for c in of_log["checks"] if c["what"] == "psi" and c["subject"] != "score"} == {"quiet"}

	# Before a loan has matured, its decision is years old; outcomes are of the last six.
	known = loans.head(250)
	pd.read_parquet(path).assign(decided_at=known["issue_month"]).to_parquet(path)
	later = monitor(demo, f"decisions={path}", "as_of=2017-03-31")
	issued = known["issue_month"]
	is_matured = (2017 - issued.dt.year) * 12 + 3 - issued.dt.month >= known["term_months"]
	matured = int((is_matured & issued.ge("2011-04-03")).sum())
	assert sum(check["n"] for check in later["checks"] if check["what"] == "calibration") == matured > 50


@pytest.mark.parametrize(
	("name", "content", "said"),
	[
		("other.parquet", pd.DataFrame({"x": [1]}).to_parquet(), "column decided_at missing"),
		("cut.parquet", b"PAR1 and no more", "it is a Parquet file whose end is missing"),
	],
)
def test_a_file_that_is_no_export_is_refused_by_name(demo, name, content, said):
	path = demo.folder / name
	path.write_bytes(content)

	result = demo.run("--pipelines", "monitoring", "--params", f"decisions={path}")

	assert result.exit_code == 1
	told = " ".join(result.output.split())
	assert name in told
	assert said in told
