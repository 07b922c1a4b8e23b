"""Figures and pages drawn from finished tables; computes nothing but wording and layout."""
