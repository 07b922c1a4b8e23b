"""Who is at the screen, and what the API is asked with for them."""

from dataclasses import dataclass
from typing import Final

import httpx
import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from loantap.serving.dashboard import client, messages
from loantap.serving.dashboard.client import Api, ApiError
from loantap.serving.dashboard.settings import DashboardSettings

OWN_KEY: Final = "own_key"
# In the address: a lost session shows it.
_MARK: Final = "signed-in"


@dataclass(frozen=True, slots=True)
class Session:
	"""A person at work, as whom decisions are recorded.

	`scopes` are empty while the API does not say; `is_own_key`: they pasted it.
	"""

	api: Api
	person: str
	scopes: tuple[str, ...]
	is_own_key: bool

	def may(self, scope: str) -> bool:
		"""Whether the key has a scope; assumed where the API did not say."""
		return not self.scopes or scope in self.scopes


@st.cache_resource(show_spinner=False)
def _connect(api_url: str) -> httpx.Client:
	return client.open_http(api_url)


def begin_session(settings: DashboardSettings) -> Session | None:
	"""The person's session, with the sign-in in the sidebar; None while there is no key.

	With `[auth]` in Streamlit's secrets people log in, and the dashboard's key acts for them.
	"""
	if _has_oidc():
		return _begin_for_login(settings)
	own = str(st.session_state.get(OWN_KEY, ""))
	session = _begin(settings, own or settings.key, "", is_own_key=bool(own))
	_show_sign_in(session, has_dashboard_key=bool(settings.key))
	return session


def _has_oidc() -> bool:
	try:
		return "auth" in st.secrets
	except StreamlitSecretNotFoundError:
		return False


def _begin_for_login(settings: DashboardSettings) -> Session | None:
	if not st.user.is_logged_in:
		with st.sidebar:
			st.button("Log in", on_click=st.login, type="primary", width="stretch")
		return None
	person = str(st.user.get("email") or st.user.get("name") or st.user.get("sub"))
	session = _begin(settings, settings.key, person, is_own_key=False)
	with st.sidebar:
		st.caption(f"Logged in as **{person}**")
		st.button("Log out", on_click=st.logout, width="stretch")
	return session


def _begin(settings: DashboardSettings, key: str, person: str, *, is_own_key: bool) -> Session | None:
	if not key:
		return None
	api = Api(_connect(settings.api_url), key, person)
	# Owner and scopes of a key do not change.
	known = st.session_state.get("who")
	if known is None or known[0] != (key, person):
		try:
			asks = api.who_asks()
		except ApiError as error:
			if error.status in {401, 403}:
				raise
			return Session(api, person, (), is_own_key)
		known = ((key, person), asks.person or person or asks.owner, tuple(asks.scopes))
		st.session_state["who"] = known
	return Session(api, known[1], known[2], is_own_key)


def _show_sign_in(session: Session | None, *, has_dashboard_key: bool) -> None:
	with st.sidebar:
		if session is not None and session.is_own_key:
			st.query_params[_MARK] = "yes"
			st.caption(f"Signed in as **{session.person or 'the owner of your key'}**")
			st.button("Sign out", on_click=_sign_out, width="stretch")
			return
		if session is not None:
			st.caption("Not signed in: the dashboard's own key scores and reads.")
		if st.query_params.get(_MARK):
			st.warning(messages.LOST)
		with st.form("sign-in", border=False):
			key = st.text_input("Your API key", type="password", placeholder="lt_…")
			if st.form_submit_button("Sign in", width="stretch") and key.strip():
				st.session_state[OWN_KEY] = key.strip()
				st.rerun()
		if not has_dashboard_key:
			st.caption("The key stays in this session and is forgotten with it.")


def _sign_out() -> None:
	for name in list(st.session_state):
		del st.session_state[name]
	st.query_params.pop(_MARK, None)
