"""Workspace B is never seen or changed by anyone of A, and looks like one that does not exist."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from budgets.models import own_budget
from tests.security.routes import (
    ACCOUNT_ROUTES,
    ADMIN,
    BUDGET,
    BUDGET_ROUTES,
    CHANNEL_ROUTES,
    CHOICES,
    DASHBOARD_ROUTES,
    ENTITY_PAGES,
    ENTITY_READS,
    EXPERIMENT_ROUTES,
    EXPORT_FILE,
    EXPORT_HISTORY,
    EXPORTS,
    FORECAST,
    FOUND,
    INGESTION,
    INGESTION_READS,
    INSIGHTS_ROUTES,
    INVOICE_ROUTES,
    LABELS,
    LOCAL,
    MCP,
    PAGES,
    PROMETHEUS,
    PUBLIC,
    READ_AND_INGEST,
    READ_PATHS,
    READS,
    REPORT_FILE,
    REPORT_PAGE,
    REPORTS,
    RULE_ROUTES,
    SAVING_ROUTES,
    SCHEDULE_ROUTES,
    SESSION_READS,
    SETTINGS_ROUTES,
    SLICE_VALUES,
    TEXT_FILTERS,
    TRACE_PAGES,
    TRACE_READS,
    TRACE_SCORES,
    TRACES_FILE,
    a_path,
    routes,
)
from tests.security.world import B_LIMIT_SHOWN, CANARY, PROBES, TEXTS, World, a_world, selecting
from tests.tenant import NOON, a_row, iso
from traces import writer
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")

IDENTITIES = ("anonymous", "key", "viewer", "editor", "owner")
PROJECTED = {f"/{BUDGET}", "/api/v1/cost/overview"}
"""The answers of these reads change with every microsecond of the month."""
WINDOW = {"start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}
Send = Callable[..., Any]


def test_every_route_is_classified() -> None:
    known = PUBLIC | LOCAL | PAGES | READS | {CHOICES, LABELS} | INGESTION.keys() | INGESTION_READS
    known |= TRACE_READS | TRACE_PAGES | {TRACE_SCORES} | SESSION_READS | ENTITY_READS | ENTITY_PAGES
    known |= {TRACES_FILE, FORECAST, EXPORT_FILE, EXPORT_HISTORY, PROMETHEUS} | EXPORTS
    known |= REPORTS | {REPORT_PAGE, REPORT_FILE}
    known |= BUDGET_ROUTES.keys() | INSIGHTS_ROUTES.keys() | {SLICE_VALUES, FOUND}
    known |= INVOICE_ROUTES.keys() | SAVING_ROUTES.keys() | EXPERIMENT_ROUTES.keys()
    known |= CHANNEL_ROUTES.keys() | RULE_ROUTES.keys() | SCHEDULE_ROUTES.keys()
    known |= DASHBOARD_ROUTES.keys() | SETTINGS_ROUTES.keys() | ACCOUNT_ROUTES.keys() | {MCP}
    assert {route for route, _ in routes() if not route.startswith(ADMIN)} == known, (
        "tests/security/routes.py lists all"
    )
    declared = {route: getattr(pattern.callback, "access", "admin") for route, pattern in routes()}
    expected = dict.fromkeys(PUBLIC, "public") | dict.fromkeys(PAGES, "page") | dict.fromkeys(READS | {CHOICES}, "read")
    expected |= dict.fromkeys({**INGESTION} | dict.fromkeys(INGESTION_READS), "ingest")
    expected |= dict.fromkeys(ENTITY_PAGES, "page") | dict.fromkeys(SESSION_READS | ENTITY_READS, "read")
    expected |= dict.fromkeys(TRACE_PAGES | {TRACES_FILE}, "page") | dict.fromkeys(TRACE_READS | {TRACE_SCORES}, "read")
    expected |= dict.fromkeys(REPORTS, "read") | dict.fromkeys((REPORT_PAGE, REPORT_FILE), "page")
    expected |= {EXPORT_FILE: "page"} | dict.fromkeys(EXPORTS | {EXPORT_HISTORY, PROMETHEUS}, "read")
    expected |= dict.fromkeys(LOCAL, "this machine, outside production")
    expected[MCP] = expected[FORECAST] = expected[SLICE_VALUES] = expected[FOUND] = "read"
    expected |= BUDGET_ROUTES | INSIGHTS_ROUTES | INVOICE_ROUTES | SAVING_ROUTES | EXPERIMENT_ROUTES
    expected |= CHANNEL_ROUTES | RULE_ROUTES | SCHEDULE_ROUTES
    expected |= SETTINGS_ROUTES | DASHBOARD_ROUTES | ACCOUNT_ROUTES
    expected[BUDGET] = "read, or write to PUT"
    expected[LABELS] = "read, or write to POST and PATCH and DELETE"
    expected |= dict.fromkeys(READ_AND_INGEST, "read, or ingest to POST")
    assert {route: access for route, access in declared.items() if not route.startswith(ADMIN)} == expected


@pytest.fixture
def world() -> World:
    return a_world()


def status_and_body(response: Any) -> tuple[int, bytes]:
    return response.status_code, response.content


def counting(identity: str, send: Send) -> Send:
    """Counts each answer as one probe, and checks that it contains nothing of B."""

    def probe(*args: Any, **kwargs: Any) -> Any:
        PROBES[f"tenancy probes as {identity}"] += 1
        response = send(*args, **kwargs)
        shown = response.content.decode() + str(response.headers) + str(response.cookies)
        assert CANARY not in shown, (args, kwargs)
        assert not any(limit in shown for limit in B_LIMIT_SHOWN), (args, kwargs)
        assert response.status_code < 500, (args, kwargs)
        return response

    return probe


def spellings(workspace_id: UUID) -> Iterator[str]:
    """Yields the spellings of an id that Python reads as the same id."""
    yield from (str(workspace_id), str(workspace_id).upper(), workspace_id.hex)
    yield from (f"{{{workspace_id}}}", f"urn:uuid:{workspace_id}")


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_read_shows_another_workspace(world: World, identity: str) -> None:
    client, headers = world.identities[identity]
    get = counting(identity, client.get)
    refused = 401 if identity == "anonymous" else 403
    nobody = uuid4()
    for path in READ_PATHS:
        # B's own owner has just asked the same: what is cached for B stays with B.
        warm = world.b_owner[0].get(path, WINDOW, headers=selecting(world.b.id))
        assert warm.status_code == 200
        for place, (there, nowhere) in enumerate(zip(spellings(world.b.id), spellings(nobody), strict=True)):
            extra = headers | ({"HX-Request": "true"} if place % 2 else {})
            answer = get(path, WINDOW, headers=extra | selecting(there))
            assert answer.status_code == refused, (path, there)
            assert status_and_body(answer) == status_and_body(get(path, WINDOW, headers=extra | selecting(nowhere)))
        for name in ("workspace", "workspace_id", "X-Workspace-ID"):
            query = WINDOW | {name: str(world.b.id)}
            assert get(path, query, headers=headers | selecting(world.a.id)).status_code in (401, 422)
        two_ids = {"X-Workspace-ID": f"{world.a.id}, {world.b.id}"}
        assert get(path, WINDOW, headers=headers | two_ids).status_code in (401, 422)
        assert get(path, WINDOW, headers=headers).status_code in (401, 422)


@pytest.mark.parametrize("identity", [identity for identity in IDENTITIES if identity != "anonymous"])
def test_answers_of_a_workspace_contain_nothing_of_another(world: World, identity: str) -> None:
    client, headers = world.identities[identity]
    headers = headers | selecting(world.a.id)
    get = counting(identity, client.get)
    for path in READ_PATHS:
        world.b_owner[0].get(path, WINDOW, headers=selecting(world.b.id))
        for place, extra in enumerate(({}, {"HX-Request": "true"})):
            own = get(path, WINDOW, headers=headers | extra)
            assert own.status_code == 200
            # What one path is asked for as JSON, the next path is asked for as a panel.
            for name in TEXT_FILTERS[(place + READ_PATHS.index(path)) % 2 :: 2]:
                value = f"{CANARY}-{name}" if name != "operation" else "chat"
                there = client.get(path, WINDOW | {name: value}, headers=headers | extra)
                assert there.status_code == 200
                nowhere = get(
                    path,
                    WINDOW | {name: f"canary-x-{name}" if name != "operation" else "chat"},
                    headers=headers | extra,
                )
                PROBES[f"tenancy probes as {identity}"] += 1
                # Only the page's own words may hold the filter; the numbers are those of a name nobody has.
                shown = there.content.replace(f"{CANARY}-{name}".encode(), f"canary-x-{name}".encode())
                assert CANARY.encode() not in shown
                if path not in PROJECTED:
                    assert shown == nowhere.content, (path, name)
    overview = get("/api/v1/usage/overview", WINDOW, headers=headers).json()
    assert (overview["total_calls"], overview["unique_users"], overview["active_agents"]) == (3, 1, 1)
    cost = get("/api/v1/cost/overview", WINDOW, headers=headers).json()
    assert (cost["total_spend_usd"], cost["budget_limit_usd"]) == (3.0, 100.0)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_page_shows_another_workspace(world: World, identity: str) -> None:
    client, headers = world.identities[identity]
    get = counting(identity, client.get)
    nobody = uuid4()
    for route in sorted(PAGES):
        for there, nowhere in zip(spellings(world.b.id), spellings(nobody), strict=True):
            for extra in ({}, {"HX-Request": "true"}):
                refused = get(f"/{route}", {"workspace": there}, headers=headers | extra)
                random = get(f"/{route}", {"workspace": nowhere}, headers=headers | extra)
                assert refused.status_code == random.status_code == (302 if identity in ("anonymous", "key") else 404)
                if refused.status_code == 404:
                    assert refused.content == random.content
        # The header that the panels send selects nothing on a page.
        own = get(f"/{route}", headers=headers | selecting(world.b.id))
        assert own.status_code == (302 if identity in ("anonymous", "key") else 200)


def trace_paths(trace_id: str, span_id: str) -> list[str]:
    named = {"<id:trace_id>": trace_id, "<id:span_id>": span_id}
    paths = sorted(f"/{route}" for route in TRACE_READS)
    for placeholder, value in named.items():
        paths = [path.replace(placeholder, value) for path in paths]
    return paths


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_read_of_a_trace_shows_another_workspace(world: World, identity: str) -> None:
    """B has a trace of its own, and one with the same ids as a trace of A."""
    writer.store(world.b.id, [a_row(trace_id="only-b", span_id="span-b", agent_id=CANARY)])
    client, headers = world.identities[identity]
    get, nobody = counting(identity, client.get), uuid4()
    refused = 401 if identity == "anonymous" else 403
    for theirs, shared in zip(trace_paths("only-b", "span-b"), trace_paths("1" * 32, f"{1:016x}"), strict=True):
        assert world.b_owner[0].get(theirs, headers=selecting(world.b.id)).status_code == 200
        for there, nowhere in zip(spellings(world.b.id), spellings(nobody), strict=True):
            answer = get(theirs, headers=headers | selecting(there))
            assert answer.status_code == refused, theirs
            assert status_and_body(answer) == status_and_body(get(theirs, headers=headers | selecting(nowhere)))
        if identity != "anonymous":
            own = headers | selecting(world.a.id)
            assert get(theirs, headers=own).status_code == 404
            assert get(shared, headers=own).status_code == 200
    form = {"kind": "up", "comment": "intruder"}
    before = world.state_of_b()
    for workspace_id, status in ((world.b.id, refused), (world.a.id, 404)):
        answer = client.post(
            f"/{TRACE_SCORES}".replace("<id:trace_id>", "only-b"), form, headers=headers | selecting(workspace_id)
        )
        assert answer.status_code == (401 if identity == "anonymous" else 403 if identity == "key" else status)
    assert world.state_of_b() == before


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_page_of_a_trace_shows_another_workspace(world: World, identity: str) -> None:
    writer.store(world.b.id, [a_row(trace_id="only-b", span_id="span-b", agent_id=CANARY)])
    client, headers = world.identities[identity]
    get = counting(identity, client.get)
    is_stranger = identity in ("anonymous", "key")
    for route in sorted(TRACE_PAGES):
        theirs = f"/{route}".replace("<id:trace_id>", "only-b")
        for query in ({}, {"workspace": str(world.b.id)}, {"workspace": str(uuid4())}, {"workspace": str(world.a.id)}):
            assert get(theirs, query, headers=headers).status_code == (302 if is_stranger else 404)
        shared = f"/{route}".replace("<id:trace_id>", "1" * 32)
        assert get(shared, headers=headers | selecting(world.b.id)).status_code == (302 if is_stranger else 200)


def one_paths(of_user: str, of_agent: str, of_tool: str) -> list[str]:
    """Returns the reads of one user, one agent and one tool, in the order of these."""
    keys = {"users": of_user, "agents": of_agent, "tools": of_tool}
    parts = [("traces", name) for name in keys] + [("calls", "tools"), ("failures", "tools")]
    return [
        *(f"/api/v1/{name}/{key}" for name, key in keys.items()),
        *(f"/dashboard/entity/{part}/{name}/{keys[name]}" for part, name in parts),
    ]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_read_of_a_user_agent_tool_or_session_shows_another_workspace(world: World, identity: str) -> None:
    """A name that only B has is answered like one that nobody has."""
    ids = {"user_id": f"{CANARY}-user_id", "agent_id": f"{CANARY}-agent_id", "tool": f"{CANARY}-tool"}
    writer.store(world.b.id, [a_row(**ids, operation="execute_tool", session_id="only-b", trace_id="only-b")])
    client, headers = world.identities[identity]
    get, nobody = counting(identity, client.get), uuid4()
    refused = 401 if identity == "anonymous" else 403
    own = headers | selecting(world.a.id)
    theirs, unknown = (one_paths(*(f"{name}-{key}" for key in ids)) for name in (CANARY, "canary-x"))
    for place, (path, no_such) in enumerate(zip(theirs, unknown, strict=True)):
        extra = {"HX-Request": "true"} if place % 2 else {}
        assert world.b_owner[0].get(path, WINDOW, headers=selecting(world.b.id) | extra).status_code == 200
        for there, nowhere in zip(spellings(world.b.id), spellings(nobody), strict=True):
            answer = get(path, WINDOW, headers=headers | extra | selecting(there))
            assert answer.status_code == refused, path
            same = get(path, WINDOW, headers=headers | extra | selecting(nowhere))
            assert status_and_body(answer) == status_and_body(same)
        if identity != "anonymous":
            answer = client.get(path, WINDOW, headers=own | extra)
            shown = answer.content.replace(CANARY.encode(), b"canary-x")
            assert shown == client.get(no_such, WINDOW, headers=own | extra).content, path
    for path in ("/api/v1/sessions/only-b", "/dashboard/session-conversation/only-b"):
        assert world.b_owner[0].get(path, headers=selecting(world.b.id)).status_code == 200
        assert get(path, headers=headers | selecting(world.b.id)).status_code == refused
        if identity != "anonymous":
            assert status_and_body(get(path, headers=own)) == status_and_body(
                get(path.replace("only-b", "x"), headers=own)
            )
            assert get(path, headers=own).status_code == 404


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_page_of_a_user_agent_tool_or_session_shows_another_workspace(world: World, identity: str) -> None:
    writer.store(world.b.id, [a_row(agent_id=CANARY, session_id="only-b", trace_id="only-b")])
    client, headers = world.identities[identity]
    get = counting(identity, client.get)
    is_stranger = identity in ("anonymous", "key")
    for route in sorted(ENTITY_PAGES):
        path = "/" + a_path(route, "only-b")
        for workspace_id in (world.b.id, uuid4()):
            answer = get(path, {"workspace": str(workspace_id)}, headers=headers)
            assert answer.status_code == (302 if is_stranger else 404)
        own = get(path, {"workspace": str(world.a.id)}, headers=headers | selecting(world.b.id))
        assert own.status_code == (302 if is_stranger else 404 if "sessions" in route else 200)


BODIES: dict[str, Any] = {
    "api/v1/traces": {"agent_id": "intruder", "trace_id": "1" * 32, "span_id": "f" * 16},
    "v1/traces/ingest": {"data": [{"object": "trace", "id": "intruder"}]},
    "api/public/ingestion": {"batch": [{"id": "intruder"}]},
    "api/public/scores": {"id": "score-1", "traceId": "1" * 32, "name": "intruder", "value": 1},
    "api/v1/scores": {"id": "score-1", "trace_id": "1" * 32, "name": "intruder", "value": 1},
}
BODIES |= {f"{route}/": body for route, body in BODIES.items()}
SPAN = {"traceId": "1" * 32, "spanId": "f" * 16, "startTimeUnixNano": str(int(NOON.timestamp()) * 10**9)}
OTLP = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_nobody_of_a_writes_into_b(world: World, identity: str) -> None:
    client, headers = world.identities[identity]
    before, nobody = world.state_of_b(), uuid4()
    post, put = counting(identity, client.post), counting(identity, client.put)
    for route in sorted({*INGESTION, *READ_AND_INGEST}):
        body = BODIES.get(route, OTLP)
        for there, nowhere in zip(spellings(world.b.id), spellings(nobody), strict=True):
            answers = [
                post(f"/{route}", body, content_type="application/json", headers=headers | selecting(workspace_id))
                for workspace_id in (there, nowhere)
            ]
            assert answers[0].status_code == (403 if identity == "key" else 401), route
            assert status_and_body(answers[0]) == status_and_body(answers[1])
        for name in ("workspace", "workspace_id"):
            named = {name: str(world.b.id)}
            post(f"/{route}", body | named, content_type="application/json", headers=headers, query_params=named)
    for extra in ({}, {"HX-Request": "true"}):
        for there, nowhere in zip(spellings(world.b.id), spellings(nobody), strict=True):
            limit = {"monthly_limit_usd": 1}
            answers = [
                put(
                    f"/{BUDGET}",
                    limit,
                    content_type="application/json",
                    headers=headers | extra | selecting(workspace_id),
                )
                for workspace_id in (there, nowhere)
            ]
            assert answers[0].status_code == (401 if identity == "anonymous" else 403)
            assert status_and_body(answers[0]) == status_and_body(answers[1])
    assert world.state_of_b() == before


def test_the_sdk_of_langfuse_learns_only_its_own_project(world: World) -> None:
    for identity in IDENTITIES:
        client, headers = world.identities[identity]
        for route in INGESTION_READS:
            answer = counting(identity, client.get)(f"/{route}", headers=headers)
            assert answer.status_code == (200 if identity == "key" else 401)
            there = counting(identity, client.get)(f"/{route}", headers=headers | selecting(world.b.id))
            assert there.status_code == (403 if identity == "key" else 401)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_admin_is_closed_to_members(world: World, identity: str) -> None:
    client, headers = world.identities[identity]
    before = world.state_of_b()
    objects = {
        "workspace": world.b.pk,
        "membership": world.b_member.pk,
        "apikey": world.b_key.pk,
        "budget": own_budget(world.b).pk,
        "user": world.b_member.user.pk,
    }
    found = {
        f"/{a_path(route, str(pk))}" for route, _ in routes() if route.startswith(ADMIN) for pk in objects.values()
    }
    assert len(found) > 100
    # An owner, who has most rights, tries all paths. The others try a third of them.
    for path in sorted(found - {"/admin/login/"})[:: 1 if identity == "owner" else 3]:
        for send in (client.get, client.post):
            answer = counting(identity, send)(path, headers=headers)
            assert answer.status_code == (302 if send == client.get else answer.status_code), path
            assert answer.status_code in (302, 403), path
            if answer.status_code == 302:
                assert answer["Location"].startswith(("/admin/login/", reverse("sign-in"), "/admin/")), path
    assert world.state_of_b() == before


def test_the_same_spans_are_stored_in_both_workspaces(world: World) -> None:
    found = rows(
        "SELECT workspace_id, count(*) AS calls, min(agent_id) AS agent_id FROM traces"
        " WHERE trace_id = %(trace_id)s GROUP BY workspace_id",
        {"trace_id": "1" * 32},
    )
    assert {(row["workspace_id"], row["calls"], row["agent_id"]) for row in found} == {
        (world.a.id, 3, "canary-a-agent_id"),
        (world.b.id, 3, f"{CANARY}-agent_id"),
    }


def test_a_late_span_of_a_corrects_nothing_of_b(world: World) -> None:
    """Agent, user and session are resolved over a whole trace: of the sender's workspace only."""
    client, headers = world.identities["key"]
    before = world.state_of_b()
    attributes = [{"key": "user.id", "value": {"stringValue": "intruder"}}]
    for number in range(3):
        span = SPAN | {"spanId": f"{number + 1:016x}", "attributes": attributes}
        body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
        answer = client.post("/v1/traces", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200
    assert world.state_of_b() == before


def test_the_canaries_are_there_for_those_who_may_see_them(world: World) -> None:
    """Otherwise the tests above would pass because B has no data."""
    client, headers = world.b_owner
    shown = ""
    for path in READ_PATHS:
        for extra in ({}, {"HX-Request": "true"}):
            shown += client.get(path, WINDOW, headers=headers | extra | selecting(world.b.id)).content.decode()
    for name in ("agent_id", "model", "provider", "user_id", "error_type", "error_message"):
        assert f"{CANARY}-{name}" in shown, name
    assert all(limit in shown for limit in B_LIMIT_SHOWN)
    assert set(TEXTS) >= {"agent_id", "model"}


def test_enough_requests_were_tried() -> None:
    """Counts the probes of this file, so it runs last: at least 12 routes, 10 probes and 4 identities."""
    per_identity = [PROBES[f"tenancy probes as {identity}"] for identity in IDENTITIES]
    if not all(per_identity):
        pytest.skip("the tests that count did not run in this session")
    assert len(READS) >= 12
    assert all(count >= 12 * 10 for count in per_identity)


def test_a_random_visitor_cannot_tell_that_b_exists(world: World) -> None:
    client = Client()
    for path in READ_PATHS:
        there = client.get(path, headers=selecting(world.b.id))
        nowhere = client.get(path, headers=selecting(uuid4()))
        assert status_and_body(there) == status_and_body(nowhere)
