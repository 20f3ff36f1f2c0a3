"""Stores unusual hours as they are found, and what people decide about them.

The figures are computed anew whenever somebody looks; the stored ones say what was known when. A stored finding
belongs to computed hours of the same direction that it overlaps and that are unusual in its measure: later rows may
move their start, and may make another measure tell them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from insights.anomalies import search
from insights.anomalies.search import Unusual
from insights.models import Finding, FindingState
from methods.anomalies import Measure
from web.problems import Problem
from workspaces.models import Annotation, AnnotationKind, Workspace

LOOKED_BACK = timedelta(hours=26)
"""Each hour the job looks at so much again: rows may arrive late."""
FOUND_AGAIN = timedelta(days=31)
"""A decision about hours that no job has stored looks so far back for them."""


def stored_between(workspace: Workspace, start: datetime, end: datetime) -> list[Finding]:
    found = Finding.objects.filter(workspace=workspace, starts_at__lt=end, ends_at__gt=start)
    return [*found.select_related("workspace")]


def stored_of(event: Unusual, findings: Sequence[Finding]) -> Finding | None:
    """Returns the stored finding of the same hours; None: there is none yet."""
    same = [one for one in findings if is_same(event, one)]
    return min(same, key=lambda one: event.measures.index(one.measure), default=None)


def is_same(event: Unusual, finding: Finding) -> bool:
    overlap = finding.starts_at < event.anomaly.end and event.anomaly.start < finding.ends_at
    return overlap and finding.measure in event.measures and finding.is_rise == event.is_rise


def store_new(workspace: Workspace, now: datetime) -> list[Finding]:
    """Stores what is unusual in the last day. Returns what nobody had found before. It may run any number of times."""
    start = now - LOOKED_BACK
    found = search.unusual(workspace, start, now, now).events
    known = stored_between(workspace, start, now)
    return [stored for event in found for stored in [store(workspace, event, known, now)] if stored]


def store(workspace: Workspace, event: Unusual, known: list[Finding], now: datetime) -> Finding | None:
    """Stores an event, or brings its finding up to date. Returns the finding if it is new."""
    stored = stored_of(event, known)
    if stored is None:
        created, is_new = Finding.objects.get_or_create(
            workspace=workspace,
            measure=event.measure,
            is_rise=event.is_rise,
            starts_at=event.anomaly.start,
            defaults=values_of(event) | {"id": event.id, "first_seen": now},
        )
        known.append(created)
        return created if is_new else None
    if stored.state == FindingState.OPEN:
        Finding.objects.filter(pk=stored.pk).update(measure=event.measure, **values_of(event))
    return None


def values_of(event: Unusual) -> dict[str, Any]:
    return {
        "scope": dict(event.scope),
        "ends_at": event.anomaly.end,
        "value": event.anomaly.value,
        "expected": event.anomaly.expected,
        "impact_usd": event.impact.usd,
        "impact_calls": event.impact.calls,
        "impact_users": event.impact.users,
        "sentence": event.sentence,
    }


def find(workspace: Workspace, finding_id: UUID) -> Finding:
    """Returns the finding with this id, or raises a 404 Problem. Hours that no job has stored yet are stored now."""
    stored = Finding.objects.filter(workspace=workspace, pk=finding_id).first()
    if stored:
        return stored
    now = timezone.now()
    found = search.unusual(workspace, now - FOUND_AGAIN, now, now).events
    event = next((one for one in found if one.id == finding_id), None)
    if event is None:
        raise Problem(404, "The workspace has no such anomaly.")
    known = stored_between(workspace, event.anomaly.start, event.anomaly.end)
    store(workspace, event, known, now)
    return Finding.objects.get(pk=stored_of(event, known).pk)  # type: ignore[union-attr]


@transaction.atomic
def decide(workspace: Workspace, finding_id: UUID, state: str, reason: str, who: str) -> Finding:
    """Dismisses hours, calls them planned, or opens them again. Planned hours become an annotation."""
    known = find(workspace, finding_id)
    finding = Finding.objects.select_for_update().get(pk=known.pk)  # two requests at once make one annotation
    if finding.annotation and state != FindingState.PLANNED:
        finding.annotation.delete()
        finding.annotation = None
    if state == FindingState.PLANNED and finding.annotation is None:
        finding.annotation = planned_annotation(finding, reason, who)
    finding.state, finding.reason = state, reason
    finding.decided_by, finding.decided_at = who, timezone.now()
    finding.save()
    Workspace.change_epoch(workspace.pk)
    return finding


def planned_annotation(finding: Finding, reason: str, who: str) -> Annotation:
    return Annotation.objects.create(
        workspace_id=finding.workspace_id,
        kind=AnnotationKind.PLANNED,
        label=(reason or "Planned")[:100],
        text=finding.sentence[:2000],
        starts_at=finding.starts_at,
        ends_at=finding.ends_at,
        filters={name: [value] for name, value in finding.scope.items()},
        author=who[:150],
    )


def unusual_since(
    workspace_id: UUID,
    since: datetime,
    measures: Sequence[Measure] = (),
    min_usd: float = 0,
    min_calls: float = 0,
    min_users: float = 0,
) -> list[Finding]:
    """Returns the open findings first seen at `since` or later that are worth at least so much, oldest first.

    For alert rules: it reads the stored findings, one question that takes a millisecond. A floor that is above 0 leaves
    out findings whose impact of this kind is unknown.
    """
    found = Finding.objects.filter(workspace=workspace_id, first_seen__gte=since, state=FindingState.OPEN)
    if measures:
        found = found.filter(measure__in=measures)
    floors = {"impact_usd": min_usd, "impact_calls": min_calls, "impact_users": min_users}
    return [
        one
        for one in found.order_by("first_seen", "id")
        if all(not floor or abs(getattr(one, name) or 0) >= floor for name, floor in floors.items())
    ]
