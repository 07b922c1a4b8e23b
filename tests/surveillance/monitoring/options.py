from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.options import MonitoringOptions
from tests.policy.shipped import read_shipped

OPTIONS = MonitoringOptions.model_validate(read_shipped("monitoring", as_of="2026-11-30"))


def by_figure(checks):
	return {(check.subject, check.what): check for check in checks}


def alarms(checks):
	return {(check.subject, check.what) for check in checks if check.verdict is Verdict.ALARM}
