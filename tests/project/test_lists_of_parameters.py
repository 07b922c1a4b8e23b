"""Lists behind `--params`."""

import click
import pytest

from loantap.cli import run, split_params

OPTION = next(option for option in run.params if option.name == "params")


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
