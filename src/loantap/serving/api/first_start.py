"""What the API's first start makes."""

import getpass
from contextlib import closing
from datetime import UTC, datetime

from loantap.serving.audit.records import Caller
from loantap.serving.audit.store import AuditStore
from loantap.serving.configured import read_configured
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.policies.book import PolicyBook
from loantap.serving.settings import ServingSettings

_FIRST_SCOPES = (Scope.SCORE, Scope.DECIDE, Scope.READ, Scope.HELP, Scope.ADMIN)
# Enough for a person; systems get their own keys.
_RATE_PER_MINUTE = 6_000


def prepare(settings: ServingSettings) -> list[str]:
	"""Make what is missing, and close the log before processes part; what a person must be told.

	`InputError` where the audit log or the parameter files cannot be used.
	"""
	with closing(AuditStore.open(settings.audit_url)) as store:
		owner = getpass.getuser()
		caller = Caller("loantap-api", owner, "first-start")
		today = datetime.now(UTC).date()
		configured = read_configured(settings.conf, settings.recommendations, today)
		PolicyBook(store).enter(configured.policy, configured.economics, caller)
		keys = Keys(store)
		if keys.list_keys():
			return []
		key, text = keys.create(owner, _FIRST_SCOPES, caller, _RATE_PER_MINUTE)
		return [
			f"First start: the API key of {owner} is printed once and kept nowhere:",
			f"  {text}",
			f"It may {', '.join(_FIRST_SCOPES)}.",
			f"`loantap-keys create` makes others, `loantap-keys revoke {key.id}` ends this one.",
		]
