"""Makes links that change one part of the page's URL and leave the rest, so that everyone sees the same page.

Each link is only a query string, so that it leads to the page that contains it.
"""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import QueryDict
from django.urls import reverse

from analytics.query_string import NOT, is_filter
from traces.filters import Filters
from web.problems import check_deadline

register = template.Library()

LONGEST_CHANGE = timedelta(hours=2)
"""A change of clocks makes no bucket longer by more."""
WINDOW = ("range", "start", "end", "granularity")
LIST_ONLY = ("search", "of", "menu")
"""Parameters of a filter list. `of` is the label whose values it shows, and `menu` asks for its search too."""
TOOL = "tool"
"""The filter of the pages that count tool calls or list traces. It is no dimension of model calls."""
TOOL_FILTERS = (TOOL, f"{NOT}{TOOL}")
QUERY = ("measures", "by", "order", "compare", "tool", "not_tool")
"""Parameters of the page Explore, which its links keep."""
CHANGES = ("measure", "by", "compare", "before_start", "before_end")
"""Parameters of the page that says why something changed, which its links keep."""
WHAT_IF = ("target", "tier", "cache_share", "price_date")
"""Parameters of the page that prices calls as something else, which its links keep."""
COMPARED = tuple(f"{name}{part}" for name in "abcd" for part in ("", "_start", "_end"))
"""Parameters of the page that compares slices, which its links keep."""
TRACES = ("q", "min_latency_ms", "min_cost_usd", "has_error", "sort", "columns", "live", "cursor", "tool", "not_tool")
"""Parameters of the list of traces, which its links keep."""
REPORT = ("kind", "paper", "subject")
"""Parameters of the page of one report, which its links keep."""
SPLITS = ("split", "cost_by")
"""Parameters of a page that name a dimension: by it charts are split, and the panel of costs lists them."""
LISTED = ("sort", "cursor")
"""Parameters of a list, which other pages do not take."""
DASHBOARD = ("screen", "theme", "edit", "panel", "add")
"""Parameters of the page of a dashboard: how it is shown, and what is edited."""
VARIABLE_PREFIX = "var."
"""Before the name of a variable of a dashboard, whose value the page's address has."""
PAGE_ONLY = tuple(
    dict.fromkeys(
        ("workspace", "was", *REPORT, *SPLITS, *QUERY, *CHANGES, *WHAT_IF, *COMPARED, *TRACES, *LISTED, *DASHBOARD)
    )
)
"""Parameters of a page that the endpoints do not take. `was` is the window before a click on a bucket."""


def is_page_only(name: str) -> bool:
    return name in PAGE_ONLY or name.startswith(VARIABLE_PREFIX)


def page_query(context: template.Context) -> QueryDict:
    """Returns the query string of the page, also to a panel, whose own URL lacks the parameters in PAGE_ONLY."""
    query = page_parameters(context["request"])
    for name in ("limit", "cursor", *LIST_ONLY):
        query.pop(name, None)
    query["workspace"] = str(context["workspace"].id)
    return query


def page_parameters(request: Any) -> QueryDict:
    """Returns the parameters of the page that the browser shows.

    The page about one agent has no filter in its address, but its panels have: their links lead to this agent's calls.
    """
    query: QueryDict = request.GET.copy()
    if request.htmx and (address := request.htmx.current_url):
        # Not urlsplit: it fails for some texts, and a client may send any.
        query = QueryDict(address.partition("?")[2].partition("#")[0], mutable=True)
        for name, values in request.GET.lists():
            if is_filter(name) or name in TOOL_FILTERS:
                query.setlist(name, values)
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


def elsewhere(context: template.Context) -> QueryDict:
    """Returns the parameters that links to other pages keep: of the page, or of a panel with filters of its own."""
    query: QueryDict = context["elsewhere"].copy() if "elsewhere" in context else page_query(context)
    for name in [name for name in query if name.startswith(VARIABLE_PREFIX)]:
        query.pop(name)
    return query


def elsewhere_link(context: template.Context, **changes: str | None) -> str:
    """Returns the query string of a link to another page. It sets the parameters in `changes`, and None removes one."""
    query = elsewhere(context)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


ONE_OF = {"agent_id": "agent-page", "user_id": "user-page", "session_id": "session-page", "tool": "tool-page"}
"""The page of one, by the dimension that names it."""


