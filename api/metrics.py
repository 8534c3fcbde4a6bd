"""What operators watch: a dozen figures in Prometheus' text form, with few labels.

Raised by the doors; read at /metrics. Invariant: a label takes few values, and none that names a person or an order.
"""

from __future__ import annotations

from time import perf_counter

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
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


def exposition() -> Response:
    """Return all figures, summed over the processes of this server."""
    if metrics_folder():
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
