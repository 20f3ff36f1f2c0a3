"""Makes links that change one part of the page's URL and leave the rest, so that everyone sees the same page.

Each link is only a query string, so that it leads to the page that contains it.
"""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import QueryDict

from traces.filters import DIMENSIONS, Filters
from web.problems import check_deadline

register = template.Library()

LONGEST_CHANGE = timedelta(hours=2)
"""A change of clocks makes no bucket longer by more."""
WINDOW = ("range", "start", "end", "granularity")
PAGE_ONLY = ("workspace", "was")
"""Parameters of a page that the endpoints do not take. `was` is the window before a click on a bucket."""


def page_query(context: template.Context) -> QueryDict:
    """Returns the query string of the page, also to a panel, whose own URL lacks the parameters in PAGE_ONLY."""
    request = context["request"]
    query: QueryDict = request.GET.copy()
    for name in ("limit", "search"):
        query.pop(name, None)
    if request.htmx:
        # Not urlsplit: it fails for some texts, and a client may send any.
        page = QueryDict((request.htmx.current_url or "").partition("?")[2].partition("#")[0])
        if "was" in page:
            query["was"] = page["was"]
    query["workspace"] = str(context["workspace"].id)
    return query


@register.simple_tag(takes_context=True)
def page_link(context: template.Context, **changes: str | None) -> str:
    """Returns a link that sets the parameters in `changes`. None removes a parameter."""
    query = page_query(context)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def filter_link(context: template.Context, name: str, value: str | None) -> str:
    """Returns a link that filters by this value of the dimension `name`. None removes the filter."""
    return page_link(context, **{name: value})


@register.simple_tag(takes_context=True)
def panel_query(context: template.Context, limit: int | None = None) -> str:
    """Returns the page's parameters as its panels send them to their endpoints."""
    query = context["request"].GET.copy()
    for name in PAGE_ONLY:
        query.pop(name, None)
    if limit:
        query["limit"] = str(limit)
    return f"?{query.urlencode()}" if query else ""


@register.simple_tag(takes_context=True)
def back_link(context: template.Context) -> str:
    """Returns a link to the window before a click on a bucket; to the default window without such a click."""
    query = page_query(context)
    earlier = QueryDict(query.get("was", ""))
    for name in (*WINDOW, "was"):
        query.pop(name, None)
        if name in earlier:
            query[name] = earlier[name]
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def no_filters_link(context: template.Context) -> str:
    query = page_query(context)
    for dimension in DIMENSIONS:
        query.pop(dimension.name, None)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def day_link(context: template.Context, moment: datetime) -> str:
    """Returns a link to the 24 hours that end just after `moment`."""
    end = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return page_link(context, range=None, granularity=None, was=None, start=iso(end - timedelta(days=1)), end=iso(end))


@register.simple_tag(takes_context=True)
def buckets(context: template.Context, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds to each point its start, a note if the window cuts it, and a link to a page of this bucket only."""
    filters: Filters = context["filters"]
    base = bucket_link_base(context)
    starts = [datetime.fromisoformat(point["timestamp"]) for point in points]
    ends = [*starts[1:], *map(filters.bucket_end, starts[-1:])]
    linked_points = []
    for point, start, end in zip(points, starts, ends, strict=True):
        check_deadline()
        link = None
        if filters.granularity != "minute":
            window = QueryDict(mutable=True)
            window["start"], window["end"] = iso(max(start, filters.start)), iso(min(end, filters.end))
            link = f"{base}&{window.urlencode()}"
        linked_points.append(point | {"starts": start, "note": note(start, end, filters), "link": link})
    return linked_points


def bucket_link_base(context: template.Context) -> str:
    """Returns the page's query string with its window moved into `was`, which back_link reads."""
    query = page_query(context)
    was = QueryDict(mutable=True)
    for name in (*WINDOW, "was"):
        if name in query:
            was[name] = query.pop(name)[0]
    query["was"] = was.urlencode()
    return f"?{query.urlencode()}"


def note(start: datetime, end: datetime, filters: Filters) -> str:
    """Returns a note on a bucket that an edge of the window cuts: its number must not look like a rise or fall."""
    if end > filters.end:
        return "so far" if filters.range else "cut short"
    return "in part" if start < filters.start else ""


def is_cut(start: datetime, filters: Filters) -> bool:
    """Returns whether an edge of the window cuts the bucket that begins at `start`."""
    if filters.start <= start and start + filters.bucket + LONGEST_CHANGE <= filters.end:
        return False  # most buckets, without looking at the calendar
    return note(start, filters.bucket_end(start), filters) != ""


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


@register.filter
def parameter(query: QueryDict, name: str) -> str | None:
    return query.get(name)
