"""What tests share because they share a process, and how it is put back."""

import logging
import os
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

# pytest's own, different in each phase of a test.
_PHASE = "PYTEST_CURRENT_TEST"


@contextmanager
def put_back():
	"""Put back environment, working directory, import path, logging and MLflow, whatever happens.

	Warning filters are put back by pytest itself, random states by pytest-randomly.
	"""
	# In this order: MLflow keeps its address in the environment as well.
	back = [_mlflow(), _logging(), _import_path(), _working_directory(), _environment()]
	try:
		yield
	finally:
		for restore in back:
			restore()


def _environment():
	before = dict(os.environ)

	def restore():
		wanted = before | ({_PHASE: os.environ[_PHASE]} if _PHASE in os.environ else {})
		if dict(os.environ) != wanted:
			os.environ.clear()
			os.environ.update(wanted)

	return restore


def _working_directory():
	before = Path.cwd()
	return lambda: os.chdir(before)


def _import_path():
	before = sys.path[:]

	def restore():
		sys.path[:] = before

	return restore


def _logging():
	"""A logger that was made meanwhile becomes one that nobody has configured."""
	before = {logger: _configuration(logger) for logger in _loggers()}
	raised = logging.root.manager.disable
	captured, taken_over = _are_warnings_logged(), logging._warnings_showwarning

	def restore():
		for logger in _loggers():
			wanted = before.get(logger, (logging.NOTSET, [], [], True, False))
			if _configuration(logger) != wanted:
				level, handlers, filters, logger.propagate, logger.disabled = wanted
				logger.setLevel(level)
				logger.handlers[:], logger.filters[:] = handlers, filters
		logging.disable(raised)
		if _are_warnings_logged() and not captured:
			logging.captureWarnings(False)
		# pytest puts back `warnings.showwarning` after each phase of a test, and logging would
		# still believe that it has taken it over.
		logging._warnings_showwarning = taken_over

	return restore


def _loggers():
	named = logging.root.manager.loggerDict.values()
	return [logging.root, *(each for each in named if isinstance(each, logging.Logger))]


def _configuration(logger):
	return logger.level, logger.handlers[:], logger.filters[:], logger.propagate, logger.disabled


def _are_warnings_logged():
	return warnings.showwarning.__module__ == "logging"


def _mlflow():
	"""Its addresses, experiment and runs; it has not been imported in every process."""
	before = _mlflow_state()

	def restore():
		if _mlflow_state() == before:
			return
		import mlflow
		from mlflow.tracking import fluent

		address, registry, fluent._active_experiment_id, runs, last_run = before
		mlflow.set_tracking_uri(address)
		mlflow.set_registry_uri(registry)
		fluent._active_run_stack.set(list(runs))
		fluent._last_active_run_id.set(last_run)

	return restore


def _mlflow_state():
	if "mlflow.tracking.fluent" not in sys.modules:
		return None, None, None, [], None
	from mlflow.tracking import fluent
	from mlflow.tracking._model_registry import utils as registry
	from mlflow.tracking._tracking_service import utils as tracking

	return (
		tracking._tracking_uri,
		registry._registry_uri,
		fluent._active_experiment_id,
		list(fluent._active_run_stack.get()),
		fluent._last_active_run_id.get(),
	)
