"""Findings and messages made up for tests."""

from datetime import UTC, date, datetime, timedelta

from loantap.surveillance.monitoring.alerts import Finding, Severity

DAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def make_finding(subject="dti_pct", **changes):
	content = {
		"rule": "applicants_moved",
		"severity": Severity.WARNING,
		"silence_days": 30,
		"owner": "data science",
		"channels": ("risk",),
		"words": "the DTI moved up by 0.5 standard deviations",
	}
	return Finding(subject=subject, **{**content, **changes})


def days_later(n):
	return DAY + timedelta(days=n)
