from loantap.reporting.charts.names import Place, place_names


def test_a_name_alone_stands_on_its_side():
    assert place_names(["a"], [(0.5, 0.5)], 300) == [Place("left", 8, -8)]
    assert place_names(["a"], [(0.5, 0.5)], 300, {"a": "right"}) == [Place("right", -8, -8)]


def test_a_name_at_the_edge_stands_within_the_plot():
    (place,) = place_names(["grade by term"], [(1.0, 0.5)], 300)

    assert place is not None
    assert place.align == "right"


def test_names_of_points_in_one_spot_go_to_different_places():
    places = place_names(["expected", "everybody"], [(0.5, 0.5), (0.5, 0.5)], 300)

    assert places == [Place("left", 8, -8), Place("left", 8, 10)]


def test_a_name_that_has_room_on_a_desk_only_says_so():
    (place,) = place_names(["a name that is longer than the plot on a phone"], [(0.2, 0.5)], 300)

    assert place == Place("left", 8, -8, is_wide=True)


def test_where_there_is_no_room_there_is_no_name():
    crowd = [(0.5, 0.5)] * 30

    places = place_names(["somebody"] * 30, crowd, 300)

    assert places[0] is not None
    assert places[-1] is None
