"""Renders the dashboard pages: each is a shell with panels, which the page answers at first, and which then poll."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.context import ZONE
from analytics import page_questions, query_string, splits
from analytics.answers import SERIES_TTL_SECONDS, answer_data
from analytics.catalogue import PAGES, Page, metrics_of
from analytics.first_view import FirstView
from analytics.page_questions import LABEL_NAMES, Choice
from analytics.query_string import NOT
from analytics.templatetags.links import LIST_ONLY, PAGE_ONLY, SPLITS, TOOL, WINDOW, iso, page_parameters
from analytics.templatetags.times import CALENDAR_WORDS
from traces.buckets import BUCKETS
from traces.filters import DIMENSIONS, LABEL_PREFIX, RANGES, Filters, FilterValues
from traces.text import NAME_LENGTH
from web.declared_access import View, public
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.models import Workspace
from workspaces.time_zones import time_zones

LABELS = {dimension.name: dimension.label for dimension in DIMENSIONS} | {LABEL_NAMES: "Label", "zone": "Zone"}
LABELS |= {TOOL: "Tool"}
"""Of each list, for people."""
ALWAYS_SHOWN = ("agent_id", "model", "environment", "release")
"""The filters that have a place in the bar without a value too. The menu of filters has the others."""
LED_BY = ("workspace", *WINDOW, "zone")
"""The parameters that lead from `/` to the first page."""
MAX_CHOICES = 100
Response = TypeVar("Response", bound=HttpResponseBase)
CUSTOM_WINDOW = {"from": "start", "to": "end"}
"""The fields of the form of the window, and the parameters that they become."""


def dashboard(page: Page) -> View:
    """Makes the view of a page."""

    @require_safe
    @page_access
    def view(request: WorkspaceRequest) -> HttpResponseBase:
        query = own_query(request)
        context = {"page": page} | shell_context(request, query)
        try:
            if "from" in query or "to" in query:
                return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
            filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
            context["splits"] = splits.splits_of(request.GET)
        except Problem as problem:
            return bad_query(request, context, problem)
        first_view = FirstView(request)
        context |= {"metrics": metrics_of(page), "first_view": first_view}
        context |= controls(filters, query, request.workspace)
        return uncached(first_view.response(render_to_string("analytics/page.html", context, request)))

    return view


def own_query(request: WorkspaceRequest, kept: Iterable[str] = ()) -> QueryDict:
    """Returns the parameters of the address without those of pages; `kept` are those of this page."""
    query = request.GET.copy()
    for name in {*PAGE_ONLY} - {*kept}:
        query.pop(name, None)
    return query


def shell_context(request: WorkspaceRequest, query: QueryDict) -> dict[str, Any]:
    """Returns the variables that every page with the bar has, also without a valid address."""
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
    }


def bad_query(request: WorkspaceRequest, context: dict[str, Any], problem: Problem) -> HttpResponse:
    """Renders the page of an address that is not valid, with the bar of what is valid in it, from which to go on.

    A fault of the window stands in the form of the window, beside what was written there.
    """
    wrong = {str(error["loc"][1]): error["msg"] for error in problem.errors}
    query = valid_part(request, wrong)
    filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    context |= {"problem": problem, "splits": {}} | controls(filters, query, request.workspace)
    for field, name in CUSTOM_WINDOW.items():
        if message := wrong.get(field) or wrong.get(name):
            context |= {"window_error": message, "wrong_field": field}
        context[field] = request.GET.get(field) or local_text(request.GET.get(name), filters.zone) or context[field]
    return uncached(render(request, "analytics/bad_query.html", context, status=422))


def valid_part(request: WorkspaceRequest, wrong: dict[str, str]) -> QueryDict:
    """Returns the filters and the zone of the address without what is wrong, and its window if nothing of it is."""
    window = (*WINDOW, *CUSTOM_WINDOW)
    is_window_wrong = any(name in wrong for name in window)
    query = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        is_known = query_string.is_filter(name) or name == "zone" or (name in WINDOW and not is_window_wrong)
        if is_known and name not in wrong:
            query.setlist(name, values)
    try:
        query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        more = {str(error["loc"][1]) for error in problem.errors} - wrong.keys()
        return valid_part(request, wrong | dict.fromkeys(more, "")) if more else QueryDict()
    return query


def local_text(text: str | None, zone: ZoneInfo) -> str:
    """Returns a time of the address as the form of the window writes it; nothing for what is no time."""
    try:
        return local_minute(datetime.fromisoformat(text or "").astimezone(UTC), zone)
    except (ValueError, OverflowError):
        return ""


def controls(
    filters: Filters, query: QueryDict, workspace: Workspace, tool: FilterValues | None = None
) -> dict[str, Any]:
    """Returns the variables of the bar above the panels. `tool` is the filter of the pages that have one."""
    return {
        "filters": filters,
        "filter_lists": [
            *(
                filter_list(name, filters.values.get(name, FilterValues()))
                for name in dict.fromkeys([*ALWAYS_SHOWN, *filters.active_names])
            ),
            *([] if tool is None else [filter_list(TOOL, tool)]),
            filter_list("zone", FilterValues((filters.zone.key,) if filters.zone != workspace.zone else ())),
        ],
        "other_filters": [
            {"name": name, "label": label}
            for name, label in LABELS.items()
            if name not in (*ALWAYS_SHOWN, *filters.values, "zone", TOOL)
        ],
        "kept_parameters": [
            (name, value)
            for name, values in query.lists()
            if name not in (*WINDOW, "from", "to", "cursor")
            for value in values
        ],
        "granularities": granularities(filters),
        "from": local_minute(filters.start, filters.zone),
        "to": local_minute(filters.end, filters.zone),
        "running_windows": CALENDAR_WORDS.items(),
        "windows": calendar_windows(filters.zone),
    }


def filter_list(name: str, values: FilterValues) -> dict[str, Any]:
    """Returns the variables of a filter's list, and of its place in the bar."""
    if name.startswith(LABEL_PREFIX):
        label = name.removeprefix(LABEL_PREFIX)
        return {"name": name, "route": LABEL_NAMES, "of": label, "label": label, "values": values}
    return {"name": name, "route": name, "of": None, "label": LABELS[name], "values": values}


