"""Says how much the workspace stores: spans, their time, and about how much disk."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from typing_extensions import TypedDict

from traces import engines, sums
from traces.db import row, rows
from traces.filters import Filters
from traces.stored import oldest_start
from workspaces.keys import valid_keys
from workspaces.models import Workspace

SIZE_SECONDS = 600
"""The sizes of tables are of all workspaces, and may be so old."""
SIZES_KEY = "settings.usage.sizes"


class TableUsage(TypedDict):
    name: str
    about_bytes: int | None
    """The size of the tables with their indexes, times the share of the workspace in all spans. Null where the
    database does not say it."""


class Usage(TypedDict):
    spans: int
    """That are stored now."""
    calls: int
    """Model calls among them."""
    spans_of_30_days: int
    scores: int
    oldest_span_at: datetime | None
    newest_span_at: datetime | None
    about_bytes: int | None
    """All tables together."""
    tables: list[TableUsage]
    retention_days: int
    """Spans and scores are deleted after so many days."""
    content_retention_days: int
    sums_retention_days: int
    """Sums stay so long, so charts reach further back than spans."""
    valid_keys: int
    members: int


class Size(TypedDict):
    name: str
    bytes: int | None
    rows: int | None


def usage(workspace: Workspace, now: datetime) -> Usage:
    oldest = oldest_start(workspace.id)
    start = oldest or now
    end = now + timedelta(hours=1)  # clocks of clients may be ahead
    spans = count(workspace, start, end, any_operation=True)
    tables = table_usage(spans)
    known = [one["about_bytes"] for one in tables if one["about_bytes"] is not None]
    return {
        "spans": spans,
        "calls": count(workspace, start, end, any_operation=False),
        "spans_of_30_days": count(workspace, max(start, now - timedelta(days=30)), end, any_operation=True),
        "scores": score_count(workspace),
        "oldest_span_at": oldest,
        "newest_span_at": newest_start(workspace),
        "about_bytes": sum(known) if known else None,
        "tables": tables,
        "retention_days": settings.RETENTION_DAYS,
        "content_retention_days": settings.CONTENT_RETENTION_DAYS,
        "sums_retention_days": settings.ROLLUP_RETENTION_DAYS,
        "valid_keys": valid_keys(workspace).count(),
        "members": workspace.memberships.count(),
    }


def count(workspace: Workspace, start: datetime, end: datetime, any_operation: bool) -> int:
    """Returns the number of spans, or of model calls, from sums."""
    filters = Filters(
        workspace.id, start, max(end, start + timedelta(seconds=1)), granularity="monthly", any_operation=any_operation
    )
    found = row(
        "SELECT coalesce(sum(calls), 0)::bigint AS spans FROM {calls} AS calls",
        filters.params,
        calls=sums.calls_sql(filters, "calls"),
    )
    return int(found["spans"])


def score_count(workspace: Workspace) -> int:
    """Returns the number of scores, from sums by hour."""
    found = row(
        """
        SELECT coalesce(sum(scores), 0)::bigint AS scores
        FROM score_sums_hourly
        WHERE workspace_id = %(workspace_id)s
        """,
        {"workspace_id": workspace.id},
    )
    return int(found["scores"])


def newest_start(workspace: Workspace) -> datetime | None:
    found = rows(
        """
        SELECT timestamp
        FROM traces
        WHERE workspace_id = %(workspace_id)s
        ORDER BY timestamp DESC
        LIMIT 1
        """,
        {"workspace_id": workspace.id},
    )
    return found[0]["timestamp"] if found else None


# --- Disk ---


def table_usage(spans: int) -> list[TableUsage]:
    sizes = table_sizes()
    all_spans = next((one["rows"] for one in sizes if one["name"] == "traces"), None)
    # The statistics from which the database knows its rows may be older than the newest spans.
    share = min(1.0, spans / all_spans) if all_spans and all_spans > 0 else None
    return [{"name": one["name"], "about_bytes": share_of(one, share)} for one in sizes]


def share_of(size: Size, share: float | None) -> int | None:
    return None if share is None or size["bytes"] is None else round(size["bytes"] * share)


def table_sizes() -> list[Size]:
    """Returns the sizes of the tables of all workspaces, which takes long where they have many parts."""
    found: list[Size] | None = cache.get(SIZES_KEY)
    if found is None:
        found = rows(engines.current().sizes_sql, {}, row_type=Size)
        cache.set(SIZES_KEY, found, SIZE_SECONDS)
    return found
