"""Finds the annotations of a time, and says which calls they are about."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from workspaces.models import Annotation, AnnotationKind

MOST_ANNOTATIONS = 500
"""In one answer: the newest."""


def annotations_between(workspace_id: UUID, start: datetime, end: datetime) -> list[Annotation]:
    """Returns the annotations that touch the window, oldest first. One without an end is a moment."""
    found = Annotation.objects.filter(workspace=workspace_id, starts_at__lt=end)
    found = found.annotate(last=Coalesce(F("ends_at"), F("starts_at")))
    touching = found.filter(Q(last__gt=start) | Q(starts_at__gte=start)).order_by("-starts_at", "id")
    return [*reversed(touching[:MOST_ANNOTATIONS])]


def planned_between(workspace_id: UUID, start: datetime, end: datetime) -> list[Annotation]:
    return planned_of([workspace_id], start, end).get(workspace_id, [])


def planned_of(workspace_ids: Collection[UUID], start: datetime, end: datetime) -> dict[UUID, list[Annotation]]:
    """Returns the planned loads that touch the window, by workspace, in one question."""
    found: dict[UUID, list[Annotation]] = {}
    loads = Annotation.objects.filter(workspace__in=workspace_ids, kind=AnnotationKind.PLANNED)
    for one in loads.filter(starts_at__lt=end, ends_at__gt=start):
        found.setdefault(one.workspace_id, []).append(one)
    return found


def concerns(annotation: Annotation, included: Mapping[str, Collection[str]]) -> bool:
    """Returns whether calls with these values of dimensions can be among those that the annotation is about.

    A dimension that either does not name is no contradiction: a load of one agent is in the workspace's spend too.
    """
    return not is_contradicted(annotation.filters, included)


def is_contradicted(filters: Mapping[str, Collection[str]], included: Mapping[str, Collection[str]]) -> bool:
    """Returns whether no call passes both."""
    return any(included.get(name) and {*values}.isdisjoint(included[name]) for name, values in filters.items())


def overlap(annotation: Annotation, start: datetime, end: datetime) -> bool:
    return annotation.starts_at < end and (annotation.ends_at or annotation.starts_at) > start


def about(annotations: Sequence[Annotation], included: Mapping[str, Collection[str]]) -> list[Annotation]:
    return [one for one in annotations if concerns(one, included)]
