from loantap.hooks.run_parameters import flatten


def test_nested_parameters_are_flattened_and_a_group_without_any_has_no_path():
    nested = {"split": {"seed": 42, "out_of_time": {"term_months": 36}}, "name": "lending"}

    assert flatten({"features": nested, "as_of": None, "empty": {}}) == {
        "features.split.seed": 42,
        "features.split.out_of_time.term_months": 36,
        "features.name": "lending",
        "as_of": None,
    }
