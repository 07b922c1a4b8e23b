from contextlib import closing

import pytest
from click.testing import CliRunner

from loantap.portfolio.errors import InputError
from loantap.serving.audit.store import AuditStore, Polled
from loantap.serving.errors import AuditUnavailableError, NotNowError, NotThereError
from loantap.serving.keys.commands import main
from loantap.serving.keys.keys import Keys, Scope
from tests.serving.entries import ANN, BOB, ask, keep
from tests.support.waiting import wait_until


@pytest.fixture
def keys(store):
	return Keys(store)


def test_a_key_is_taken_for_what_it_is(keys):
	key, text = keys.create("Ann  Lee ", [Scope.SCORE, Scope.READ], ANN, rate_per_minute=90)

	assert keys.check(text) == key
	assert text.startswith(f"lt_{key.id}_")
	assert len(text.removeprefix(f"lt_{key.id}_")) == 43  # 32 bytes in base64
	assert (key.owner, key.scopes, key.rate_per_minute) == ("Ann Lee", {"score", "read"}, 90)
	assert key.created_by == "Ann Lee"
	assert not key.revoked_at


def test_another_text_is_none(keys):
	key, text = keys.create("Ann", [Scope.SCORE], ANN)
	other, _ = keys.create("Bob", [Scope.SCORE], ANN)
	secret = text.removeprefix(f"lt_{key.id}_")
	wrong = [
		"",
		"lt__",
		f"lt_{key.id}",
		f"lt_{key.id}_",
		f"lt_{key.id}_{secret}x",
		f"lt_{key.id}_{secret[:-1]}",
		f"lt_{key.id}_{secret.swapcase()}",
		f"LT_{key.id}_{secret}",
		f"lt_{other.id}_{secret}",
		f"lt_{key.id.upper()}x_{secret}",
		secret,
		f" {text}",
		f"lt_{key.id}_\ud800",
		f"xx_{key.id}_{secret}",
	]

	assert [keys.check(text) for text in wrong] == [None] * len(wrong)
	assert keys.check(text) == key


def test_the_secret_is_kept_nowhere(keys, url):
	key, text = keys.create("Ann", [Scope.SCORE], ANN)
	secret = text.removeprefix(f"lt_{key.id}_")

	[(public, personal)] = ask(url, "SELECT public, personal_digest FROM records")
	assert secret not in public
	assert personal is None
	assert '"secret_sha256"' in public


def test_a_revoked_key_works_no_more_in_any_process(keys, store, url):
	key, text = keys.create("Ann", [Scope.SCORE], ANN)
	with closing(AuditStore.open(url)) as other_store:
		others = Keys(other_store)
		assert others.check(text) == key

		revoked = keys.revoke(key.id, BOB)

		assert keys.check(text) is None
		wait_until(lambda: others.check(text) is None, within_s=30)
		assert keys.list_keys() == others.list_keys() == [revoked]
	assert revoked.revoked_at
	[(created,)] = ask(url, "SELECT id FROM records WHERE kind = 'key_created'")
	assert [record.person for record in store.about(created)] == ["Bob Ray"]


def test_a_key_is_revoked_once(keys, store):
	key, _ = keys.create("Ann", [Scope.SCORE], ANN)
	keys.revoke(key.id, ANN)

	with pytest.raises(NotNowError, match="it was revoked on"):
		keys.revoke(key.id, ANN)
	with pytest.raises(NotThereError, match="key none: there is none"):
		keys.revoke("none", ANN)
	assert store.verify().n == 2


@pytest.mark.parametrize(
	("where", "value"),
	[
		("owner", " \t"),
		("owner", "a\x00b"),
		("owner", "a" * 101),
		("scopes", []),
		("rate_per_minute", 0),
		("rate_per_minute", 10_000_001),
	],
)
def test_what_cannot_be_is_refused(sqlite_store, where, value):
	given = {"owner": "a" * 100, "scopes": [Scope.SCORE], "caller": ANN, "rate_per_minute": 1}
	with pytest.raises(InputError) as refused:
		Keys(sqlite_store).create(**(given | {where: value}))

	assert refused.value.where == where
	for allowed in (1, 10_000_000):
		assert Keys(sqlite_store).create(**(given | {"rate_per_minute": allowed}))


def test_no_key_is_taken_while_nobody_can_say_whether_it_was_revoked(keys, store, monkeypatch):
	_, text = keys.create("Ann", [Scope.SCORE], ANN)
	assert keys.check(text)

	def fail(_):
		raise AuditUnavailableError("log", "gone", "wait")

	monkeypatch.setattr(store, "read", fail)
	assert keys.check(text)  # looked at a moment ago
	keys._known.forget()
	with pytest.raises(AuditUnavailableError):
		keys.check(text)


def test_what_is_known_is_made_anew_only_after_a_record_of_its_sort(store):
	made = []
	polled = Polled(store, "key_", lambda _: made.append(1) or len(made), max_age=0)

	assert [polled.get(), polled.get()] == [1, 1]
	keep(store, 1)
	assert polled.get() == 1
	Keys(store).create("Ann", [Scope.SCORE], ANN)
	assert polled.get() == 2


def call(tmp_path, *words):
	return CliRunner().invoke(main, ["--url", f"sqlite:///{tmp_path}/audit.db", *words])


def test_a_key_is_printed_once_alone_on_the_output(tmp_path):
	made = call(tmp_path, "create", "--owner", "Ann", "--scope", "score", "--scope", "read")
	store = AuditStore.open(f"sqlite:///{tmp_path}/audit.db")
	key = Keys(store).check(made.stdout.strip())

	assert made.stderr == f"Key {key.id} of Ann may: read, score\n"
	listed = call(tmp_path, "list").output
	assert key.id in listed
	assert "works" in listed
	assert made.stdout.strip() not in listed

	said = call(tmp_path, "revoke", key.id)
	assert said.output == f"Key {key.id} of Ann is revoked\n"
	assert "revoked" in call(tmp_path, "list").output
	assert call(tmp_path, "revoke", key.id).exit_code == 1
	assert store.verify().n == 2
	store.close()
