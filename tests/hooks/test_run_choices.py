"""Run parameters that cannot mean what was typed are refused before anything is done."""

from datetime import date

import pytest
from kedro.validation.type_extractor import TypeExtractor

from loantap.hooks.run_choices import check_choices, check_readers, replaces_real, shows_all
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.errors import InputError

TODAY = date(2026, 11, 27)
PIPELINES = register_pipelines()
MODELS = TypeExtractor(PIPELINES).extract_types_from_pipelines()


@pytest.mark.parametrize("value", ["", "  ", None])
@pytest.mark.parametrize("name", ["portfolio", "loans", "as_of", "applications", "external"])
def test_a_parameter_without_a_value_is_refused(name, value):
    with pytest.raises(InputError, match=rf"--params {name}: there is no value after it"):
        check_choices({name: value}, TODAY)


def test_one_deep_in_a_group_is_named_by_its_path():
    with pytest.raises(InputError, match=r"--params modeling\.lending\.folds: there is no value"):
        check_choices({"modeling": {"lending": {"folds": ""}}}, TODAY)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"portfolio": "x.csv", "loans": 3_000}, "portfolio, loans: they contradict each other"),
        ({"portfolio": "x.csv", "replace_real": "true"}, "portfolio, replace_real: they contra"),
        ({"scores": "s.parquet"}, "scores: there are no applications to score"),
        ({"offered": "o.csv"}, "offered: there are no applications to make offers for"),
    ],
)
def test_what_contradicts_itself_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        check_choices(given, TODAY)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (20_161_301, "'20161301' is not a day"),
        (20_161_201, "'20161201' is not a day"),
        ("20161201", "'20161201' is not a day"),
        ("2016-W01-1", "is not a day"),
        ("2016-02-30", "is not a day"),
        ("2026-11-28", "2026-11-28 is still to come"),
        ("2030-01-01", "2030-01-01 is still to come"),
    ],
)
def test_a_day_that_is_none_or_is_to_come_is_refused(value, said):
    with pytest.raises(InputError, match=said):
        check_choices({"as_of": value}, TODAY)


@pytest.mark.parametrize("day", ["2026-11-27", "2005-01-01"])
def test_today_and_days_past_are_taken(day):
    check_choices({"as_of": day, "portfolio": "loans.csv", "seed": 0}, TODAY)


@pytest.mark.parametrize(
    ("given", "pipeline", "remedy"),
    [
        ({"loans": 3_000}, "training", "--pipelines sources"),
        ({"portfolio": "x.csv"}, "training", "--pipelines sources"),
        ({"replace_real": "true"}, "training", "--pipelines sources"),
        ({"since": "all"}, "sources", "--pipelines ingestion"),
        ({"external": "x.csv"}, "scoring", "--pipelines evaluation"),
        ({"applications": "x.csv"}, "__default__", "--pipelines scoring"),
        ({"offered": "o.csv"}, "scoring", "--pipelines offers"),
        ({"scores": "s.csv"}, "offers", "--pipelines scoring"),
        ({"seed": 7}, "scoring", "Leave it out"),
        ({"modeling": {"lending": {"folds": 3}}}, "sources", "--pipelines modeling"),
        ({"insights": {"min_loans": 3}}, "scoring", "--pipelines insights"),
    ],
    ids=str,
)
def test_what_nothing_of_the_run_reads_is_refused(given, pipeline, remedy):
    with pytest.raises(
        InputError, match="no step of this run reads it: it would have no effect"
    ) as refused:
        check_readers(given, MODELS, PIPELINES[pipeline].datasets())
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("given", "pipeline"),
    [
        ({"loans": 3_000, "replace_real": True, "seed": 1, "external": "x"}, "__default__"),
        ({"portfolio": "x.csv", "as_of": "2016-01-01", "since": "all"}, "__default__"),
        ({"applications": "x", "scores": "y", "as_of": "2016-01-01"}, "scoring"),
        ({"applications": "x", "scores": "y", "loans": 3_000}, "all"),
        ({"applications": "x", "offered": "y", "offers": {"margin": 0.02}}, "offers"),
        ({"since": "2016", "modeling": {"lending": {"folds": 3}}}, "training"),
        ({"seed": 3, "external": "x"}, "evaluation"),
        ({"sources": {"tolerated_bad_share": 0.1}}, "sources"),
        ({"summary": "full"}, "insights"),
        ({}, "insights"),
    ],
    ids=str,
)
def test_what_the_run_reads_is_taken(given, pipeline):
    check_readers(given, MODELS, PIPELINES[pipeline].datasets())


@pytest.mark.parametrize(
    ("given", "asked"),
    [({}, False), ({"replace_real": "true"}, True), ({"replace_real": True}, True),
     ({"replace_real": "false"}, False)],
)  # fmt: skip
def test_replacing_real_sources_has_to_be_asked_for(given, asked):
    assert replaces_real(given) is asked


@pytest.mark.parametrize("value", ["yes", "perhaps", 2])
def test_an_answer_that_is_neither_yes_nor_no_is_refused(value):
    with pytest.raises(InputError, match="is not true or false"):
        replaces_real({"replace_real": value})


@pytest.mark.parametrize(
    ("given", "full"), [({}, False), ({"summary": "short"}, False), ({"summary": "full"}, True)]
)
def test_the_summary_is_short_unless_all_of_it_is_asked_for(given, full):
    assert shows_all(given) is full


@pytest.mark.parametrize("value", ["long", "Full", True, {"tables": 3}])
def test_a_summary_that_is_neither_short_nor_full_is_refused(value):
    with pytest.raises(InputError, match=r"--params summary: .* is not short or full"):
        shows_all({"summary": value})
