"""Finds what a message says beside the event: who contributed, what it cost, and the pages that show it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse
from typing_extensions import TypedDict

from alerts.comparisons import OF_LAST_WEEK, OK, UNUSUAL
from alerts.metrics import metric_of
from alerts.models import AlertEvent
from analytics import query
from analytics.query import Point
from analytics.query_parameters import Parameters
from analytics.templatetags.links import iso
from budgets.models import PER_DIMENSIONS
from insights import change_parameters
from insights.change_parameters import OF_USERS
from insights.changes import changes
from traces import engines
from traces.filters import Filters, FilterValues
from web.problems import Problem, transient_cause

CONTRIBUTORS = 3
DIMENSIONS = ("agent_id", "model", "user_id", "environment")
"""By which a change is explained: the first that the event does not fix."""
SORTS = {"cost-page": "costliest", "performance-page": "slowest"}
SORT_WORDS = {"costliest": "The dearest traces", "slowest": "The slowest traces", "newest": "The newest traces"}
FAILURES = ("errors", "error_rate")


class Contributor(TypedDict):
    dimension: str
    value: str
    change: float


def window_of(event: AlertEvent) -> tuple[datetime, datetime]:
    """Returns the time that the event is about: of a recovery the whole time that is over."""
    if event.state == OK:
        return event.since, event.at
    length = 60 if event.details["comparison"] == UNUSUAL else event.details["window_minutes"]
    return event.at - timedelta(minutes=length), event.at


def values_of(event: AlertEvent) -> dict[str, FilterValues]:
    """Returns the filters of the rule, narrowed to the group."""
    filters: Mapping[str, Any] = event.details["filters"]
    names = dict.fromkeys(name.removeprefix("not_") for name in filters)
    values = {n: FilterValues(tuple(filters.get(n, ())), tuple(filters.get(f"not_{n}", ()))) for n in names}
    return values | ({group_dimension(event): FilterValues((event.group,))} if event.group else {})


def group_dimension(event: AlertEvent) -> str:
    per: str = event.details["per"]
    return PER_DIMENSIONS.get(per, per)


def filters_of(event: AlertEvent) -> Filters:
    start, end = window_of(event)
    zone = event.workspace.zone
    return Filters(event.workspace_id, start, end, "daily", limit=20, values=values_of(event), zone=zone)


def complete(event: AlertEvent) -> None:
    """Adds to the details of an event what only the sums can tell, once. Where they do not answer, it is left out."""
    if "contributors" in event.details or event.budget_event is not None:
        return
    try:
        found = engines.recompute_if_hour_closed(lambda: found_in_sums(event))
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return
    event.details |= found
    # The message may be sent later, with newer figures. The stored event keeps the figures of its own moment.
    AlertEvent.objects.filter(pk=event.pk, at=event.at).update(details=event.details)


def found_in_sums(event: AlertEvent) -> dict[str, Any]:
    if event.state == OK:
        return {"contributors": [], "cost_usd": cost_usd(filters_of(event))}
    return {"contributors": contributors(event)}


def cost_usd(filters: Filters) -> float | None:
    found = query.figures(Parameters(("calls", "cost_usd")), filters)
    cost = found.values.get(Point("total"), {}).get("cost_usd")
    return None if cost is None else float(cost)


def contributors(event: AlertEvent) -> list[Contributor]:
    """Returns the values that changed the measure most since the window that it is compared with."""
    measure = metric_of(event.details["metric"]).explained_by
    by = explaining_dimension(event, measure)
    if not measure or not by:
        return []
    compare: Any = "last_week" if event.details["comparison"] in OF_LAST_WEEK else "previous"
    parameters = change_parameters.Parameters(measure, by, compare, None, None)  # type: ignore[arg-type]
    try:
        found = changes(parameters, filters_of(event))
    except Problem:
        return []
    totals: dict[str, float] = {}
    for line in found["contributions"]:
        if line["value"] is not None:
            totals[line["value"]] = totals.get(line["value"], 0.0) + line["contribution"]
    largest = sorted(totals.items(), key=lambda item: -abs(item[1]))[:CONTRIBUTORS]
    return [{"dimension": by, "value": value, "change": change} for value, change in largest if change]


def explaining_dimension(event: AlertEvent, measure: str) -> str:
    fixed = {name for name, values in values_of(event).items() if len(values.included) == 1}
    if "user_id" in fixed and measure not in OF_USERS:
        return ""
    free = (name for name in DIMENSIONS if name not in fixed and (name != "user_id" or measure in OF_USERS))
    return next(free, "")


# --- Links ---


def link(name: str, *args: Any, **parameters: Any) -> str:
    return f"{settings.PUBLIC_URL}{path_of(name, *args, **parameters)}"


def path_of(name: str, *args: Any, **parameters: Any) -> str:
    return f"{reverse(name, args=args)}?{urlencode(parameters, doseq=True)}"


def page_parameters(event: AlertEvent) -> dict[str, Any]:
    """Returns the parameters of a page with the same window and filters."""
    start, end = window_of(event)
    parameters: dict[str, Any] = {"workspace": event.workspace_id, "start": iso(start), "end": iso(end)}
    for name, values in values_of(event).items():
        if values.included:
            parameters[name] = values.included
        if values.excluded:
            parameters[f"not_{name}"] = values.excluded
    return parameters


def paths(event: AlertEvent) -> list[tuple[str, str]]:
    """Returns the pages that show what the event is about, each with its words. The first is the most useful."""
    return [*evidence(event), ("This alert", path_of("alert-event", event.pk, workspace=event.workspace_id))]


def evidence(event: AlertEvent) -> list[tuple[str, str]]:
    if event.budget_event is not None:
        if event.budget_id is None:
            return []
        return [("The budget", path_of("budget-page", event.budget_id, workspace=event.workspace_id))]
    metric, parameters = metric_of(event.details["metric"]), page_parameters(event)
    return [
        (f"{metric.words}: the page of this window", path_of(metric.page, **parameters)),
        (traces_words(event), path_of("traces-page", **parameters, **traces_parameters(event))),
    ]


def traces_parameters(event: AlertEvent) -> dict[str, str]:
    if event.details["metric"] in FAILURES:
        return {"has_error": "true"}
    return {"sort": SORTS.get(metric_of(event.details["metric"]).page, "newest")}


def traces_words(event: AlertEvent) -> str:
    if event.details["metric"] in FAILURES:
        return "The failed traces"
    return SORT_WORDS[traces_parameters(event)["sort"]]
