import pytest

from loantap.reporting.model_card.page import render_model_card
from tests.reporting.card_material import make_card
from tests.reporting.page_outline import read_section


@pytest.fixture(scope="package")
def page():
	return render_model_card(make_card())


@pytest.fixture(scope="package")
def lending(page):
	return read_section(page, "model-lending")