def granularities(filters: Filters) -> list[str]:
    """Returns the granularities that fit the window, and the one in use.

    A granularity fits if its buckets are not too many and not wider than the window.
    """
    length = max(filters.end - filters.start, timedelta(minutes=1))
    fitting = [
        name
        for name, width in BUCKETS.items()
        if width <= length and query_string.bucket_count(filters, name) <= query_string.MAX_BUCKETS
    ]
    return [*fitting, *({filters.granularity} - {*fitting})]


def local_minute(moment: datetime, zone: ZoneInfo) -> str:
    """Formats a time for an input of the type datetime-local."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def calendar_windows(zone: ZoneInfo) -> list[dict[str, str]]:
    """Returns windows of whole days and months of the zone."""
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    named = {
        "Yesterday": (today - timedelta(days=1), today),
        "Previous 7 days": (today - timedelta(days=7), today),
        f"{month - timedelta(days=1):%B}": ((month - timedelta(days=1)).replace(day=1), month),
        f"{month:%B} until today": (month, today),
    }
    return [
        {"name": name, "start": iso(start.astimezone(UTC)), "end": iso(end.astimezone(UTC))}
        for name, (start, end) in named.items()
        if start < end
    ]


def custom_window(query: QueryDict, workspace: Workspace) -> QueryDict:
    """Replaces the form's wall-clock times by times in UTC, so that the link shows everyone the same window."""
    window_query = query.copy()
    for name in ("range", "granularity", "was"):
        window_query.pop(name, None)
    for field, name in CUSTOM_WINDOW.items():
        window_query.pop(field, None)
        moment = parse_wall_clock(field, query.get(field, ""), reader_zone(query, workspace))
        if field == "from" and moment > datetime.now(UTC):
            raise invalid_window(field, "must not be in the future")
        window_query[name] = iso(moment)
    return window_query


def invalid_window(field: str, message: str) -> Problem:
    return Problem(422, "The window is not valid.", [{"loc": ["query", field], "msg": message}])


def reader_zone(query: QueryDict, workspace: Workspace) -> ZoneInfo:
    """Returns the zone that the page is shown in. A name that is no zone is refused after the redirect."""
    name = query.get("zone")
    return ZoneInfo(name) if name in time_zones() else workspace.zone