@register.simple_tag(takes_context=True)
def one_link(context: template.Context, name: str, value: str | None) -> str:
    """Returns the address of what there is about this value of the dimension `name`; nothing for calls without one.

    Where no page is about one value, these are its traces. It keeps the window and the other filters.
    """
    if not value:
        return ""
    if name not in ONE_OF:
        return value_traces_link(context, name, value)
    return reverse(ONE_OF[name], args=[value]) + elsewhere_link(
        context, **dict.fromkeys((name, f"{NOT}{name}", *LISTED))
    )


LIST_OF = {"agent_id": "agents-page", "user_id": "users-page", "session_id": "sessions-page", "tool": "tools-page"}
"""The list of all values of a dimension, where there is one."""
MOST_LISTED = 100


@register.simple_tag(takes_context=True)
def all_link(context: template.Context, by: str, measures: str = "calls") -> str:
    """Returns the address of the list of all values of the dimension `by`, or of the query with the most of them."""
    if by in LIST_OF:
        return reverse(LIST_OF[by]) + elsewhere_link(context, **dict.fromkeys((by, f"{NOT}{by}", *QUERY, *LISTED)))
    asked = {"by": by, "measures": measures, "limit": str(MOST_LISTED), "granularity": None, "order": None}
    return reverse("query-page") + elsewhere_link(context, **asked, **dict.fromkeys(SPLITS))


@register.simple_tag(takes_context=True)
def split_link(context: template.Context, parameter: str, dimension: str | None) -> str:
    """Returns a link that sets a parameter in SPLITS. None removes it. It leads to the panel, if only one changes."""
    link = page_link(context, **{parameter: dimension})
    return f"{link}#panel-cost-by-model" if parameter == "cost_by" else link


@register.simple_tag(takes_context=True)
def panel_url(context: template.Context, metric: Any) -> str:
    """Returns the address of what the panel of a metric of the catalogue shows on this page."""
    panel = metric.panel
    dimension = split_of(context, panel)
    if dimension is None:
        return reverse(metric.name) + (panel_query(context, limit=panel.limit) if panel.has_filters else "")
    split = panel.split
    granularity = context["filters"].granularity if split.is_series else ""
    by = dimension.replace(",", "\\,")
    asked = {"measures": ",".join(split.asked_measures), "by": by, "granularity": granularity, "limit": split.limit}
    if split.ranked_by:
        asked["order"] = f"-{split.ranked_by}"
    return reverse("query") + panel_query(context, **asked)


def split_of(context: template.Context, panel: Any) -> str | None:
    """Returns the dimension that the page's address names for the panel."""
    dimension: str | None = context["splits"].get(panel.split.parameter) if panel.split else None
    return dimension


@register.simple_tag(takes_context=True)
def filter_link(context: template.Context, name: str, value: str | None) -> str:
    """Returns a link that filters by only this value of the dimension `name`. None removes the filter."""
    query = page_query(context)
    query.pop(f"{NOT}{name}", None)
    query.setlist(name, [] if value is None else [value])
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def toggle_link(context: template.Context, name: str, value: str) -> str:
    """Returns a link that adds this value to the filter `name`, or removes it."""
    query = page_query(context)
    toggle(query, name, value)
    remove(query, f"{NOT}{name}", value)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def exclude_link(context: template.Context, name: str, value: str) -> str:
    """Returns a link that excludes this value of the dimension `name`, or excludes it no longer."""
    query = page_query(context)
    toggle(query, f"{NOT}{name}", value)
    remove(query, name, value)
    return f"?{query.urlencode()}"


def toggle(query: QueryDict, name: str, value: str) -> None:
    if value in query.getlist(name):
        remove(query, name, value)
    else:
        query.appendlist(name, value)


def remove(query: QueryDict, name: str, value: str) -> None:
    query.setlist(name, [other for other in query.getlist(name) if other != value])


@register.simple_tag(takes_context=True)
def panel_query(context: template.Context, **more: str | int | None) -> str:
    """Returns the page's parameters, and more, as its panels and filter lists send them to their endpoints.

    An empty text removes a parameter.
    """
    query = context["request"].GET.copy()
    for name in [name for name in query if is_page_only(name) or name in LIST_ONLY]:
        query.pop(name)
    for name, value in more.items():
        if value is not None:
            query.pop(name, None)
        if value:
            query[name] = str(value)
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
def traces_link(context: template.Context, **changes: str | None) -> str:
    """Returns a link to the list of traces in this window and under these filters, with the parameters in `changes`."""
    return f"{reverse('traces-page')}{elsewhere_link(context, **{'granularity': None, 'was': None, **changes})}"


