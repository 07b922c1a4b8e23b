from pathlib import Path

import httpx
import pytest

from loantap.model.scoring.scorer import Scorer
from tests.serving.api.served import Api, make_api
from tests.serving.dashboard.screen import Screen, refuse_connections


@pytest.fixture
def api(tmp_path: Path, lending: Scorer) -> Api:
	return make_api(tmp_path, lending, None)


@pytest.fixture
def screen(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Screen:
	return Screen.over(api, monkeypatch, tmp_path)


@pytest.fixture
def empty_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Screen:
	return Screen.over(make_api(tmp_path, None, None), monkeypatch, tmp_path)


@pytest.fixture
def down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Screen:
	return Screen(monkeypatch, httpx.MockTransport(refuse_connections), tmp_path)
