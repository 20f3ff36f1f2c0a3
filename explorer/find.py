"""Finds what the search of all pages looks for: pages, traces, sessions, users, agents, models and tools.

Ids of traces and sessions are looked for among the newest spans, and a whole id among all. So a search takes the same
time however many rows there are.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from analytics.navigation import groups
from analytics.pages import matching_choices, uncached
from analytics.query_string import MAX_WINDOW, parse_filters
from analytics.templatetags.links import ONE_OF, TOOL, iso
from explorer.search_hits import search_hits
from explorer.trace_filters import patterns
from explorer.views import page_context
from traces.buckets import midnight
from traces.db import rows
from traces.filters import Filters
from traces.text import NAME_LENGTH
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

NEWEST_SPANS = 20_000
SHOWN = 5
"""Of each kind."""
KINDS = {"trace_id": "Trace", "session_id": "Session", "user_id": "User"}
NAMED = {"agent_id": "Agent", "model": "Model", TOOL: "Tool"}
"""What has few names: they are found in the sums of all stored time."""
IDS = """
WITH newest AS (
    SELECT trace_id, session_id, timestamp
    FROM traces
    WHERE workspace_id = %(workspace_id)s
    ORDER BY timestamp DESC
    LIMIT %(newest_spans)s
), found AS (
    SELECT 'trace_id' AS kind, trace_id AS value, max(timestamp) AS last_seen
    FROM newest
    WHERE trace_id ILIKE ANY(%(patterns)s::text[])
    GROUP BY trace_id
    UNION ALL
    SELECT 'session_id', session_id, max(timestamp)
    FROM newest
    WHERE session_id ILIKE ANY(%(patterns)s::text[])
    GROUP BY session_id
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY last_seen DESC, value) AS place
    FROM found
)
SELECT kind, value
FROM ranked
WHERE place <= %(shown)s
ORDER BY kind DESC, place
"""


class Hit(NamedTuple):
    kind: str
    value: str
    address: str


@require_safe
@page_access
def find_page(request: WorkspaceRequest) -> HttpResponse:
    """Renders the page of what is found. The only thing that is found is opened at once."""
    search, listed = found(request)
    if len(listed) == 1:
        return redirect(listed[0].address)
    context = page_context(request) | {"search": search, "hits": listed}
    return uncached(render(request, "explorer/find.html", context))


@require_safe
@workspace_access("read")
def found_panel(request: WorkspaceRequest) -> HttpResponse:
    search, listed = found(request)
    context = {"workspace": request.workspace, "search": search, "hits": listed}
    return uncached(render(request, "explorer/_found.html", context))


def found(request: WorkspaceRequest) -> tuple[str, list[Hit]]:
    """Returns the text that is looked for, and what has it in its name."""
    search = request.GET.get("q", "").strip()
    if not search or "\0" in search or len(search) > NAME_LENGTH:
        return "", []
    with request_slot(request.workspace.id):
        return search, [*hits(request.workspace, search)]


def hits(workspace: Workspace, search: str) -> Iterator[Hit]:
    """Yields what has the text in its name: pages, then what has few names, then the ids, the newest first."""
    for entry in chain(*groups()):
        if search.lower() in entry.title.lower():
            yield Hit("Page", entry.title, f"{entry.address}?{urlencode({'workspace': str(workspace.id)})}")
    filters = stored_time(workspace)
    for name, kind in NAMED.items():
        for choice in matching_choices(name, search, filters, workspace)[:SHOWN]:
            yield hit(workspace, name, kind, choice["value"])
    for name, value in dict.fromkeys([*exact(workspace.id, search), *ids(workspace.id, search)]):
        yield hit(workspace, name, KINDS[name], value)


def exact(workspace_id: UUID, search: str) -> Iterator[tuple[str, str]]:
    whole = search_hits(workspace_id, search)
    if whole.trace_id:
        yield "trace_id", whole.trace_id
    if whole.session_id:
        yield "session_id", whole.session_id
    for user_id in whole.user_ids:
        yield "user_id", user_id


def ids(workspace_id: UUID, search: str) -> list[tuple[str, str]]:
    params = {
        "workspace_id": workspace_id,
        "patterns": patterns(search, with_json=False),
        "newest_spans": NEWEST_SPANS,
        "shown": SHOWN,
    }
    return [(row["kind"], row["value"]) for row in rows(IDS, params)]


def hit(workspace: Workspace, name: str, kind: str, value: str) -> Hit:
    query = {"workspace": str(workspace.id)}
    if name == "model":
        return Hit(kind, value, f"{reverse('usage-page')}?{urlencode(query | {'model': value})}")
    page = "trace-page" if name == "trace_id" else ONE_OF[name]
    return Hit(kind, value, f"{reverse(page, args=[value])}?{urlencode(query)}")


def stored_time(workspace: Workspace) -> Filters:
    """Returns filters for the longest window until tonight, which is the same window all day long."""
    end = midnight(datetime.now(UTC).date() + timedelta(days=1), workspace.zone)
    query = QueryDict(urlencode({"start": iso(end - MAX_WINDOW), "end": iso(end), "granularity": "monthly"}))
    return parse_filters(query, workspace.id, zone=workspace.zone)
