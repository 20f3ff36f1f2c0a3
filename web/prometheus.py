"""Counters and histograms for Prometheus. docs/operations.md explains each of them and the alerts."""

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

REQUESTS = Counter("observability_requests", "Answered requests", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "observability_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
ACCEPTED = Counter("observability_spans_accepted", "Spans committed for the first time")
UPDATED = Counter("observability_spans_updated", "Stored spans that learned from another copy")
DUPLICATES = Counter("observability_spans_duplicate", "Spans that were stored already")
REJECTED = Counter(
    "observability_spans_rejected", "Spans refused for good, while others of the request were stored", ["reason"]
)
UNAVAILABLE = Counter("observability_unavailable", "Answers 503, by cause", ["cause"])
BUSY = Counter("observability_busy", "Answers 429 to workspaces with too many requests at once")
CACHE = Counter("observability_cache_answers", "Answers of metrics, from the cache or computed", ["state"])
COMMIT = Histogram(
    "observability_commit_seconds",
    "Time a commit took",
    ["database"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10),
)
POOL_WAIT = Histogram(
    "observability_pool_wait_seconds",
    "Time until the pool gave a connection",
    ["database"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


def count_stored(accepted: int, updated: int, duplicates: int) -> None:
    ACCEPTED.inc(accepted)
    UPDATED.inc(updated)
    DUPLICATES.inc(duplicates)


def count_rejected(reasons: Iterable[str]) -> None:
    for reason in reasons:
        REJECTED.labels(reason).inc()
