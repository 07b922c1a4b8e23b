"""Counts for Prometheus, over all processes of the API; no label is of a person."""

from functools import lru_cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

# Seconds; the goal for p99 is 0.025.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
	"""The counters of one process; files of `PROMETHEUS_MULTIPROC_DIR` where they `are_shared`."""

	def __init__(self, *, are_shared: bool) -> None:
		self._are_shared = are_shared
		self._registry = CollectorRegistry()

		def make(kind: Any, name: str, told: str, labels: tuple[str, ...] = (), **more: Any) -> Any:
			return kind(f"loantap_{name}", told, labels, registry=self._registry, **more)

		self._requests = make(Counter, "requests", "Requests by route and status", ("route", "status"))
		self._seconds = make(Histogram, "request_seconds", "Time to answer", ("route",), buckets=_BUCKETS)
		self._decisions = make(
			Counter, "decisions", "Decisions by outcome, model and policy", ("decision", "model", "version", "policy")
		)
		self._limited = make(Counter, "limited", "Requests refused by the rate limit")
		self._failures = make(Counter, "refresh_failures", "Looks at registry or policies that failed", ("of",))
		self._queue = make(Gauge, "audit_waiting", "Entries that wait for the audit log", multiprocess_mode="livesum")
		self._fresh = make(
			Gauge, "model_fresh", "1: the registry confirms the model; 0: last good; -1: none", multiprocess_mode="livemin"
		)
		self._request_of = lru_cache(maxsize=512)(self._label_request)
		self._decision_of = lru_cache(maxsize=512)(self._decisions.labels)

	def count_request(self, route: str, status: str, seconds: float) -> None:
		"""Count a request that was answered."""
		counter, histogram = self._request_of(route, status)
		counter.inc()
		histogram.observe(seconds)

	def count_decision(self, decision: str, model: str, version: str, policy: str, n: int = 1) -> None:
		"""Count decisions."""
		self._decision_of(decision, model, version, policy).inc(n)

	def count_limited(self) -> None:
		"""Count a refusal by the rate limit."""
		self._limited.inc()

	def count_failure(self, of: str) -> None:
		"""Count a failed look at the registry or the policies."""
		self._failures.labels(of).inc()

	def show_queue(self, waiting: int) -> None:
		"""Entries that wait for the audit log."""
		self._queue.set(waiting)

	def show_model(self, state: int) -> None:
		"""Whether the model is fresh."""
		self._fresh.set(state)

	def write(self) -> bytes:
		"""All processes' figures in Prometheus's text format."""
		if not self._are_shared:
			return generate_latest(self._registry)
		together = CollectorRegistry()
		multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
		return generate_latest(together)

	def _label_request(self, route: str, status: str) -> tuple[Any, Any]:
		return self._requests.labels(route, status), self._seconds.labels(route)
