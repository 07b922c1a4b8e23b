"""All that happens around a run, in order."""

from contextlib import ExitStack
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.context.context import _convert_paths_to_absolute_posix
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from loantap.hooks.guard import ExclusiveUse, check_inputs, check_parameters
from loantap.hooks.progress import Display
from loantap.hooks.publication import Transaction
from loantap.hooks.record import Record, Tracking
from loantap.hooks.run_choices import find_target_asked
from loantap.hooks.saved import Catalog
from loantap.project.interruption import interruption


class RunHook:
	"""Calls the steps around a run, which know nothing of Kedro; the project's only hook."""

	def __init__(self) -> None:
		self._saved: list[str] = []
		self._arguments: dict[str, Any] = {}
		self._use = ExclusiveUse()
		self._tracking = Tracking()
		self._transaction = Transaction()
		self._record = Record()
		self._display = Display()

	@hook_impl
	def after_context_created(self, context: KedroContext) -> None:
		"""Open the registry, check the parameters, forget a run that nobody was told of."""
		self._tracking.after_context_created(context)
		check_parameters(context)
		self._transaction.discard(self._saved)
		self._saved = []

	@hook_impl
	def after_catalog_created(
		self,
		catalog: Catalog,
		conf_catalog: dict[str, Any],
		conf_creds: dict[str, Any],
		parameters: dict[str, Any],
		save_version: str,
		load_versions: dict[str, str],
	) -> None:
		"""Let kedro-mlflow see the catalog."""
		self._tracking.after_catalog_created(catalog, conf_catalog, conf_creds, parameters, save_version, load_versions)

	@hook_impl
	def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		"""Take the lock, check inputs, begin MLflow's run and its record."""
		self._arguments = {"run_params": run_params, "pipeline": pipeline, "catalog": catalog}
		self._use.take(run_params, pipeline, catalog)
		check_inputs(run_params, pipeline, catalog)
		self._tracking.before_pipeline_run(run_params, pipeline, catalog)
		self._use.note_mlflow_run()
		self._transaction.begin(run_params, catalog)
		self._record.begin(run_params, pipeline, catalog)
		self._display.start(pipeline)

	@hook_impl
	def before_node_run(self, node: Node, catalog: Catalog, inputs: dict[str, Any], is_async: bool) -> None:
		"""Name the node, unless an interruption was lost in an import or a destructor."""
		self._tracking.before_node_run(node, catalog, inputs, is_async)
		self._display.begin_node(node)
		interruption.obey()

	@hook_impl
	def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
		"""Show what was found of the systems."""
		self._display.show_loaded(dataset_name, data)

	@hook_impl
	def after_dataset_saved(self, dataset_name: str) -> None:
		"""Remember what was saved, in order."""
		self._saved.append(dataset_name)

	@hook_impl
	def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		"""Complete the record, publish, end MLflow's run, show what came out, release the lock."""
		self._record.complete(run_params, catalog, self._saved)
		self._transaction.publish(catalog, self._saved)
		self._tracking.after_pipeline_run(run_params, pipeline, catalog)
		self._display.summarise(run_params, catalog, self._saved)
		self._use.tell_success()
		self._use.release()

	@hook_impl
	def on_pipeline_error(self, error: BaseException, run_params: dict[str, Any]) -> None:
		"""Leave the last good outputs in place, tell MLflow, stop the display: each in any case."""
		with ExitStack() as steps:
			steps.callback(self._display.stop)
			steps.callback(self._tracking.on_pipeline_error, error, run_params)
			steps.callback(self._transaction.discard, self._saved)

	def fail(self, session_hooks: Any, error: BaseException) -> None:
		"""Tell every hook that the run has ended badly; Kedro does so of errors in nodes only."""
		if not self._use.is_held:
			return
		with interruption.deferred():
			try:
				self._use.tell_failure(self._arguments["catalog"], self._saved)
				session_hooks.on_pipeline_error(error=error, **self._arguments)
			finally:
				self._use.release()


class ProjectSession(KedroSession):
	"""As Kedro's own; hooks are told of any failure, and of Ctrl-C."""

	def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
		"""Run a pipeline; see `KedroSession.run`."""
		names = kwargs.get("pipeline_names") or ["__default__"]
		# No money is reckoned with PDs of a window.
		if find_target_asked(self.store.get("runtime_params") or {}).window_months and "insights" not in names:
			nodes = [node for name in names if name in pipelines for node in pipelines[name].nodes]
			others = {tag for node in nodes for tag in node.tags if "insights" not in node.tags}
			kwargs["tags"] = kwargs.get("tags") or sorted(others)
		try:
			result: dict[str, Any] = super().run(*args, **kwargs)
		except BaseException as error:
			for plugin in self._hook_manager.get_plugins():
				if isinstance(plugin, RunHook):
					plugin.fail(self._hook_manager.hook, error)
			raise
		return result


class ProjectContext(KedroContext):
	"""As Kedro's own, with every relative path of `conf/` taken from the project's folder.

	Kedro does so for the paths of the catalog, and leaves those of credentials.
	"""

	def _get_config_credentials(self) -> dict[str, Any]:
		found: dict[str, Any] = _convert_paths_to_absolute_posix(
			project_path=self.project_path, conf_dictionary=super()._get_config_credentials()
		)
		return found
