import subprocess
import sys

import click
import pytest

from loantap.cli import run, split_params
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.errors import InputError
from loantap.selection import require_one_after_the_other, require_selection

PIPELINES = register_pipelines()
OPTION = next(option for option in run.params if option.name == "params")
NOTHING = {"pipelines": [], "pipeline": None}


@pytest.mark.parametrize(
	("options", "where", "remedy"),
	[
		({"pipelines": ["trainin"]}, "--pipelines trainin: unknown", "Did you mean training"),
		({"pipeline": "nope"}, "--pipelines nope: unknown pipeline", "Known names: __default__,"),
		({"node_names": ["x"]}, "--nodes x: unknown node of __default__", "registry describe __d"),
		({"to_nodes": ["render_modelcard"]}, "--to-nodes render_modelcard", "render_model_card?"),
		({"from_inputs": ["loan"]}, "--from-inputs loan: unknown dataset", "Did you mean loans?"),
		({"to_outputs": ["metrix"]}, "--to-outputs metrix: unknown", "mean evaluation.metrics?"),
		({"namespaces": ["lendng"]}, "--namespaces lendng: unknown", ".lending?"),
		(
			{"pipelines": ["sources"], "node_names": ["render_model_card"]},
			"--nodes render_model_card: unknown node of sources",
			"Known names: sources.account_for_portfolio, sources.make_portfolio, sources.simulate",
		),
	],
	ids=str,
)
def test_what_is_not_there_is_named_with_the_nearest_that_is(options, where, remedy):
	with pytest.raises(InputError) as refused:
		require_selection(NOTHING | options, PIPELINES)

	assert where in str(refused.value)
	assert remedy in refused.value.remedy


def test_a_choice_that_leaves_no_node_is_refused():
	options = {"from_nodes": ["evaluation.render_model_card"], "to_nodes": ["sources.make_portfolio"]}

	with pytest.raises(InputError, match=r"--from-nodes .*, --to-nodes .*: no node"):
		require_selection(NOTHING | options, PIPELINES)


@pytest.mark.parametrize(
	"options",
	[
		{"pipelines": ["sources", "training"]},
		{"node_names": ["modeling.lending.package_model"], "tags": ("modeling",)},
		{"to_outputs": ["evaluation.metrics"], "from_inputs": ["lending_model@judged"]},
		{"namespaces": ["modeling.lending"]},
	],
	ids=str,
)
def test_what_is_there_is_let_through(options):
	require_selection(NOTHING | options, PIPELINES)


def test_the_catalog_is_described_without_a_warning(empty_project):
	"""In a process: what is logged depends on what was imported before."""
	ended = subprocess.run(
		[sys.executable, "-m", "kedro", "catalog", "describe-datasets", "--pipeline", "insights"],
		cwd=empty_project.folder,
		capture_output=True,
		text=True,
		check=False,
	)

	assert ended.returncode == 0
	assert "recommendations" in ended.stdout
	assert "WARNING" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
	("options", "told"),
	[
		({"runner": "kedro.runner.ThreadRunner"}, "--runner kedro.runner.ThreadRunner"),
		({"is_async": True}, "--async"),
		({"runner_params": {"max_workers": 2}}, "--runner-params"),
	],
)
def test_runners_that_do_several_nodes_at_once_are_refused(options, told):
	with pytest.raises(InputError, match=f"^{told}: nodes run one after another here"):
		require_one_after_the_other(options)


@pytest.mark.parametrize(
	("given", "read"),
	[
		("", {}),
		("scoring.recommendations=[a]", {"scoring": {"recommendations": ["a"]}}),
		(
			"applications=new.csv,scoring.recommendations=[a,b],seed=3",
			{"applications": "new.csv", "scoring": {"recommendations": ["a", "b"]}, "seed": 3},
		),
		("portfolio=a=b.csv", {"portfolio": "a=b.csv"}),
	],
)
def test_commas_within_brackets_divide_a_list(given, read):
	assert OPTION.callback is split_params
	assert split_params(click.Context(run), OPTION, given) == read


def test_what_is_no_parameter_is_refused_as_ever():
	with pytest.raises(click.UsageError, match="must contain a key and a value"):
		split_params(click.Context(run), OPTION, "loans,scoring.recommendations=[a,b]")
