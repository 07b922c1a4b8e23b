import pytest

from tests.serving.api.served import make_api


@pytest.fixture(scope="module")
def api(tmp_path_factory, lending, application):
	"""An API that the tests of a module share; none counts what is in its log."""
	return make_api(tmp_path_factory.mktemp("api"), lending, application)


@pytest.fixture
def own_api(tmp_path, lending, application):
	return make_api(tmp_path, lending, application)
