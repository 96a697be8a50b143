"""What the hub counts, for Prometheus. https://prometheus.io/docs/instrumenting/exposition_formats/

Labels are few and never name a person: the interaction and the status class. Each process
counts for
itself.
"""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "fhir_requests", "FHIR requests answered.", ("interaction", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "fhir_request_seconds", "Time to answer a FHIR request.", ("interaction",),
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._messages = Counter(
            "hl7v2_messages", "HL7 v2 messages acknowledged.", ("source", "acknowledgement"),
            registry=self.registry,
        )  # fmt: skip
        self._connections = Gauge(
            "hl7v2_connections", "Open MLLP connections.", registry=self.registry
        )
        self._children = lru_cache(maxsize=256)(self._child)

    def request(self, interaction: str, status: int, seconds: float) -> None:
        """Count one FHIR request."""
        counter, histogram = self._children(interaction or "none", f"{status // 100}xx")
        counter.inc()
        histogram.observe(seconds)

    def message(self, source: str, acknowledgement: str) -> None:
        """Count one v2 message by its acknowledgement code."""
        self._messages.labels(source, acknowledgement).inc()

    def connections(self, change: int) -> None:
        """Count an MLLP connection that opened (1) or closed (-1)."""
        self._connections.inc(change)

    def exposition(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self.registry)

    def _child(self, interaction: str, status: str) -> tuple[Counter, Histogram]:
        return self._requests.labels(interaction, status), self._seconds.labels(interaction)
