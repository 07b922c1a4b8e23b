"""Planted leaks and honest portfolios, by which the leakage gate is measured."""
