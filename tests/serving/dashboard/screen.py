import re
from typing import Any

import httpx
import streamlit as st
from streamlit.testing.v1 import AppTest

from loantap.serving.dashboard import client
from loantap.serving.dashboard.session import OWN_KEY
from loantap.serving.dashboard.settings import API_VARIABLE, KEY_VARIABLE, PROJECT_VARIABLE

_PLACE = "http://dashboard.test"
_SECONDS = 30
# What lets a table be a list of cards, and an interval break as a whole.
_ONLY_FOR_LOOK = re.compile(r' data-label="[^"]*"|<span>(?=\[)|(?<=\])</span>')


class Screen:
	"""Opens pages over a transport that stands for the way to the API, after a run in a folder.

	Without a key the owner of this one is signed in; nobody with an empty one.
	"""

	def __init__(self, monkeypatch, transport, project, key="lt_key"):
		self._key = key
		st.cache_resource.clear()
		monkeypatch.setenv(API_VARIABLE, _PLACE)
		monkeypatch.setenv(PROJECT_VARIABLE, str(project))
		monkeypatch.setenv(KEY_VARIABLE, "")
		monkeypatch.setattr(client, "open_http", lambda url: httpx.Client(transport=transport, base_url=url))

	@classmethod
	def over(cls, api, monkeypatch, project):
		return cls(monkeypatch, httpx.WSGITransport(app=api.app), project, api.key)

	def open(self, page, key=None):
		script = f"from loantap.serving.dashboard.pages import {page}\n{page}.show()"
		app = AppTest.from_string(script, default_timeout=_SECONDS)
		if signed_in := self._key if key is None else key:
			app.session_state[OWN_KEY] = signed_in
		return look(app.run())

	def read(self, page, key=None):
		return read_all(self.open(page, key))


def look(app):
	"""The page, which must not have ended in an error of Python's."""
	assert not app.exception, app.exception[0].value
	return app


def press(app, label):
	found = [button for button in app.button if button.label == label]
	assert found, f"no button {label} among {list_buttons(app)}"
	return look(found[0].click().run())


def list_buttons(app):
	return [button.label for button in app.button]


def fill(app, kind, label, value):
	next(one for one in getattr(app, kind) if one.label == label).set_value(value)
	return app


def choose(app, kind, label, value):
	return look(fill(app, kind, label, value).run())


def read_all(app):
	kinds: list[Any] = [
		app.title,
		app.subheader,
		app.markdown,
		app.text,
		app.caption,
		app.info,
		app.success,
		app.warning,
		app.error,
	]
	said = [str(one.value) for kind in kinds for one in kind]
	html = "\n".join(str(one.proto.body) for one in app.get("html"))
	return "\n".join([*said, _ONLY_FOR_LOOK.sub("", html)])


def refuse_connections(_request):
	raise httpx.ConnectError("nobody listens there")


def answer_with(routes):
	"""Other paths are not found."""

	def answer(request):
		status, body = routes.get(request.url.path, (404, {"title": "There is no such thing"}))
		return httpx.Response(status, json=body)

	return answer
