import httpx
import pytest

from tests.serving.api.served import make_api
from tests.serving.dashboard.screen import Screen, refuse_connections


@pytest.fixture
def api(tmp_path, lending):
	return make_api(tmp_path, lending, None)


@pytest.fixture
def screen(api, tmp_path, monkeypatch):
	return Screen.over(api, monkeypatch, tmp_path)


@pytest.fixture
def empty_screen(tmp_path, monkeypatch):
	return Screen.over(make_api(tmp_path, None, None), monkeypatch, tmp_path)


@pytest.fixture
def down(tmp_path, monkeypatch):
	return Screen(monkeypatch, httpx.MockTransport(refuse_connections), tmp_path)
