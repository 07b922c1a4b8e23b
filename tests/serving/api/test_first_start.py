import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.api.first_start import prepare
from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.policies.book import PolicyBook
from tests.serving.api.served import make_settings


def test_it_makes_log_policy_and_one_key_that_is_printed_once(tmp_path):
    settings = make_settings(tmp_path)

    told = prepare(settings)

    store = AuditStore.open(settings.audit_url)
    key = Keys(store).check(told[1].strip())
    assert key.scopes == {Scope.SCORE, Scope.READ, Scope.DECIDE, Scope.HELP, Scope.ADMIN}
    active = PolicyBook(store).active()
    assert active.policy.name == "npv 2026-11"
    store.close()
    assert prepare(settings) == []


def test_a_policy_that_is_not_as_approved_stops_the_start(tmp_path):
    conf = tmp_path / "conf"
    conf.mkdir()
    for path in make_settings(tmp_path).conf.glob("parameters*.yml"):
        text = path.read_text("utf-8").replace("max_loan_amount: 35000", "max_loan_amount: 1")
        (conf / path.name).write_text(text, "utf-8")

    with pytest.raises(InputError, match="was changed after"):
        prepare(make_settings(tmp_path, conf=conf))
