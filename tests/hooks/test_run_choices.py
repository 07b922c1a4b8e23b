from datetime import date

import pytest
from kedro.validation.type_extractor import TypeExtractor

from loantap.hooks.run_choices import check_choices, check_readers, replaces_real, shows_all
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.errors import InputError

TODAY = date(2026, 11, 27)
PIPELINES = register_pipelines()
MODELS = TypeExtractor(PIPELINES).extract_types_from_pipelines()


@pytest.mark.parametrize(
	("given", "name"),
	[
		({"portfolio": ""}, "portfolio"),
		({"as_of": "  "}, "as_of"),
		({"loans": None}, "loans"),
		({"modeling": {"lending": {"folds": ""}}}, r"modeling\.lending\.folds"),
	],
	ids=["empty", "blank", "null", "deep in a group"],
)
def test_a_parameter_without_a_value_is_refused(given, name):
	with pytest.raises(InputError, match=rf"--params {name}: there is no value after it"):
		check_choices(given, TODAY)


@pytest.mark.parametrize(
	("given", "said"),
	[
		({"portfolio": "x.csv", "loans": 3_000}, "portfolio, loans: they contradict each other"),
		({"decisions": "d.parquet", "applications": "a.csv"}, "decisions: the applications bring decisions of their own"),
		({"portfolio": "x.csv", "replace_real": "true"}, "portfolio, replace_real: they contra"),
		({"scores": "s.parquet"}, "scores: there are no applications to score"),
		({"offered": "o.csv"}, "offered: there are no applications to make offers for"),
		({"external": "x", "target": "dpd_90_within_12"}, "external: its loans are resolved ones, which dpd_90_within_12"),
		({"external": "x", "feature_engineering": {"target": "dpd_90_within_24"}}, "external: its loans are resolved"),
		({"columns": "lending_club"}, "columns: there is no file to map. Add portfolio=FILE.csv"),
	],
)
def test_what_contradicts_itself_is_refused(given, said):
	with pytest.raises(InputError, match=said):
		check_choices(given, TODAY)


@pytest.mark.parametrize(
	("value", "said"),
	[
		(20_161_301, "'20161301' is not a day"),
		("20161201", "'20161201' is not a day"),
		("2016-02-30", "is not a day"),
		("2026-11-28", "2026-11-28 is still to come"),
	],
)
def test_a_day_that_is_none_or_is_to_come_is_refused(value, said):
	with pytest.raises(InputError, match=said):
		check_choices({"as_of": value}, TODAY)


def test_today_is_taken():
	check_choices({"as_of": "2026-11-27", "portfolio": "loans.csv", "seed": 0}, TODAY)


@pytest.mark.parametrize(
	("given", "pipeline", "remedy"),
	[
		({"loans": 3_000}, "training", "--pipelines sources"),
		({"replace_real": "true"}, "training", "--pipelines sources"),
		({"since": "all"}, "sources", "--pipelines ingestion"),
		({"external": "x.csv"}, "scoring", "--pipelines evaluation"),
		({"applications": "x.csv"}, "__default__", "--pipelines scoring"),
		({"offered": "o.csv"}, "scoring", "--pipelines offers"),
		({"scores": "s.csv"}, "offers", "--pipelines scoring"),
		({"seed": 7}, "scoring", "Leave it out"),
		({"target": "dpd_90_within_12"}, "modeling", "--pipelines feature_engineering"),
		({"modeling": {"lending": {"folds": 3}}}, "sources", "--pipelines modeling"),
	],
	ids=str,
)
def test_what_nothing_of_the_run_reads_is_refused(given, pipeline, remedy):
	with pytest.raises(InputError, match="no step of this run reads it: it would have no effect") as refused:
		check_readers(given, MODELS, PIPELINES[pipeline].datasets())
	assert remedy in refused.value.remedy


@pytest.mark.parametrize(
	("given", "pipeline"),
	[
		({"loans": 3_000, "replace_real": True, "seed": 1, "external": "x"}, "__default__"),
		({"portfolio": "x.csv", "as_of": "2016-01-01", "since": "all"}, "__default__"),
		({"applications": "x", "scores": "y", "as_of": "2016-01-01"}, "scoring"),
		({"applications": "x", "offered": "y", "offers": {"margin": 0.02}}, "offers"),
		({"since": "2016", "modeling": {"lending": {"folds": 3}}}, "training"),
		({"summary": "full"}, "insights"),
	],
	ids=str,
)
def test_what_the_run_reads_is_taken(given, pipeline):
	check_readers(given, MODELS, PIPELINES[pipeline].datasets())


@pytest.mark.parametrize(
	("answer", "given", "said"),
	[
		(replaces_real, {}, False),
		(replaces_real, {"replace_real": "true"}, True),
		(replaces_real, {"replace_real": True}, True),
		(replaces_real, {"replace_real": "false"}, False),
		(shows_all, {}, False),
		(shows_all, {"summary": "short"}, False),
		(shows_all, {"summary": "full"}, True),
	],
)
def test_what_is_not_asked_for_is_not_done(answer, given, said):
	assert answer(given) is said


@pytest.mark.parametrize("value", ["yes", 2])
def test_an_answer_that_is_none_is_refused(value):
	with pytest.raises(InputError, match=r"replace_real: .* is not true or false"):
		replaces_real({"replace_real": value})
	with pytest.raises(InputError, match=r"summary: .* is not short or full"):
		shows_all({"summary": value})
