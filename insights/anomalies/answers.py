"""Makes the answer of `/api/v1/insights/anomalies` from what was found and what is stored."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from insights.anomalies import findings
from insights.anomalies.parameters import AnomalyState, Parameters
from insights.anomalies.search import Looked, Result, Unusual, unusual
from insights.models import Finding, FindingState
from methods.anomalies import Measure
from workspaces.models import Workspace


class AnomalyImpact(TypedDict):
    usd: float | None
    """Dollars more than usual, below 0: fewer. Null for latency and errors."""
    calls: float | None
    """Calls more than usual; of errors the failed ones; of latency all calls of these hours."""
    users: int | None
    """Who called in these hours."""
    percent_of_day: float
    """How much that is of a usual day of the workspace."""


class AnomalyContributor(TypedDict):
    dimension: str
    value: str
    amount: float
    """In these hours: dollars, calls or errors; of latency the time in ms that the calls took together."""
    usual: float


class AlsoUnusual(TypedDict):
    measure: Measure
    value: float
    expected: float


class AnomalyItem(TypedDict):
    id: UUID
    measure: Measure
    scope: dict[str, str | None]
    """The narrowest calls that explain it; empty: all calls."""
    start: datetime
    end: datetime
    """In the workspace's time zone: the end of the last unusual hour."""
    value: float
    """Dollars, calls or errors of all its unusual hours; of latency their mean 95th percentile in ms."""
    expected: float
    impact: AnomalyImpact
    also: list[AlsoUnusual]
    """Other measures of the same calls that were unusual in the same hours."""
    contributors: list[AnomalyContributor]
    """Of each other dimension the value that changed most in the same hours, the largest change first."""
    sentence: str
    state: AnomalyState
    reason: str
    first_seen: datetime | None
    """When the hourly job found it; null: it has not yet."""


class SeriesLookedAt(TypedDict):
    dimension: str | None
    series: int
    """The largest by calls or spend."""
    of: int


class AnomalyAnswer(TypedDict):
    data: list[AnomalyItem]
    """What matters most first."""
    more: int
    """So many others pass the filters too."""
    start: datetime
    end: datetime
    looked_at: list[SeriesLookedAt]


def answer(workspace: Workspace, parameters: Parameters) -> AnomalyAnswer:
    found: Result = unusual(workspace, parameters.start, parameters.end)
    stored = findings.stored_between(workspace, parameters.start, parameters.end)
    items = [item(event, findings.stored_of(event, stored)) for event in found.events]
    planned = [planned_item(one) for one in stored if one.state == FindingState.PLANNED and not is_listed(one, items)]
    passing = [one for one in (*items, *planned) if passes(one, parameters)]
    return {
        "data": passing[: parameters.limit],
        "more": max(len(passing) - parameters.limit, 0),
        "start": parameters.start,
        "end": parameters.end,
        "looked_at": [looked_at(one) for one in found.looked_at],
    }


def is_listed(finding: Finding, items: Sequence[AnomalyItem]) -> bool:
    return any(one["id"] == finding.pk for one in items)


def passes(one: AnomalyItem, parameters: Parameters) -> bool:
    impact = one["impact"]
    known = (impact["usd"], impact["calls"], impact["users"], impact["percent_of_day"])
    amounts = zip(known, parameters.floors, strict=True)
    return (
        (not parameters.measures or not measures_of(one).isdisjoint(parameters.measures))
        and parameters.state in ("all", one["state"])
        and all(not floor or abs(amount or 0) >= floor for amount, floor in amounts)
        and all(one["scope"].get(name) in values for name, values in parameters.scope)
    )


def measures_of(one: AnomalyItem) -> set[str]:
    return {one["measure"], *(other["measure"] for other in one["also"])}


def item(event: Unusual, stored: Finding | None) -> AnomalyItem:
    anomaly = event.anomaly
    return {
        "id": stored.pk if stored else event.id,
        "measure": event.measure,
        "scope": dict(event.scope),
        "start": anomaly.start,
        "end": anomaly.end,
        "value": anomaly.value,
        "expected": anomaly.expected,
        "impact": {
            "usd": event.impact.usd,
            "calls": event.impact.calls,
            "users": event.impact.users,
            "percent_of_day": event.impact.share_of_day * 100,
        },
        "also": [
            {"measure": one.measure, "value": one.anomaly.value, "expected": one.anomaly.expected} for one in event.also
        ],
        "contributors": [
            {"dimension": one.dimension, "value": one.value, "amount": one.amounts[0], "usual": one.amounts[1]}
            for one in event.contributors
        ],
        "sentence": event.sentence,
        **decision(stored),
    }


def planned_item(stored: Finding) -> AnomalyItem:
    """Returns a finding whose hours are planned, as it was when it was found: they are no longer looked at."""
    zone = stored.workspace.zone
    return {
        "id": stored.pk,
        "measure": stored.measure,  # type: ignore[typeddict-item]
        "scope": stored.scope,
        "start": stored.starts_at.astimezone(zone),
        "end": stored.ends_at.astimezone(zone),
        "value": stored.value,
        "expected": stored.expected,
        "impact": {
            "usd": stored.impact_usd,
            "calls": stored.impact_calls,
            "users": stored.impact_users,
            "percent_of_day": 0.0,
        },
        "also": [],
        "contributors": [],
        "sentence": stored.sentence,
        **decision(stored),
    }


class Decision(TypedDict):
    state: AnomalyState
    reason: str
    first_seen: datetime | None


def decision(stored: Finding | None) -> Decision:
    if stored is None:
        return {"state": "open", "reason": "", "first_seen": None}
    return {"state": stored.state, "reason": stored.reason, "first_seen": stored.first_seen}  # type: ignore[typeddict-item]


def looked_at(one: Looked) -> SeriesLookedAt:
    return {"dimension": one.dimension, "series": one.series, "of": one.all_values}
