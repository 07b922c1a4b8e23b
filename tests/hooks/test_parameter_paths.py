"""Nested parameters by path."""

from loantap.hooks.parameter_paths import flatten


def test_a_nested_group_of_parameters_is_flattened():
    nested = {"split": {"seed": 42, "out_of_time": {"term_months": 36}}, "name": "lending"}

    assert flatten({"features": nested, "as_of": None}) == {
        "features.split.seed": 42,
        "features.split.out_of_time.term_months": 36,
        "features.name": "lending",
        "as_of": None,
    }


def test_a_group_without_parameters_has_no_path():
    assert flatten({"features": {}}) == {}
