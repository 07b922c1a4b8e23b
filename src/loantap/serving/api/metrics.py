"""What is counted, for Prometheus; over all processes of the API.

Labels are few and never of a person: routes, statuses, outcomes, versions.
"""

from functools import lru_cache
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

# Seconds; the goal for p99 is 0.025.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one process.

    Several processes count into files of one folder (`PROMETHEUS_MULTIPROC_DIR`), which the
    command names before they start; without it, one process counts for itself.

    Args:
        are_shared: whether they do.
    """

    def __init__(self, *, are_shared: bool) -> None:
        self._are_shared = are_shared
        self._registry = CollectorRegistry()

        def make(kind: Any, name: str, told: str, labels: tuple[str, ...] = (), **more: Any) -> Any:
            return kind(f"loantap_{name}", told, labels, registry=self._registry, **more)

        self._requests = make(
            Counter, "requests", "Requests by route and status", ("route", "status")
        )
        self._seconds = make(
            Histogram, "request_seconds", "Time to answer", ("route",), buckets=_BUCKETS
        )
        self._decisions = make(
            Counter,
            "decisions",
            "Decisions by outcome, model and policy",
            ("decision", "model", "version", "policy"),
        )
        self._limited = make(Counter, "limited", "Requests refused by the rate limit")
        self._failures = make(
            Counter, "refresh_failures", "Looks at registry or policies that failed", ("of",)
        )
        self._queue = make(
            Gauge, "audit_waiting", "Entries that wait for the audit log",
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._fresh = make(
            Gauge, "model_fresh", "1: the registry confirms the model; 0: last good; -1: none",
            multiprocess_mode="livemin",
        )  # fmt: skip
        self._request_of = lru_cache(maxsize=512)(self._label_request)
        self._decision_of = lru_cache(maxsize=512)(self._decisions.labels)

    def count_request(self, route: str, status: str, seconds: float) -> None:
        """One request was answered."""
        counter, histogram = self._request_of(route, status)
        counter.inc()
        histogram.observe(seconds)

    def count_decision(
        self, decision: str, model: str, version: str, policy: str, n: int = 1
    ) -> None:
        """Decisions were made."""
        self._decision_of(decision, model, version, policy).inc(n)

    def count_limited(self) -> None:
        """A request was refused by the rate limit."""
        self._limited.inc()

    def count_failure(self, of: str) -> None:
        """A look at the registry, or at the policies, failed."""
        self._failures.labels(of).inc()

    def show_queue(self, waiting: int) -> None:
        """How many entries wait for the audit log."""
        self._queue.set(waiting)

    def show_model(self, state: int) -> None:
        """Whether the model is fresh."""
        self._fresh.set(state)

    def write(self) -> bytes:
        """The figures in Prometheus's text format, of all processes together."""
        if not self._are_shared:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _label_request(self, route: str, status: str) -> tuple[Any, Any]:
        return self._requests.labels(route, status), self._seconds.labels(route)
