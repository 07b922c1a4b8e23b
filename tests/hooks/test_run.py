from unittest.mock import MagicMock, create_autospec

import pytest

from loantap.hooks import run
from loantap.hooks.guard import ExclusiveUse
from loantap.hooks.progress import Display
from loantap.hooks.publication import Transaction
from loantap.hooks.record import Record, Tracking

RUN_PARAMS = {"project_path": "nowhere"}


@pytest.fixture
def steps(monkeypatch):
	together = MagicMock()
	parts = {
		"ExclusiveUse": ExclusiveUse,
		"Tracking": Tracking,
		"Transaction": Transaction,
		"Record": Record,
		"Display": Display,
	}
	for name, kind in parts.items():
		part = create_autospec(kind, instance=True)
		together.attach_mock(part, name)
		monkeypatch.setattr(run, name, lambda part=part: part)
	monkeypatch.setattr(run, "check_inputs", together.check_inputs)
	return together


@pytest.fixture
def hook(steps):
	return run.RunHook()


def asked(steps):
	return [call[0] for call in steps.mock_calls]


def test_before_a_run_it_is_locked_then_checked_then_recorded_and_shown(hook, steps):
	hook.before_pipeline_run(RUN_PARAMS, MagicMock(), MagicMock())

	assert asked(steps) == [
		"ExclusiveUse.take",
		"check_inputs",
		"Tracking.before_pipeline_run",
		"ExclusiveUse.note_mlflow_run",
		"Transaction.begin",
		"Record.begin",
		"Display.start",
	]


def test_after_a_run_the_record_is_complete_before_anything_is_published(hook, steps):
	hook.after_pipeline_run(RUN_PARAMS, MagicMock(), MagicMock())

	assert asked(steps) == [
		"Record.complete",
		"Transaction.publish",
		"Tracking.after_pipeline_run",
		"Display.summarise",
		"ExclusiveUse.tell_success",
		"ExclusiveUse.release",
	]


def test_what_cannot_be_published_is_not_called_a_success(hook, steps):
	steps.Transaction.publish.side_effect = OSError("disk full")

	with pytest.raises(OSError, match="disk full"):
		hook.after_pipeline_run(RUN_PARAMS, MagicMock(), MagicMock())

	assert asked(steps) == ["Record.complete", "Transaction.publish"]


@pytest.mark.parametrize("failing", ["Transaction.discard", "Tracking.on_pipeline_error", "none"])
def test_after_an_error_each_step_is_done_whatever_becomes_of_the_others(failing, hook, steps):
	steps.configure_mock(**{f"{failing}.side_effect": OSError("cannot be removed")})

	try:
		hook.on_pipeline_error(ValueError("in a node"), RUN_PARAMS)
	except OSError:
		assert failing != "none"
	else:
		assert failing == "none"

	assert asked(steps) == ["Transaction.discard", "Tracking.on_pipeline_error", "Display.stop"]