@register.simple_tag(takes_context=True)
def value_traces_link(context: template.Context, name: str, value: str, **changes: str) -> str:
    """Returns a link to the traces with this value of the dimension `name`, under the other filters of the page."""
    return traces_link(context, **{f"{NOT}{name}": None, name: value}, **(dict.fromkeys(LISTED) | changes))


@register.simple_tag(takes_context=True)
def traces_page_link(context: template.Context, cursor: str | None) -> str:
    """Returns a link to a page of the list of traces; None: its first. The list is a panel of the page."""
    query = page_query(context)
    query.pop("live", None)
    if cursor:
        query["cursor"] = cursor
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def why_link(context: template.Context, measure: str, by: str = "") -> str:
    """Returns a link to the page that says why a measure changed since the window before, under the same filters."""
    entity, is_agent = context.get("entity"), False
    changes: dict[str, str | None] = dict.fromkeys((*QUERY, *CHANGES, *SPLITS, *TRACES, *LISTED, "granularity", "was"))
    if (filters := context.get("filters")) and filters.range:
        changes["range"] = filters.range  # the default of one page is not that of another
    if context.get("key") and entity and entity.dimension:
        # The page of one user or agent has no filter in its address.
        changes[entity.dimension], is_agent = context["key"], entity.dimension == "agent_id"
    return reverse("why-page") + elsewhere_link(
        context, **changes | {"measure": measure, "by": by or ("model" if is_agent else "agent_id")}
    )


@register.simple_tag(takes_context=True)
def annotate_link(context: template.Context) -> str:
    """Returns a link to the form of an annotation of the page's window; nothing on a page without one."""
    filters: Filters | None = context.get("filters")
    if filters is None:
        return ""
    zone = context["workspace"].zone
    times = {
        name: f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" for name, at in (("from", filters.start), ("until", filters.end))
    }
    query = QueryDict(mutable=True)
    query.update({"workspace": str(context["workspace"].id), **times})
    return f"{reverse('annotations-page')}?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def what_if_link(context: template.Context, model: str | None = None) -> str:
    """Returns a link to the page that prices the calls of this page, or those of one model, as something else."""
    changes: dict[str, str | None] = dict.fromkeys((*QUERY, *SPLITS, *LISTED, "granularity", "was"))
    if model is not None:
        changes |= {"model": model, f"{NOT}model": None}
    return reverse("what-if-page") + elsewhere_link(context, **changes)


@register.simple_tag(takes_context=True)
def compare_link(context: template.Context, by: str) -> str:
    """Returns a link to the page that compares the two largest values of a dimension, under the same filters."""
    changes: dict[str, str | None] = dict.fromkeys((*QUERY, *COMPARED, *SPLITS, *TRACES, *LISTED, "granularity", "was"))
    if (filters := context.get("filters")) and filters.range:
        changes["range"] = filters.range
    return reverse("compare-page") + elsewhere_link(context, **changes | {"by": by})


@register.simple_tag(takes_context=True)
def no_filters_link(context: template.Context) -> str:
    query = page_query(context)
    for name in [name for name in query if is_filter(name) or name in TOOL_FILTERS]:
        query.pop(name)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def day_link(context: template.Context, moment: datetime) -> str:
    """Returns a link to the 24 hours that end just after `moment`."""
    end = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return page_link(context, range=None, granularity=None, was=None, start=iso(end - timedelta(days=1)), end=iso(end))


@register.simple_tag(takes_context=True)
def buckets(context: template.Context, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds to each point its start, a note if the window cuts it, and links to this bucket only: page and traces."""
    filters: Filters = context["filters"]
    base = bucket_link_base(page_query(context))
    traces = reverse("traces-page") + bucket_link_base(elsewhere(context))
    starts = [datetime.fromisoformat(point["timestamp"]) for point in points]
    ends = [*starts[1:], *map(filters.bucket_end, starts[-1:])]
    linked_points = []
    for point, start, end in zip(points, starts, ends, strict=True):
        check_deadline()
        window = QueryDict(mutable=True)
        window["start"], window["end"] = iso(max(start, filters.start)), iso(min(end, filters.end))
        bucket = window.urlencode()
        is_wide = filters.granularity != "minute"
        links = {"link": f"{base}&{bucket}" if is_wide else None, "traces": f"{traces}&{bucket}"}
        linked_points.append(point | {"starts": start, "note": note(start, end, filters), **links})
    return linked_points


def bucket_link_base(query: QueryDict) -> str:
    """Returns the query string with its window moved into `was`, which back_link reads."""
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


@register.filter
def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


@register.filter
def parameter(query: QueryDict, name: str) -> str | None:
    return query.get(name)
