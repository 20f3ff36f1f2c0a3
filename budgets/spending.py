"""Computes the running month's spend and its projection, which docs/budgets.md explains."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypedDict
from uuid import UUID

from traces import engines, sums
from traces.db import row, rows
from traces.filters import Filters
from workspaces.models import Workspace


class Spending(NamedTuple):
    """The running month, its spend so far, and the projected spend of the whole month."""

    start: datetime
    end: datetime
    spend_usd: Decimal
    projected_usd: Decimal


class MonthSums(TypedDict):
    spend_usd: Decimal
    rest_usd: Decimal
    """Cost of the rest of the month, if each of its hours costs as much as it usually does."""
    has_history: bool
    """True if there are four weeks of data, from which the usual cost is known."""


class MonthSpend(TypedDict):
    workspace_id: UUID
    spend_usd: Decimal


MONTH_SPEND = "SELECT '{}'::uuid AS workspace_id, coalesce(sum(cost_usd), 0) AS spend_usd FROM {} AS calls"


def period(workspace: Workspace, now: datetime) -> tuple[datetime, datetime]:
    """Returns start and end of the calendar month around `now` in the workspace's time zone."""
    start = now.astimezone(workspace.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    end = (start + timedelta(days=32)).replace(day=1)
    return start.astimezone(UTC), end.astimezone(UTC)


def spending(workspace: Workspace, now: datetime | None = None) -> Spending:
    now = now or datetime.now(UTC)
    start, end = period(workspace, now)
    month = Filters(workspace.pk, start, end, granularity="daily")
    usual = Filters(workspace.pk, now - timedelta(days=28), now, granularity="hourly")
    month_sums = row(
        """
        WITH usual AS (
            SELECT
                extract(isodow FROM time_bucket('1 hour', timestamp) AT TIME ZONE %(zone)s) AS day,
                extract(hour FROM time_bucket('1 hour', timestamp) AT TIME ZONE %(zone)s) AS hour,
                sum(cost_usd) AS cost_usd
            FROM {recent} AS calls
            GROUP BY 1, 2
        ), hours AS (
            SELECT
                extract(isodow FROM starts AT TIME ZONE %(zone)s) AS day,
                extract(hour FROM starts AT TIME ZONE %(zone)s) AS hour,
                -- Each hour of the week comes four times, but three or five where a clock change skips or repeats it.
                sum(greatest(extract(
                    epoch FROM least(starts + interval '1 hour', %(now)s)
                        - greatest(starts, %(now)s - interval '28 days')
                ) / 3600, 0)) AS past,
                sum(greatest(extract(
                    epoch FROM least(starts + interval '1 hour', %(end)s) - greatest(starts, %(now)s)
                ) / 3600, 0)) AS ahead
            FROM generate_series(
                time_bucket('1 hour', %(now)s - interval '28 days'),
                %(end)s - interval '1 microsecond',
                interval '1 hour'
            ) AS starts
            GROUP BY 1, 2
        )
        SELECT
            (
                SELECT coalesce(sum(cost_usd), 0)
                FROM {month} AS calls
            ) AS spend_usd,
            (
                SELECT coalesce(sum(cost_usd * ahead / NULLIF(past, 0)), 0)
                FROM usual
                JOIN hours USING (day, hour)
            ) AS rest_usd,
            EXISTS (
                SELECT
                FROM traces
                WHERE workspace_id = %(workspace_id)s
                  AND timestamp < %(now)s - interval '28 days'
            ) AS has_history
        """,
        month.params | {"zone": workspace.time_zone, "now": now},
        row_type=MonthSums,
        recent=sums.calls_sql(usual, "cost_usd", by_bucket=True),
        month=sums.calls_sql(month, "cost_usd"),
    )
    spend_usd = month_sums["spend_usd"]
    if month_sums["has_history"]:
        return Spending(start, end, spend_usd, spend_usd + month_sums["rest_usd"])
    elapsed = max(now - start, timedelta(hours=1))  # the pace of the first minutes is not that of the month
    return Spending(start, end, spend_usd, spend_usd * max(Decimal((end - start) / elapsed), Decimal(1)))


def spend_of_month(workspaces: Sequence[Workspace], now: datetime) -> dict[UUID, Decimal]:
    """Returns the spend of many workspaces at once, each over its own month."""
    months = [Filters(workspace.pk, *period(workspace, now), granularity="daily") for workspace in workspaces]
    if not months:
        return {}
    states = engines.rollup_states(*(month.workspace_id for month in months))
    spends = (
        MONTH_SPEND.format(month.workspace_id, sums.calls_sql(month, "cost_usd", state=states[month.workspace_id]))
        for month in months
    )
    month_spends = rows(" UNION ALL ".join(spends), months[0].params, row_type=MonthSpend)
    return {month["workspace_id"]: month["spend_usd"] for month in month_spends}
