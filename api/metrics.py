"""What operators watch: a dozen figures in Prometheus' text form, with few labels.

Raised by the doors; read at /metrics. Invariant: a label takes few values, and none that names a person or an order.
"""

from __future__ import annotations

from datetime import datetime
from time import perf_counter

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.config import metrics_folder

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUESTS = Counter("oms_requests_total", "Requests answered.", ["operation", "status"])
REQUEST_SECONDS = Histogram(
    "oms_request_duration_seconds", "Seconds until a request was answered.", ["operation"], buckets=SECONDS
)
RETRIES = Counter("oms_retries_total", "Units of work done again.", ["cause"])
JOB_RUNS = Counter("oms_job_runs_total", "Runs of jobs.", ["job", "outcome"])
JOB_SECONDS = Histogram("oms_job_duration_seconds", "Seconds a run of a job took.", ["job"])


def follow_requests(app: Flask) -> None:
    """Count each request and its time, by operation."""

    @app.before_request
    def begin() -> None:
        g.began_at = perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        operation = request.endpoint or "none"
        REQUESTS.labels(operation, response.status_code).inc()
        REQUEST_SECONDS.labels(operation).observe(perf_counter() - g.get("began_at", perf_counter()))
        return response


def ledger(findings: int, proven_at: datetime | None) -> CollectorRegistry:
    """Return what the proof of the ledger says: the same from every process, so that it is not summed over them."""
    registry = CollectorRegistry()
    Gauge("oms_ledger_findings", "Rows of the ledger that do not add up.", registry=registry).set(findings)
    if proven_at is not None:
        proven = Gauge("oms_ledger_proven_timestamp_seconds", "When the last whole proof ended.", registry=registry)
        proven.set(proven_at.timestamp())
    return registry


def exposition(*others: CollectorRegistry) -> Response:
    """Return all figures, summed over the processes of this server, and those of other registries."""
    own = REGISTRY
    if metrics_folder():
        own = CollectorRegistry()
        multiprocess.MultiProcessCollector(own)  # type: ignore[no-untyped-call]
    figures = b"".join(generate_latest(registry) for registry in (own, *others))
    return Response(figures, content_type=CONTENT_TYPE_LATEST)
