"""Nodes of the `insights` pipeline that find what the loans say."""

import pandas as pd

from loantap.policy.findings import information
from loantap.policy.findings.find import find_all
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions


def find_effects(
    loans: pd.DataFrame, profits: pd.DataFrame, economics: Economics, options: InsightsOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What is found of segments, of segments in each year, of drivers, and of claims."""
    found = find_all(loans, profits, economics.main, options.findings)
    return found.segments, found.years, found.drivers, found.claims


def measure_information(loans: pd.DataFrame, options: InsightsOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Information value of every factor known at the decision, and its bins."""
    measured = information.measure_information(loans, options.findings)
    return measured.values, measured.bins
