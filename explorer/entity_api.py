"""Makes the API endpoints of sessions, users, agents and tools: a list of each, and one of each.

To htmx a list answers with its table, and one of each with a part of its page.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, get_type_hints

import orjson
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from analytics import query_string
from analytics.answers import OVERVIEW_TTL_SECONDS, SERIES_TTL_SECONDS, answer, answer_data, as_json
from analytics.cache import Answer as CachedAnswer
from analytics.csv_answer import data_response
from analytics.page_questions import newest_span
from analytics.query_string import within_calendar
from analytics.views import with_query_errors
from explorer import agents, sessions, tools, users
from explorer.api import parsed_query
from explorer.listing import ListKind, Page, errors_of, parse
from explorer.sessions import SessionAnswer, TracePlace
from explorer.trace import is_an_id
from traces.filters import Filters
from web.declared_access import View
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.request_slots import request_slot

NO_SESSION = "This workspace has no such session."
Answer = Mapping[str, Any]
One = Callable[[Filters, str], Answer]


@dataclass(frozen=True)
class Entity:
    """Something that has a list, and answers about one of it."""

    kind: ListKind
    word: str
    """One of it, for people."""
    id_name: str
    """Of its id in answers."""
    list_of: Callable[[Filters, Page], Answer]
    one: One | None
    """None: it has no window, and a view of its own."""
    dimension: str = ""
    """The filter that selects only one."""

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def title(self) -> str:
        return self.name.title()


ENTITIES = {
    entity.name: entity
    for entity in (
        Entity(sessions.SESSIONS, "session", "session_id", sessions.session_page, None, "session_id"),
        Entity(users.USERS, "user", "user_id", users.users, users.user, "user_id"),
        Entity(agents.AGENTS, "agent", "agent_id", agents.agents, agents.agent, "agent_id"),
        Entity(tools.TOOLS, "tool", "tool", tools.tools, tools.tool),
    )
}
"""By name, in the order of the navigation."""


def list_view(entity: Entity) -> View:
    """Makes the view of a list."""

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest) -> HttpResponse:
        page, filters = parse(request.GET, request.workspace.id, entity.kind, zone=request.workspace.zone)
        result = answer(named(entity, page), filters, request.workspace, SERIES_TTL_SECONDS)
        body = with_totals(request, entity, filters, result.body)
        response = (
            list_panel(request, entity, page, filters, body) if request.htmx else data(request, entity, filters, body)
        )
        response["X-Cache"] = "hit" if result.is_hit else "miss"
        response["Age"] = str(result.age_seconds)
        return private(response)

    return with_query_errors(view, errors_of(entity.kind))


def data(request: WorkspaceRequest, entity: Entity, filters: Filters, body: bytes) -> HttpResponse:
    return data_response(request.GET, body, entity.name, filters, get_type_hints(entity.list_of)["return"])


def named(entity: Entity, page: Page) -> Callable[[Filters], Answer]:
    def question(filters: Filters) -> Answer:
        return entity.list_of(filters, page)

    question.__name__ = f"{entity.name} {page!r} "  # the cache uses this name in the keys of its answers
    return question


def with_totals(request: WorkspaceRequest, entity: Entity, filters: Filters, body: bytes) -> bytes:
    """Adds the totals of all sessions, which are computed less often: unlike the page, they need the whole window."""
    if entity.kind is not sessions.SESSIONS:
        return body
    totals = answer_data(sessions.session_totals, filters, request.workspace, OVERVIEW_TTL_SECONDS)
    return orjson.dumps(totals | orjson.loads(body))


def list_panel(request: WorkspaceRequest, entity: Entity, page: Page, filters: Filters, body: bytes) -> HttpResponse:
    context = {
        "data": orjson.loads(body),
        "filters": filters,
        "page": page,
        "entity": entity,
        "workspace": request.workspace,
    }
    return render(request, f"explorer/{entity.name}.html", context)


def one_view(entity: Entity, one: One) -> View:
    """Makes the view of one user, agent or tool: any name has an answer, as any value of a filter has."""

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest, **path: str) -> HttpResponse:
        key = path[entity.id_name]
        filters, result = one_answer(request, entity, one, key)
        template = f"explorer/{entity.word}.html"
        body = result.body
        json = HttpResponse(body, content_type="application/json")
        response = one_panel(request, entity, key, filters, body, template) if request.htmx else json
        response["X-Cache"] = "hit" if result.is_hit else "miss"
        response["Age"] = str(result.age_seconds)
        return private(response)

    return with_query_errors(view, query_string.query_errors)


def one_answer(request: WorkspaceRequest, entity: Entity, one: One, key: str) -> tuple[Filters, CachedAnswer]:
    filters = query_string.parse_filters(request.GET, request.workspace.id, zone=request.workspace.zone)
    check_name(entity, key)
    if request.GET.get("format") == "csv":
        message = "csv has the rows of metrics and lists; an answer about one is no list"
        raise Problem(422, "The query string is not valid.", [{"loc": ["query", "format"], "msg": message}])
    if entity.dimension in filters.values:
        message = f"the path names the {entity.word}"
        raise Problem(422, "The query string is not valid.", [{"loc": ["query", entity.dimension], "msg": message}])
    return filters, answer(named_one(entity, one, key), filters, request.workspace, SERIES_TTL_SECONDS)


def check_name(entity: Entity, key: str) -> None:
    if not is_an_id(key):
        raise Problem(404, f"This workspace has no such {entity.word}.")


def named_one(entity: Entity, one: One, key: str) -> Callable[[Filters], Answer]:
    def question(filters: Filters) -> Answer:
        return one(filters, key)

    question.__name__ = f"{entity.word} {key!r} "
    return question


CHARTS = {
    "user": {"calls": "usage-calls-over-time", "errors": "performance-errors", "cost": "cost-by-model"},
    "agent": {
        **{"calls": "usage-calls-over-time", "errors": "performance-errors", "cost": "cost-by-model"},
        "latency": "performance-latency",
    },
    "tool": {"calls": "own-calls", "errors": "own-failures", "latency": "tool-latency"},
}
"""The panel of the page of one that each card above leads to."""


def one_panel(
    request: WorkspaceRequest, entity: Entity, key: str, filters: Filters, body: bytes, template: str
) -> HttpResponse:
    """Renders the answer about one user, agent or tool, or a part of it."""
    context = {
        "data": orjson.loads(body),
        "filters": filters,
        "entity": entity,
        "key": key,
        "id_name": entity.id_name,
        "charts": CHARTS.get(entity.word, {}),
        "workspace": request.workspace,
        "no_previous": {"data": []},
        # Templates call it only if there is nothing else to show.
        "newest_span": partial(newest_span, request.workspace.id),
    }
    return render(request, template, context)


# --- One session ---


def place_of(cursor: str) -> TracePlace:
    try:
        started_at, trace_id = orjson.loads(urlsafe_b64decode(cursor))
        place = TracePlace(within_calendar(datetime.fromisoformat(started_at)), trace_id)
        if isinstance(trace_id, str) and "\0" not in trace_id:
            return place
    except (ValueError, TypeError, OverflowError):  # of base64, of JSON, and of times
        pass
    raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer")


class TracePage(BaseModel):
    """The parameters of one session."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of traces.")] = sessions.TRACES_OF_A_PAGE
    cursor: Annotated[str | None, AfterValidator(place_of), Field(description="Where the traces begin.")] = None


@require_safe
@workspace_access("read")
def one_session(request: WorkspaceRequest, session_id: str) -> HttpResponse:
    page = parsed_query(request.GET, TracePage)
    with request_slot(request.workspace.id):
        found = session_answer(request, session_id, page)
    if found is None:
        raise Problem(404, NO_SESSION)
    response = private(HttpResponse(as_json(found), content_type="application/json"))
    response["Cache-Control"] = "private, no-store"
    return response


def session_answer(request: WorkspaceRequest, key: str, page: TracePage) -> SessionAnswer | None:
    figures = sessions.session_figures(request.workspace.id, key)
    if figures is None:
        return None
    after: Any = page.cursor
    found = sessions.session_traces(request.workspace.id, key, after, page.limit + 1)
    shown = found[: page.limit]
    return {**figures, "data": shown, "next_cursor": cursor_of(shown[-1]) if len(found) > page.limit else None}


def cursor_of(trace: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(orjson.dumps([trace["started_at"], trace["trace_id"]])).decode()


def private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def view_of(entity: Entity) -> View:
    """Returns the view of one."""
    return one_view(entity, entity.one) if entity.one else one_session
