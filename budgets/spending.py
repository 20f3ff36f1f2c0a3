"""The running month's spend and where it is heading; docs/budgets.md explains the projection."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from analytics.db import row, rows
from budgets.models import Status as Status
from workspaces.models import Workspace


class Spending(NamedTuple):
    start: datetime
    end: datetime
    spend_usd: Decimal
    projected_usd: Decimal


def period(workspace: Workspace, now: datetime) -> tuple[datetime, datetime]:
    """The calendar month around `now` in the workspace's time zone, as moments."""
    start = now.astimezone(workspace.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    end = (start + timedelta(days=32)).replace(day=1)
    return start.astimezone(UTC), end.astimezone(UTC)


def spending(workspace: Workspace, now: datetime | None = None) -> Spending:
    now = now or datetime.now(UTC)
    start, end = period(workspace, now)
    found = row(
        """
        WITH usual AS (
            SELECT
                extract(isodow FROM time_bucket('1 hour', timestamp) AT TIME ZONE %(zone)s) AS day,
                extract(hour FROM time_bucket('1 hour', timestamp) AT TIME ZONE %(zone)s) AS hour,
                sum(cost_usd) / 4 AS cost_usd
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(now)s - interval '28 days' AND timestamp < %(now)s
              AND cost_usd IS NOT NULL
            GROUP BY 1, 2
        ), ahead AS (
            SELECT
                extract(isodow FROM starts AT TIME ZONE %(zone)s) AS day,
                extract(hour FROM starts AT TIME ZONE %(zone)s) AS hour,
                extract(
                    epoch FROM least(starts + interval '1 hour', %(end)s) - greatest(starts, %(now)s)
                ) / 3600 AS hours
            FROM generate_series(
                time_bucket('1 hour', %(now)s),
                %(end)s - interval '1 microsecond',
                interval '1 hour'
            ) AS starts
        )
        SELECT
            (
                SELECT coalesce(sum(cost_usd), 0)
                FROM traces
                WHERE workspace_id = %(workspace_id)s
                  AND timestamp >= %(start)s AND timestamp < %(end)s
            ) AS spend_usd,
            (
                SELECT coalesce(sum(cost_usd * hours), 0)
                FROM ahead
                JOIN usual USING (day, hour)
            ) AS rest_usd,
            EXISTS (
                SELECT
                FROM traces
                WHERE workspace_id = %(workspace_id)s
                  AND timestamp < %(now)s - interval '28 days'
            ) AS has_history
        """,
        {"workspace_id": workspace.pk, "zone": workspace.time_zone, "now": now, "start": start, "end": end},
    )
    spend_usd = found["spend_usd"]
    if found["has_history"]:
        return Spending(start, end, spend_usd, spend_usd + found["rest_usd"])
    elapsed = max(now - start, timedelta(hours=1))  # the first minutes of a month say nothing of its pace
    return Spending(start, end, spend_usd, spend_usd * max(Decimal((end - start) / elapsed), Decimal(1)))


def spend_of_month(workspaces: Sequence[Workspace], now: datetime) -> dict[UUID, Decimal]:
    """Of many workspaces at once, each over its own month."""
    periods = [period(workspace, now) for workspace in workspaces]
    found = rows(
        """
        SELECT
            workspace_id,
            coalesce(sum(cost_usd), 0) AS spend_usd
        FROM unnest(%(ids)s::uuid[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
            AS asked (workspace_id, month_start, month_end)
        JOIN traces USING (workspace_id)
        WHERE timestamp >= month_start AND timestamp < month_end
        GROUP BY workspace_id
        """,
        {
            "ids": [workspace.pk for workspace in workspaces],
            "starts": [start for start, _ in periods],
            "ends": [end for _, end in periods],
        },
    )
    nothing = dict.fromkeys((workspace.pk for workspace in workspaces), Decimal(0))
    return nothing | {month["workspace_id"]: month["spend_usd"] for month in found}
