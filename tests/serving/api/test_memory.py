import gc
from collections.abc import Iterator

import pytest

from loantap.serving.api.memory import loading


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_nothing_is_collected_while_something_is_loaded_and_what_was_loaded_stays():
    with loading():
        assert not gc.isenabled()
        loaded = [[]]

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert not any(one is loaded for one in gc.get_objects())


def test_garbage_is_collected_again_after_what_could_not_be_loaded():
    with pytest.raises(OSError, match="no model"), loading():
        raise OSError("no model")

    assert gc.isenabled()
