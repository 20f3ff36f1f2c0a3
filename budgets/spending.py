"""Sums what was spent by day, and forecasts the running month of a workspace."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from budgets.forecasts import first_history_day, forecast_of
from budgets.periods import DAY, Days, calendar_days, today
from budgets.planned import planned_days, planned_loads
from methods.forecast import Forecast, NoForecast
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import rows
from traces.engines.protocol import RollupState
from traces.filters import Filters, FilterValues
from workspaces.models import Workspace

USER = "user_number"
"""The key of users in the sums."""


class Spending(NamedTuple):
    """The running month, its spend so far, and what the whole month is expected to cost."""

    start: datetime
    end: datetime
    spend_usd: Decimal
    forecast: Forecast | NoForecast


class DaySpend(TypedDict):
    timestamp: datetime
    spend_usd: Decimal


DAY_SPEND = """
SELECT {bucket} AS timestamp, sum(cost_usd) AS spend_usd
FROM {calls} AS calls
GROUP BY 1
"""


def period(workspace: Workspace, now: datetime) -> tuple[datetime, datetime]:
    """Returns start and end of the calendar month around `now` in the workspace's time zone."""
    return calendar_days("month", today(now, workspace.zone)).moments(workspace.zone)


def spending(workspace: Workspace, now: datetime | None = None) -> Spending:
    """Returns the spend of the running month, and its forecast from the days of the last twelve weeks."""
    now = now or datetime.now(UTC)
    month, this_day = calendar_days("month", today(now, workspace.zone)), today(now, workspace.zone)
    days = Days(first_history_day(month, this_day), month.until)
    by_day = spend_by_day(workspace, days)
    planned = planned_days(planned_loads([workspace], days).get(workspace.pk, ()), workspace, {})
    spend_usd = sum((by_day[day] for day in by_day if day >= month.first), Decimal(0))
    forecast = forecast_of(by_day, month, spend_usd, now, workspace.zone, planned)
    return Spending(*month.moments(workspace.zone), spend_usd, forecast)


def spend_by_day(
    workspace: Workspace, days: Days, values: dict[str, FilterValues] | None = None
) -> dict[date, Decimal]:
    """Returns the spend of each day of the workspace's zone, 0 where nothing was spent."""
    filters = spend_filters(workspace.pk, workspace.zone, days, values)
    found = rows(
        DAY_SPEND,
        filters.params,
        row_type=DaySpend,
        bucket=bucket_sql(filters),
        calls=spend_sql(filters, by_bucket=True),
    )
    spent = {row["timestamp"].astimezone(workspace.zone).date(): row["spend_usd"] for row in found}
    return {day: spent.get(day, Decimal(0)) for day in (days.first + i * DAY for i in range(days.length))}


def spend_filters(
    workspace_id: UUID, zone: ZoneInfo, days: Days, values: dict[str, FilterValues] | None = None
) -> Filters:
    return Filters(workspace_id, *days.moments(zone), granularity="daily", zone=zone, values=values or {})


def spend_sql(filters: Filters, *keys: str, by_bucket: bool = False, state: RollupState | None = None) -> str:
    """Returns the cost by time and by `keys`. The figures of users come from the sums by user."""
    if USER in {*keys, *filters.active_filters}:
        others = (key for key in keys if key != USER)
        return sums.users_sql(filters, *others, by_bucket=by_bucket, state=state)
    return sums.calls_sql(filters, *keys, "cost_usd", by_bucket=by_bucket, state=state)
