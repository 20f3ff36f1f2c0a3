"""Links that change one thing of the page's address and keep the rest: a link shows the same page to everyone.

They are only the query string, so that each leads to the page it stands on.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.http import QueryDict

from traces.filters import DIMENSIONS, Filters

register = template.Library()

WINDOW = ("range", "start", "end", "granularity")
PAGE_ONLY = ("workspace", "was")
"""What stands in a page's address and is no business of the endpoints."""


def page_query(context: template.Context) -> QueryDict:
    """A panel's own address lacks what only the page's has."""
    request = context["request"]
    query: QueryDict = request.GET.copy()
    for name in ("limit", "search"):
        query.pop(name, None)
    if request.htmx:
        page = QueryDict(urlsplit(request.htmx.current_url or "").query)
        if "was" in page:
            query["was"] = page["was"]
    query["workspace"] = str(context["workspace"].id)
    return query


@register.simple_tag(takes_context=True)
def narrowed(context: template.Context, **changes: str | None) -> str:
    """None takes a parameter out."""
    query = page_query(context)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def narrowed_to(context: template.Context, name: str, value: str | None) -> str:
    return narrowed(context, **{name: value})


@register.simple_tag(takes_context=True)
def panel_query(context: template.Context, limit: int | None = None) -> str:
    """The page's own question, as its panels ask it."""
    query = context["request"].GET.copy()
    for name in PAGE_ONLY:
        query.pop(name, None)
    if limit:
        query["limit"] = str(limit)
    return f"?{query.urlencode()}" if query else ""


@register.simple_tag(takes_context=True)
def wider(context: template.Context) -> str:
    """Back to the window before a click on a bucket, the last 24 hours where there was none."""
    query = page_query(context)
    earlier = QueryDict(query.get("was", ""))
    for name in (*WINDOW, "was"):
        query.pop(name, None)
        if name in earlier:
            query[name] = earlier[name]
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def unfiltered(context: template.Context) -> str:
    query = page_query(context)
    for dimension in DIMENSIONS:
        query.pop(dimension.name, None)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def buckets(context: template.Context, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each point with its times, whether it is cut by the window's edge, and the link that narrows to it."""
    filters: Filters = context["filters"]
    base = narrowing_base(context)
    found = []
    for point in points:
        start = datetime.fromisoformat(point["timestamp"])
        end = start + filters.bucket
        link = None
        if filters.granularity != "minute":
            window = QueryDict(mutable=True)
            window["start"], window["end"] = iso(max(start, filters.start)), iso(min(end, filters.end))
            link = f"{base}&{window.urlencode()}"
        found.append(point | {"starts": start, "note": note(start, end, filters), "link": link})
    return found


def narrowing_base(context: template.Context) -> str:
    query = page_query(context)
    was = QueryDict(mutable=True)
    for name in (*WINDOW, "was"):
        if name in query:
            was[name] = query.pop(name)[0]
    query["was"] = was.urlencode()
    return f"?{query.urlencode()}"


def note(start: datetime, end: datetime, filters: Filters) -> str:
    """Of a bucket that the window's edge cuts: its number must not look like a rise or fall."""
    if end > filters.end:
        return "so far" if filters.range else "cut short"
    return "in part" if start < filters.start else ""


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


@register.simple_tag
def points(series: list[dict[str, Any]], field: str, filters: Filters) -> list[float | None]:
    """Values for a sparkline, without the buckets that the window's edges cut."""
    whole = [
        point[field]
        for point in series
        if filters.start <= datetime.fromisoformat(point["timestamp"])
        and datetime.fromisoformat(point["timestamp"]) + filters.bucket <= filters.end
    ]
    return whole if len(whole) > 2 else [point[field] for point in series]


@register.simple_tag(takes_context=True)
def day_before(context: template.Context, moment: datetime) -> str:
    """The 24 hours that end just after `moment`."""
    end = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return narrowed(context, range=None, granularity=None, was=None, start=iso(end - timedelta(days=1)), end=iso(end))


@register.filter
def item(query: QueryDict, name: str) -> str | None:
    return query.get(name)
