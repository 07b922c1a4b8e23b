import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from loantap.serving.api.first_start import prepare
from loantap.serving.api.memory import loading
from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.policies.book import PolicyBook
from tests.serving.api.served import make_settings


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


def test_the_first_start_makes_log_policy_and_one_key_that_is_printed_once(tmp_path):
    settings = make_settings(tmp_path)

    told = prepare(settings)

    store = AuditStore.open(settings.audit_url)
    key = Keys(store).check(told[1].strip())
    assert key.scopes == {Scope.SCORE, Scope.READ, Scope.DECIDE, Scope.HELP, Scope.ADMIN}
    active = PolicyBook(store).active()
    assert active.policy.name == "npv 2026-11"
    store.close()
    assert prepare(settings) == []


@pytest.mark.slow
def test_no_library_that_only_trains_is_loaded():
    asked = (
        "import sys, loantap.serving.api.first_start, loantap.serving.api.worker; "
        "print(*sorted({'glum', 'imblearn', 'kedro', 'matplotlib', 'mlflow'} & sys.modules.keys()))"
    )

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)

    assert said.stdout.split() == ["mlflow"]