def parse_wall_clock(field: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        wall_clock = datetime.fromisoformat(text)
        return wall_clock.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_window(field, "must be a date and time like 2026-11-23T10:00") from error


@require_safe
@workspace_access("read")
def choices(request: WorkspaceRequest, name: str) -> HttpResponse:
    """Renders the values that a filter list offers, those with the most calls in the window first."""
    if name == "zone":
        return zone_choices(request)
    if name in SPLITS:
        return split_choices(request, name)
    if name not in LABELS:
        raise Http404
    query = request.GET.copy()
    search, label, menu = (query.pop(parameter, [""])[-1] for parameter in LIST_ONLY)
    if label and name == LABEL_NAMES:
        name = query_string.label_name(label)
    filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    values = tool_of(page_parameters(request)) if name == TOOL else filters.values.get(name, FilterValues())
    shown = filter_list(name, values)
    if menu:
        return uncached(render(request, "_filter_list.html", shown | {"workspace": request.workspace, "is_menu": True}))
    return choice_list(request, matching_choices(name, search, filters, request.workspace), search, **shown)


def tool_of(query: QueryDict) -> FilterValues:
    return FilterValues(tuple(query.getlist(TOOL)), tuple(query.getlist(f"{NOT}{TOOL}")))


def split_choices(request: WorkspaceRequest, parameter: str) -> HttpResponse:
    """Renders the dimensions that contain the text, and the names of the labels of the window's calls."""
    query = request.GET.copy()
    search, *_ = (query.pop(name, [""])[-1] for name in LIST_ONLY)
    filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    names = matching_choices(LABEL_NAMES, search, filters, request.workspace)
    labels = [splits.Offer(f"{LABEL_PREFIX}{choice['value']}", choice["value"]) for choice in names]
    columns = splits.offers(parameter) if parameter == "split" else []
    found = [offer for offer in columns if search.strip().lower() in offer.label.lower()]
    context = {"parameter": parameter, "offers": found, "labels": labels[:MAX_CHOICES], "search": search}
    return uncached(render(request, "analytics/_split_choices.html", context | {"workspace": request.workspace}))


def zone_choices(request: WorkspaceRequest) -> HttpResponse:
    """Renders the time zones that a reader may look in: first the workspace's and UTC."""
    workspace_zone = request.workspace.time_zone
    zones = dict.fromkeys([workspace_zone, "UTC", *sorted(time_zones())])
    search = request.GET.get("search", "")
    # People type the blank of New York, not its underscore.
    part = search.strip().replace(" ", "_").lower()
    offered: list[Choice] = [{"value": zone, "calls": None} for zone in zones if part in zone.lower()]
    all_label = f"The workspace's: {workspace_zone}"
    return choice_list(
        request,
        offered,
        search,
        all_label=all_label,
        **filter_list("zone", FilterValues(tuple(request.GET.getlist("zone")))),
    )


def choice_list(request: WorkspaceRequest, matching: list[Choice], search: str, **context: Any) -> HttpResponse:
    context_of_list = {
        "choices": matching[:MAX_CHOICES],
        "not_shown": len(matching) - MAX_CHOICES,
        "search": search,
        "workspace": request.workspace,
    }
    return uncached(render(request, "analytics/_choices.html", context_of_list | context))


def uncached(response: Response) -> Response:
    response["Cache-Control"] = "private, no-store"
    return response


def matching_choices(name: str, search: str, filters: Filters, workspace: Workspace) -> list[Choice]:
    """Returns the values that contain the text, at most 1,000. None has a NUL or more than NAME_LENGTH characters."""
    if "\0" in search or len(search) > NAME_LENGTH:
        return []
    choices: page_questions.Choices = answer_data(
        page_questions.choices_of(name, search), filters, workspace, SERIES_TTL_SECONDS
    )
    return choices["data"]


@public
def first_page(request: WorkspaceRequest) -> HttpResponse:
    """Leads to the first page, with the workspace and the window of the address.

    The time zone is the one that the visitor has chosen, and links keep it from there on.
    """
    query = {name: request.GET[name] for name in LED_BY if name in request.GET}
    if zone := request.session.get(ZONE):
        query.setdefault("zone", zone)
    address = reverse(PAGES[0].name)
    return redirect(f"{address}?{urlencode(query)}" if query else address)
