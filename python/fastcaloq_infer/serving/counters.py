"""What a server counts, for the protocol's statistics and for Prometheus."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass
class Duration:
    """How often something happened, and how long it took in total [ns]."""

    count: int = 0
    ns: int = 0

    def add(self, seconds: float) -> None:
        """Count one more, of so many seconds."""
        self.count += 1
        self.ns += int(seconds * 1e9)


@dataclass
class Statistics:
    """Counters of one served model since the server started; all in the server's one loop."""

    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    compute: Duration = field(default_factory=Duration)
    rows: int = 0
    batches: int = 0
    last_inference: int = 0

    def __post_init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        name = "fastcaloq_serve"
        self._requests = Counter(
            f"{name}_requests", "Inference requests.", ("protocol", "outcome"), registry=registry
        )
        self._rows = Counter(f"{name}_rows", "Rows answered.", registry=registry)
        self._batches = Counter(f"{name}_batches", "Batches evaluated.", registry=registry)
        self._latency = Histogram(
            f"{name}_request_seconds",
            "From the accepted request to its answer.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._compute = Histogram(
            f"{name}_compute_seconds", "One batch.", buckets=_BUCKETS, registry=registry
        )
        self.pending = Gauge(
            f"{name}_pending_requests", "Accepted and not answered.", registry=registry
        )

    def answered(self, protocol: str, rows: int, seconds: float) -> None:
        """Count a request that got its features."""
        self.success.add(seconds)
        self.rows += rows
        self.last_inference = time.time_ns() // 1_000_000
        self._requests.labels(protocol, "answered").inc()
        self._rows.inc(rows)
        self._latency.observe(seconds)

    def refused(self, protocol: str, outcome: str, seconds: float = 0.0) -> None:
        """Count a request that did not; ``outcome`` is a word from a small set."""
        self.fail.add(seconds)
        self._requests.labels(protocol, outcome).inc()

    def batch(self, waited: list[float], seconds: float) -> None:
        """Count a batch: how long each of its requests waited, and how long it took."""
        for wait in waited:
            self.queue.add(wait)
        self.batches += 1
        self.compute.add(seconds)
        self._batches.inc()
        self._compute.observe(seconds)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def durations(self) -> dict[str, Duration]:
        """Return the durations under the names of the protocol's statistics extension."""
        none = Duration()
        return {
            "success": self.success,
            "fail": self.fail,
            "queue": self.queue,
            "compute_input": none,
            "compute_infer": self.compute,
            "compute_output": none,
            "cache_hit": none,
            "cache_miss": none,
        }
