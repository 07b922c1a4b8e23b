"""Each column draws from a stream of its own."""

import numpy as np

from loantap.simulator.streams import Streams


def test_a_stream_depends_on_seed_and_name_only():
    streams = Streams(7)
    streams.open("a column that was added later").random(3)
    assert np.array_equal(streams.open("income").random(5), Streams(7).open("income").random(5))


def test_streams_of_other_names_or_seeds_differ():
    income = Streams(7).open("income").random(5)
    assert not np.array_equal(income, Streams(7).open("rate").random(5))
    assert not np.array_equal(income, Streams(8).open("income").random(5))
