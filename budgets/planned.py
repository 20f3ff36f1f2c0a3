"""Finds the days that annotations call planned: forecasts do not learn from them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from budgets.periods import DAY, Days
from traces.buckets import UTC_ZONE
from traces.filters import FilterValues
from workspaces.annotations import about, planned_of
from workspaces.models import Annotation, Workspace

MOMENT = timedelta(microseconds=1)
Planned = Mapping[UUID, Sequence[Annotation]]
"""The planned loads of each workspace."""


def planned_loads(workspaces: Iterable[Workspace], days: Days) -> Planned:
    """Returns the planned loads of these days, in one question for all workspaces."""
    start, end = days.first - DAY, days.until + DAY  # a day of any zone lies between these days of UTC
    return planned_of({workspace.pk for workspace in workspaces}, *Days(start, end).moments(UTC_ZONE))


def planned_days(loads: Sequence[Annotation], workspace: Workspace, values: Mapping[str, FilterValues]) -> set[date]:
    """Returns the days of the workspace's zone that a planned load touches, for calls that pass the filters."""
    found = about(loads, {name: filtered.included for name, filtered in values.items()})
    return {day for one in found for day in days_of(one, workspace)}


def days_of(load: Annotation, workspace: Workspace) -> list[date]:
    last_moment = (load.ends_at or load.starts_at) - MOMENT
    first, last = (moment.astimezone(workspace.zone).date() for moment in (load.starts_at, last_moment))
    return [first + number * DAY for number in range((last - first).days + 1)]
