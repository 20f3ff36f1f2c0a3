"""What is too old goes, by whole days in UTC: rows after RETENTION_DAYS, their sums after ROLLUP_RETENTION_DAYS."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from traces import writer
from traces.rollups import TABLES

BATCH = 10_000

WORKSPACES = "SELECT workspace_id FROM closed_hours ORDER BY workspace_id"
LAST_OF_BATCH = """
SELECT {moment}
FROM {table}
WHERE workspace_id = %(workspace_id)s AND {moment} < %(cutoff)s
ORDER BY {moment}
OFFSET %(batch)s - 1
LIMIT 1
"""
DELETE = "DELETE FROM {table} WHERE workspace_id = %(workspace_id)s AND {moment} < %(cutoff)s AND {moment} <= %(last)s"


def delete_old(now: datetime) -> tuple[int, int]:
    """How many rows and how many sums went, a batch at a time: writers wait for one batch at most."""
    rows = sums = 0
    for workspace_id in workspaces():
        cutoff = day_before(now, settings.RETENTION_DAYS)
        close_before(workspace_id, cutoff)
        rows += delete_before(workspace_id, "traces", "timestamp", cutoff)
        for table in TABLES:
            sums += delete_before(workspace_id, table, "bucket", day_before(now, settings.ROLLUP_RETENTION_DAYS))
    return rows, sums


def close_before(workspace_id: UUID, cutoff: datetime) -> None:
    """What is counted from rows when an hour is closed must be, while they are there."""
    closed = None
    while closed is None or closed < cutoff:
        with writer.writing(workspace_id) as cursor:
            closed = writer.close_hours(cursor, workspace_id, cutoff)


def workspaces() -> list[UUID]:
    """Also those that the product knows no more."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute(WORKSPACES)
        return [workspace_id for (workspace_id,) in cursor.fetchall()]


def day_before(now: datetime, days: int) -> datetime:
    return (now - timedelta(days=days)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def delete_before(workspace_id: UUID, table: str, moment: str, cutoff: datetime) -> int:
    deleted, names = 0, {"table": table, "moment": moment}
    params: dict[str, Any] = {"workspace_id": workspace_id, "cutoff": cutoff, "batch": BATCH}
    while True:
        with writer.writing(workspace_id) as cursor:
            cursor.execute(LAST_OF_BATCH.format(**names), params)
            last = cursor.fetchone()
            cursor.execute(DELETE.format(**names), params | {"last": last[0] if last else cutoff})
            deleted += int(cursor.rowcount)
        if not last:
            return deleted
