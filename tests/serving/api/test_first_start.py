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
