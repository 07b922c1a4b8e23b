import pytest

from loantap.simulator import simulate_events, simulate_portfolio

DEMO_LOANS = 20_000


@pytest.fixture(scope="session")
def demo():
	return simulate_portfolio(DEMO_LOANS, seed=20_170_301)


@pytest.fixture(scope="session")
def portfolio(demo):
	return demo.portfolio


@pytest.fixture(scope="session")
def loans(portfolio):
	few = portfolio.head(4_000)
	return few.assign(loan_id=[f"loan-{number:05d}" for number in range(len(few))])


@pytest.fixture(scope="session")
def events(loans):
	return simulate_events(loans, seed=5)
