"""Marks unusual hours on charts over time."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse

from analytics.marks import Mark
from analytics.templatetags.links import iso
from insights.anomalies.words import WHAT, scope_words
from insights.models import Finding, FindingState
from traces.filters import Filters
from workspaces.annotations import is_contradicted


def finding_marks(filters: Filters, measures: tuple[str, ...]) -> Iterable[Mark]:
    """Yields the unusual hours in the window that nobody has dismissed, for calls that pass the filters."""
    included = {name: values.included for name, values in filters.values.items()}
    found = Finding.objects.filter(
        workspace=filters.workspace_id,
        measure__in=measures,
        state=FindingState.OPEN,
        starts_at__lt=filters.end,
        ends_at__gt=filters.start,
    )
    for one in found.order_by("-starts_at", "id")[:20]:
        if not is_contradicted({name: [value] for name, value in one.scope.items()}, included):
            yield Mark(one.starts_at, one.ends_at, words(one), link(one), "--warning")


def words(one: Finding) -> str:
    return f"Unusual: {WHAT[one.measure].removeprefix('p95 ').lower()}{scope_words(one.scope)}"  # type: ignore[index]


def link(one: Finding) -> str:
    query = {"workspace": str(one.workspace_id), "start": iso(one.starts_at), "end": iso(one.ends_at)}
    return f"{reverse('anomalies-page')}?{urlencode(query)}#anomaly-{one.pk}"
