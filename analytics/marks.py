"""Marks charts over time with what happened: annotations, and what the apps above this one have found.

Each of these apps names functions in `chart_marks` of its AppConfig.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.apps import apps
from django.urls import reverse
from django.utils.module_loading import import_string

from traces.filters import Filters
from workspaces.annotations import about, annotations_between
from workspaces.models import Annotation

MOST_MARKS = 20
"""Of one chart: the newest."""


class Mark(NamedTuple):
    start: datetime
    end: datetime | None
    """None: it is a moment."""
    name: str
    link: str
    colour: str


Source = Callable[[Filters, tuple[str, ...]], Iterable[Mark]]
"""Returns the marks of a window on a chart that shows these measures."""


def marks_of(filters: Filters, measures: tuple[str, ...]) -> list[Mark]:
    """Returns what happened in the window, oldest first. `measures` are spend, calls, latency or errors."""
    found = [*annotation_marks(filters), *(mark for source in sources() for mark in source(filters, measures))]
    return sorted(found, key=lambda mark: mark.start)[-MOST_MARKS:]


@cache
def sources() -> list[Source]:
    names = (name for app in apps.get_app_configs() for name in getattr(app, "chart_marks", ()))
    return [import_string(name) for name in names]


def annotation_marks(filters: Filters) -> list[Mark]:
    included = {name: values.included for name, values in filters.values.items()}
    found = annotations_between(filters.workspace_id, filters.start, filters.end)
    return [annotation_mark(one, filters) for one in about(found, included)]


def annotation_mark(one: Annotation, filters: Filters) -> Mark:
    link = f"{reverse('annotation-page', args=[one.pk])}?workspace={filters.workspace_id}"
    return Mark(one.starts_at, one.ends_at, f"{one.get_kind_display()}: {one.label}", link, "--primary")
