from pathlib import Path

import pytest

from loantap.model.scoring.scorer import Scorer
from tests.serving.api.served import Api, make_api


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, lending: Scorer, application: Scorer) -> Api:
	"""An API that the tests of a module share; none counts what is in its log."""
	return make_api(tmp_path_factory.mktemp("api"), lending, application)


@pytest.fixture
def own_api(tmp_path: Path, lending: Scorer, application: Scorer) -> Api:
	return make_api(tmp_path, lending, application)
