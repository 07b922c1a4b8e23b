import httpx
import pandas as pd
import pytest

from loantap.reporting.formatting import money, percent
from tests.serving.dashboard.screen import Screen, answer_with, look, read_all
from tests.serving.dashboard.test_model_page import KEY, MODEL


@pytest.fixture
def screen(demo, monkeypatch):
	routes = {"/v1/key": (200, KEY), "/v1/model": (200, MODEL)}
	return Screen(monkeypatch, httpx.MockTransport(answer_with(routes)), demo.folder)


@pytest.fixture
def data(demo):
	return demo.folder / "data"


def find(widgets, label):
	[found] = [one for one in widgets if one.label.startswith(label)]
	return found


def test_segments_can_be_chosen_and_the_pincode_is_not_among_them(screen, data):
	app = screen.open("portfolio", "lt_key")
	findings = pd.read_parquet(data / "07_model_output/findings.parquet")
	audited = set(findings.loc[findings["role"].eq("audit"), "phrase"])
	assert {"pincode", "state"} <= audited
	assert not audited & set(find(app.selectbox, "Factor").options)

	find(app.selectbox, "Factor").select("DTI")
	find(app.checkbox, "Only segments").uncheck()
	said = read_all(look(app.run()))

	of_dti = findings[findings["phrase"].eq("DTI")]
	assert said.count("<td>DTI: ") == len(of_dti) > 1
	for segment, rate in zip(of_dti["segment"], of_dti["default_rate"], strict=True):
		assert f"<td>DTI: {segment}</td>" in said
		assert percent(rate) in said
	assert "Pincode: " not in said
	assert "Pincode and state are looked at in the audit" in said


def test_at_the_lgd_of_the_run_the_frontier_has_its_figures_and_at_another_others(screen, data):
	compared = pd.read_parquet(data / "07_model_output/policy_comparison.parquet")
	of_run = compared[
		compared["sample"].eq("cv")
		& compared["scenario"].eq("mid")
		& compared["paid_life"].eq("contractual")
		& compared["policy"].eq("npv")
	]
	own = money(float(of_run["profit"].iloc[0]))
	app = screen.open("portfolio", "lt_key")
	assert find_profit(app) == own

	app = look(find(app.slider, "LGD").set_value(100).run())
	assert find_profit(app) != own

	said = read_all(look(find(app.slider, "Approve below").set_value(1).run()))
	assert "<td>PD below 1%</td><td class=num>0% [" in said


def find_profit(app):
	"""Profit per application of expected NPV in the table below the frontier."""
	[table] = [part for part in read_all(app).split("<table>") if "Against everybody" in part]
	row = table.partition("<td>Expected NPV above 0</td>")[2].partition("</tr>")[0]
	cells = row.split("<td class=num>")
	return cells[3].split(" ")[0]
