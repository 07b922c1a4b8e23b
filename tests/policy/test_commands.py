import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from loantap.policy.commands import main
from tests.conftest import PROJECT


@pytest.fixture
def project(tmp_path, monkeypatch):
	shutil.copy(PROJECT / "pyproject.toml", tmp_path)
	shutil.copytree(PROJECT / "conf", tmp_path / "conf")
	monkeypatch.chdir(tmp_path)
	return tmp_path


def call(*words):
	return CliRunner().invoke(main, words)


POLICY = "conf/base/parameters_policy.yml"


def edit(project, old, new):
	path = project / POLICY
	text = path.read_text("utf-8")
	assert old in text
	path.write_text(text.replace(old, new), "utf-8")


def test_the_shipped_policy_is_as_approved(project):
	said = call("show").output

	assert "npv" in said
	assert "min_margin 0, default_price 0, review_margin 0.0026" in said
	assert "as approved" in said


def test_a_change_needs_a_second_person(project):
	edit(project, "min_margin: 0\n", "min_margin: 0.01\n")
	assert "CHANGED since it was approved" in call("show").output

	refused = call("approve", "--by", "loantap underwriting")
	assert refused.exit_code == 1
	assert "was approved by its author" in refused.output
	assert "CHANGED since it was approved" in call("show").output

	assert call("approve", "--by", "Credit committee").output == ("policy npv 2026-11 is approved by Credit committee\n")
	assert "as approved" in call("show").output
	text = (project / POLICY).read_text("utf-8")
	assert yaml.safe_load(text)["policy"]["approved_by"] == "Credit committee"
	assert "# A loan is worth making from an expected NPV" in text


def test_what_cannot_be_read_is_said(project):
	edit(project, "scenario: mid", "scenario: gentle")
	assert "there is no scenario gentle" in call("show").output

	edit(project, "scenario: gentle", "speed: 1")
	refused = call("approve", "--by", "x")
	assert refused.exit_code == 1
	assert "speed" in refused.output


def test_rules_are_sized_and_tried_on_loans_that_the_model_did_not_see(project):
	missing = call("size")
	assert missing.exit_code == 1
	assert "predictions.parquet is not there yet; run kedro run first" in missing.output

	rng = np.random.default_rng(3)
	ids = [str(n) for n in range(1_000)]
	folder = project / "data/07_model_output/lending"
	folder.mkdir(parents=True)
	(project / "data/03_primary").mkdir(parents=True)
	pds = rng.uniform(0.02, 0.5, 1_000)
	pd.DataFrame({"loan_id": ids, "sample": ["cv"] * 900 + ["test"] * 100, "probability_of_default": pds}).to_parquet(
		folder / "predictions.parquet"
	)
	pd.DataFrame(
		{
			"loan_id": ids,
			"interest_rate_pct": rng.uniform(6, 25, 1_000),
			"term_months": 36.0,
			"loan_amount": 10_000.0,
			"state": "CA",
			"issue_month": pd.Timestamp("2013-01-01"),
			"is_charged_off": rng.binomial(1, pds),
		}
	).to_parquet(project / "data/03_primary/loans.parquet")

	report = project / "data/08_reporting/lending/training.json"
	report.parent.mkdir(parents=True)
	report.write_text('{"promotion": {"target": {"name": "dpd_90_within_12"}}}', "utf-8")
	for command in ("size", "try"):
		refused = call(command)
		assert refused.exit_code == 1
		assert "its target is dpd_90_within_12; the policy" in refused.output
	report.write_text("{}", "utf-8")
	assert "On 900 loans" in call("size").output
	assert "refers 10.0%" in call("size", "--capacity", "0.1").output
	safe = call("size", "--cap", "0.15", "--floor", "0.3").output
	assert "of what is approved 15.0% are expected to default" in safe
	assert "nothing is approved" in call("size", "--capacity", "1", "--floor", "0").output
	refused = call("size", "--cap", "0.03", "--floor", "0.5")
	assert refused.exit_code == 1
	assert "min_approval_rate 0.5 and max_default_rate 0.03 cannot both be kept" in refused.output

	# A draft is tried before anybody approves it.
	shipped = call("try").output
	edit(project, "max_probability_of_default: 0.6", "max_probability_of_default: 0.1")
	strict = call("try").output
	assert "policy npv 2026-11 on 900 loans that the model did not see, scenario mid" in shipped
	assert "Imputed profit against approving all of them: +" in shipped
	assert "min_approval_rate  50.0%" in strict
	assert "MISSED" in strict


def make_page(project):
	path = project / "data/08_reporting/insights.html"
	path.parent.mkdir(parents=True)
	path.write_text("<p>A page", "utf-8")
	return path


def find_browser(project, monkeypatch, script):
	program = project / "bin/chromium"
	program.parent.mkdir()
	program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
	program.chmod(0o755)
	monkeypatch.setenv("PATH", str(program.parent))


def test_the_page_is_printed_beside_it(project, monkeypatch):
	page = make_page(project)
	write = """for word; do case $word in --print-to-pdf=*) echo printed > "${word#*=}";; esac; done"""
	find_browser(project, monkeypatch, write)

	assert call("pdf").output == "Printed data/08_reporting/insights.pdf\n"
	assert page.with_suffix(".pdf").read_text("utf-8") == "printed\n"
	assert sorted(path.name for path in page.parent.iterdir()) == ["insights.html", "insights.pdf"]


def test_a_browser_that_fails_leaves_the_last_pdf(project, monkeypatch):
	printed = make_page(project).with_suffix(".pdf")
	printed.write_text("the last", "utf-8")
	find_browser(project, monkeypatch, "echo no memory >&2; exit 1")

	said = call("pdf")

	assert said.exit_code == 1
	assert "the browser did not print it: no memory" in said.output
	assert printed.read_text("utf-8") == "the last"


def test_without_a_page_or_a_browser_pdf_says_what_to_do(project, monkeypatch):
	assert "Run `--pipelines insights` first" in call("pdf").output
	make_page(project)
	monkeypatch.setenv("PATH", str(project))

	said = call("pdf")

	assert said.exit_code == 1
	assert "no Chromium was found" in said.output
	assert "apt-get install chromium" in said.output
