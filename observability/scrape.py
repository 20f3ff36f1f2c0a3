"""Serves `GET /metrics`: the counts of all worker processes together."""

import hmac
import os
from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from jobs.overview import task_counts
from jobs.state import jobs_state
from observability import health
from web.declared_access import public
from web.this_machine import is_from_this_machine


@public
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_scrape(request):
        raise Http404
    return HttpResponse(b"".join(generate_latest(one) for one in registries()), content_type=CONTENT_TYPE_LATEST)


def may_scrape(request: HttpRequest) -> bool:
    """Returns whether the request has METRICS_TOKEN.

    If METRICS_TOKEN is empty, nobody may scrape in production. Elsewhere this machine may, but not a proxy that runs
    on it and sends the request of somebody else.
    """
    if settings.METRICS_TOKEN:
        authorization = request.headers.get("Authorization", "")
        return hmac.compare_digest(authorization.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return not settings.PRODUCTION and is_from_this_machine(request)


def registries() -> Iterator[CollectorRegistry]:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        yield shared
    else:
        yield REGISTRY
    gauges = CollectorRegistry()
    gauges.register(CurrentState())
    yield gauges


class CurrentState(Collector):
    """Measures the databases, the cache and the jobs whenever Prometheus scrapes."""

    def collect(self) -> Iterator[Metric]:
        database = GaugeMetricFamily("observability_database_up", "1: it answers", labels=["database"])
        for alias in ("default", "analytics"):
            database.add_metric([alias], float(health.database_answers(alias)))
        yield database
        cache = GaugeMetricFamily("observability_cache_up", "1: it returns a value that was written to it")
        cache.add_metric([], float(health.cache_state() == "ok"))
        yield cache
        yield from jobs_metrics()


def jobs_metrics() -> Iterator[Metric]:
    """Yields what the workers have recorded in the database: they serve no page of their own."""
    runs = CounterMetricFamily("observability_job_runs", "Runs of background jobs", labels=["task"])
    failures = CounterMetricFamily("observability_job_failures", "Runs that failed", labels=["task"])
    seconds = CounterMetricFamily("observability_job_run_seconds", "Time of all runs", labels=["task"])
    lags = GaugeMetricFamily("observability_job_lag_seconds", "How long the oldest job is due", labels=["task"])
    for state, lag_seconds in task_counts():
        runs.add_metric([state.name], state.runs)
        failures.add_metric([state.name], state.failures)
        seconds.add_metric([state.name], state.run_seconds)
        lags.add_metric([state.name], lag_seconds)
    clock = GaugeMetricFamily("observability_job_clock_up", "1: a worker looks at the timetable")
    clock.add_metric([], float(jobs_state()["state"] in ("ok", "late")))
    yield from (runs, failures, seconds, lags, clock)
