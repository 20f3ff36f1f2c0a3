"""A page with hostile texts has the same tags as the page with harmless texts."""

from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from tests.factories import UserFactory
from tests.security.hostile import filled
from tests.security.payloads import PAYLOADS
from tests.security.routes import PAGES, READ_PATHS, TEXT_FILTERS
from tests.security.test_tenancy import trace_paths
from tests.security.world import PROBES, selecting, signed_in

pytestmark = pytest.mark.django_db(databases="__all__")

# As long as the payloads, since long words are shortened and get a button to copy them.
HARMLESS = [f"{number:02}".ljust(len(payload), "x") for number, payload in enumerate(PAYLOADS)]
ADMIN_LISTS = (
    *("workspaces/workspace", "workspaces/membership", "workspaces/apikey", "budgets/budget", "prices/priceoverride"),
    *("auth/user", "axes/accessattempt", "axes/accesslog"),
)


SCORES_OF_SDK = f"/dashboard/trace-scores/{'1' * 32}"
FILTERS = tuple(name for name in TEXT_FILTERS if name != "operation")


class Tags(HTMLParser):
    """Collects the elements and attributes that a browser would create. Inline data must be JSON."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        values = dict(attrs)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            assert not name.startswith("hx-on"), (tag, name)
            if name in ("href", "src", "action", "formaction", "hx-get", "hx-put"):
                assert value is not None
                assert value.startswith(("/", "?", "#", ".", "data:image/svg")) or value.startswith(
                    ("https://docs.", "https://opentelemetry.", "https://github.")
                ), (tag, name, value)
                assert not value.startswith("//"), (tag, name, value)
        if tag == "script" and "src" not in values:
            assert values.get("type") == "application/json", values


INTERVAL = {("svg", ("class", "aria-hidden")), ("rect", ("x", "width", "height", "rx")), ("circle", ("cx", "cy", "r"))}
"""The drawing of an interval, which a slice with very few calls lacks."""


def shape(response: Any) -> set[tuple[str, tuple[str, ...]]]:
    assert response.status_code == 200
    PROBES["pages and panels compared under XSS payloads"] += 1
    return set(Tags(response.content.decode()).tags)


@pytest.fixture
def twins() -> tuple[Any, UUID, UUID]:
    """Returns a superuser's browser, the hostile workspace and the harmless workspace."""
    user = UserFactory(is_staff=True, is_superuser=True, username="operator")
    client, _ = signed_in(user)
    return client, filled(PAYLOADS.__getitem__, user).id, filled(HARMLESS.__getitem__, user).id


def test_panels_and_pages_escape_stored_text(twins: Any) -> None:
    client, hostile, harmless = twins
    window = {"range": "1h", "limit": 100}
    for path in READ_PATHS:
        shapes = [
            shape(client.get(path, window, headers=selecting(workspace_id) | {"HX-Request": "true"}))
            for workspace_id in (hostile, harmless)
        ]
        if "choices" in path:  # how many there are differs: SDKs' names of providers are lower-cased
            shapes = [tags - {("li", ("class",))} for tags in shapes]
        if "compare" in path:  # which two agents are compared depends on the order of their names
            shapes = [tags - INTERVAL for tags in shapes]
        assert shapes[0] == shapes[1], path
    shown = client.get(
        "/api/v1/usage/agent-distribution?limit=100", headers=selecting(hostile) | {"HX-Request": "true"}
    ).content.decode()
    assert "&lt;script&gt;" in shown, "the payloads are not on the page at all"
    for page in PAGES:
        for place in range(0, len(PAYLOADS), 7):
            queries = [dict.fromkeys(FILTERS, texts[place]) for texts in (PAYLOADS, HARMLESS)]
            shapes = [
                shape(client.get(f"/{page}", {"workspace": str(workspace_id)} | query))
                for workspace_id, query in zip((hostile, harmless), queries, strict=True)
            ]
            assert shapes[0] == shapes[1], (page, PAYLOADS[place])


def test_the_page_of_a_trace_escapes_stored_text(twins: Any) -> None:
    """The trace of an SDK has a span for each payload; that of an item has the payload as its id, too."""
    client, hostile, harmless = twins
    shown = ""
    for texts, workspace_id in ((PAYLOADS, hostile), (HARMLESS, harmless)):
        score = {"kind": "number", "number": "1", "name": texts[3][:200], "comment": texts[7]}
        token = {"X-CSRFToken": client.cookies["csrftoken"].value}
        answer = client.post(SCORES_OF_SDK, score, headers=selecting(workspace_id) | token)
        assert answer.status_code == 200
    for path in trace_paths("1" * 32, f"{4:016x}"):
        if path.startswith("/dashboard") and "rows" not in path:
            found = [client.get(path, headers=selecting(workspace_id)) for workspace_id in (hostile, harmless)]
            assert shape(found[0]) == shape(found[1]), path
            shown += found[0].content.decode()
    for place in range(len(PAYLOADS)):
        span_id = f"{place + 1:016x}"
        panels = [
            client.get(f"/dashboard/traces/{'1' * 32}/spans/{span_id}", headers=selecting(workspace_id))
            for workspace_id in (hostile, harmless)
        ]
        assert shape(panels[0]) == shape(panels[1]), PAYLOADS[place]
    for texts, workspace_id in ((PAYLOADS, hostile), (HARMLESS, harmless)):
        page = client.get(f"/dashboard/traces/{'1' * 32}", {"workspace": str(workspace_id)})
        shape(page)
        for text in texts[::9]:
            client.get(reverse("trace-page", args=[text]), {"workspace": str(workspace_id)})
    assert "&lt;script&gt;" in shown, "the payloads are not on the page at all"


def test_the_pages_of_users_agents_tools_and_sessions_escape_stored_text(twins: Any) -> None:
    """Each payload is the name of a user, an agent and a tool, and the id of a session."""
    client, hostile, harmless = twins
    shown = ""
    for place, texts in enumerate(zip(PAYLOADS, HARMLESS, strict=True)):
        word = ("user", "agent", "tool", "session")[place % 4]
        found = []
        for text, workspace_id in zip(texts, (hostile, harmless), strict=True):
            pages = [client.get(reverse(f"{word}-page", args=[text]), {"workspace": str(workspace_id)})]
            names = [reverse("session-conversation", args=[text])]
            names += [reverse("entity-part", args=["traces", f"{name}s", text]) for name in ("user", "agent", "tool")]
            pages += [client.get(name, headers=selecting(workspace_id)) for name in names]
            found.append([shape(page) for page in pages])
            shown += pages[1].content.decode()
        assert found[0] == found[1], texts[0]
    assert "&lt;script&gt;" in shown, "the payloads are not on the page at all"


def test_errors_repeat_no_markup(twins: Any) -> None:
    client, hostile, _ = twins
    for payload in PAYLOADS:
        for query in ({"range": payload}, {payload: "1"}, {"start": payload, "end": payload}):
            answer = client.get("/api/v1/usage/overview", query, headers=selecting(hostile) | {"HX-Request": "true"})
            assert answer.status_code == 422
            assert {tag for tag, _ in Tags(answer.content.decode()).tags} <= {"p", "div", "strong", "code", "ul", "li"}
        for path in (f"/nothing/{payload}", f"/dashboard/usage?workspace={payload}"):
            answer = client.get(path)
            assert answer.status_code in (404, 422)
            assert payload not in answer.content.decode() or "<" not in payload


def test_every_list_and_page_of_the_admin_escapes_stored_text(twins: Any) -> None:
    client, hostile, harmless = twins
    for payload in PAYLOADS[:5]:
        client.post("/sign-in", {"username": payload, "password": "wrong"}, headers={"User-Agent": payload})
    for path in ADMIN_LISTS:
        Tags(client.get(f"/admin/{path}/").content.decode())
        PROBES["pages and panels compared under XSS payloads"] += 1
        for query in ({"q": PAYLOADS[0]}, {"q": PAYLOADS[16]}):
            Tags(client.get(f"/admin/{path}/", query).content.decode())
    for page in ("change", "delete", "history"):
        shapes = [
            shape(client.get(f"/admin/workspaces/workspace/{workspace_id}/{page}/"))
            for workspace_id in (hostile, harmless)
        ]
        assert shapes[0] == shapes[1], page
    listed = client.get("/admin/workspaces/apikey/").content.decode()
    assert "&lt;" in listed
    assert "<script>window" not in listed
