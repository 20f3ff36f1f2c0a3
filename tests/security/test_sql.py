"""Special characters of SQL, formats and patterns are plain text: the answer is that of an unknown value, no 500."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from ingest.model_names import base_model
from prices.providers import provider_name
from tests.factories import MembershipFactory, UserFactory, an_api_key
from tests.security.routes import PAGES, READ_PATHS, TEXT_FILTERS
from tests.security.world import BACKEND, PROBES, selecting, signed_in
from tests.tenant import NOON, Tenant, iso
from traces.text import NAME_LENGTH

pytestmark = pytest.mark.django_db(databases="__all__")

UNKNOWN = "unknown"
METACHARACTERS = [
    *(
        "'",
        "''",
        '"',
        "\\",
        "\\'",
        "`",
        ";",
        "--",
        "/*",
        "*/",
        "%",
        "%%",
        "%s",
        "%(workspace_id)s",
        "%(start)s",
        "$1",
        "$$",
    ),
    *(":x", "?", "{}", "{0}", "_", "*", "[", "](", "(?=a)", "||", "&&", "\n", "\r\n", "\t", "\x1f", "\ufeff"),
    *("' OR '1'='1", "' OR 1=1 --", "') OR ('1'='1", "1; DROP TABLE traces; --", "'; SELECT pg_sleep(10); --"),
    *("' UNION SELECT version() --", "\\x27 OR 1=1", "\u02bc OR 1=1", "\uff07 OR 1=1", "%27%20OR%201%3D1", "E'\\047'"),
    *("U&'\\0027'", "$tag$ $tag$", "NULL", "null", "true", "0x27", "1e400", "-1", "NaN", "٣", "🙂", "a" * NAME_LENGTH),
    *("../../etc/passwd", "${7*7}", "{{7*7}}", "{% debug %}", "__class__", "[$ne]", "(SELECT 1)", "::text", "\u2028"),
]
FORM_NUMBERS = ("٣", "1e400", "$1")
"""What the form of the budget reads as a number."""
PROJECTED = ("/api/v1/cost/overview", "/api/v1/cost/budget")
WINDOW = {"start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}


def probe(client: Client, path: str, query: dict[str, Any], **headers: str) -> Any:
    PROBES["SQL probes"] += 1
    response = client.get(path, query, headers=headers)
    assert response.status_code < 500, (path, query)
    return response


@pytest.mark.parametrize("path", READ_PATHS)
def test_a_filter_is_a_value_like_any_other(tenant: Tenant, path: str) -> None:
    tenant.calls(2)
    expected = probe(tenant.client, path, WINDOW | {"agent_id": UNKNOWN})
    assert expected.status_code == 200
    for place, text in enumerate(METACHARACTERS, READ_PATHS.index(path)):
        # By turns in one filter and in all: what one path tries in one filter, the next path tries in all of them.
        query = {TEXT_FILTERS[place // 2 % len(TEXT_FILTERS)]: text} if place % 2 else dict.fromkeys(TEXT_FILTERS, text)
        answer = probe(tenant.client, path, WINDOW | query)
        assert answer.status_code == 200, (query, text)
        if path.startswith("/api/") and path not in PROJECTED:
            assert answer.json() == expected.json(), (query, text)


@pytest.mark.parametrize("path", READ_PATHS)
def test_the_name_of_a_label_is_a_value_like_any_other(tenant: Tenant, path: str) -> None:
    tenant.calls(1, labels=dict.fromkeys(METACHARACTERS, "acme"))
    tenant.calls(1, labels={"customer": "acme"})
    none, both = (probe(tenant.client, path, WINDOW | query) for query in ({"label.customer": UNKNOWN}, {}))
    for text in METACHARACTERS[READ_PATHS.index(path) % 5 :: 5]:
        answer = probe(tenant.client, path, WINDOW | {f"label.{text}": UNKNOWN})
        excluding = probe(tenant.client, path, WINDOW | {f"not_label.{text}": UNKNOWN})
        assert (answer.status_code, excluding.status_code) == (200, 200), text
        if path.startswith("/api/") and path not in PROJECTED:
            assert (answer.json(), excluding.json()) == (none.json(), both.json()), text
    one = {"label.' OR '1'='1": "acme", "label.%(start)s": "acme"}
    assert probe(tenant.client, "/api/v1/usage/overview", WINDOW | one).json()["total_calls"] == 1


@pytest.mark.parametrize("path", READ_PATHS)
def test_a_parameter_that_is_not_free_text_is_refused(tenant: Tenant, path: str) -> None:
    names = ("range", "granularity", "start", "end", "limit", "nonsense", "workspace_id")
    for place, text in enumerate(METACHARACTERS, READ_PATHS.index(path)):
        refused = probe(tenant.client, path, dict.fromkeys(names, text))
        assert refused.status_code == 422, text
        answer_text = str(refused.content)
        assert all(name in answer_text for name in names if (name, text) != ("limit", "٣")), text
        if place % 3:
            continue  # a third of the paths try each text alone
        name = names[place // 3 % len(names)]
        assert probe(tenant.client, path, {name: text}).status_code == 422 or (name, text) == ("limit", "٣")
        assert probe(tenant.client, path, {text: "1"}).status_code == 422
        if text.isprintable() and text.isascii():
            assert probe(tenant.client, path, {}, **{"X-Workspace-ID": text}).status_code == 422
    for query in ({"agent_id": "a\x00b"}, {"label.a\x00b": "acme"}, {"label.a": "a\x00b"}, {"label.": "acme"}):
        assert probe(tenant.client, path, query).status_code == 422


def test_the_search_of_a_list_is_a_text(tenant: Tenant) -> None:
    tenant.calls(1, agent_id="50%_off")
    for text in METACHARACTERS:
        answer = probe(tenant.client, "/dashboard/choices/agent_id", WINDOW | {"search": text})
        assert answer.status_code == 200
        assert (">50%_off<" in answer.content.decode()) == (text.lower() in "50%_off"), text


@pytest.mark.parametrize("page", sorted(PAGES))
def test_pages_treat_sql_as_text(page: str) -> None:
    client, _ = signed_in(MembershipFactory().user)
    names = (*TEXT_FILTERS, "range", "workspace", "from", "to", "was", "start", "anything")
    for place, text in enumerate(METACHARACTERS):
        name = names[place % len(names)]
        assert probe(client, f"/{page}", {name: text}).status_code in (200, 302, 404, 422), (name, text)
        assert probe(client, f"/{page}", dict.fromkeys(TEXT_FILTERS, text)).status_code == 200


def test_everything_is_stored_and_found_as_it_was_sent(tenant: Tenant) -> None:
    texts = [text for text in METACHARACTERS if text.strip() and len(text) < 256]
    fields = (
        "agent_id",
        "provider",
        "model",
        "user_id",
        "session_id",
        "name",
        "error_type",
        "error_message",
        "trace_id",
    )
    items = [dict.fromkeys(fields, text) | {"timestamp": iso(NOON), "status": "error"} for text in texts]
    answer = tenant.client.post("/api/v1/traces", {"traces": items}, content_type="application/json")
    assert answer.json()["accepted"] == len(items)
    for text in texts:
        # "NULL" names no provider, and a model is stored without the provider in front of it.
        named = {"agent_id": text}
        named |= {"provider": text} if provider_name(text) else {}
        named |= {"model": text} if base_model(text) == text else {}
        assert probe(tenant.client, "/api/v1/usage/overview", WINDOW | named).json()["total_calls"] == 1, text
    listed = probe(tenant.client, "/api/v1/usage/agent-distribution", WINDOW | {"limit": 100}).json()["data"]
    assert {row["agent_id"] for row in listed} == set(texts)


def test_the_budget_is_a_number(tenant: Tenant) -> None:
    for text in METACHARACTERS:
        for name in ("monthly_limit_usd", "alert_threshold_percentage", text):
            for body, kind in (
                (json.dumps({name: text}), "application/json"),
                (f"{quote(name)}={quote(text)}", "application/x-www-form-urlencoded"),
            ):
                headers = {"HX-Request": "true"} if kind[-1] == "d" else {}
                answer = tenant.client.put("/api/v1/cost/budget", body, content_type=kind, headers=headers)
                assert answer.status_code == 422 or (kind[-1] == "d" and text in FORM_NUMBERS), (name, text)
                PROBES["SQL probes"] += 1


def test_the_admin_treats_sql_as_text() -> None:
    membership = MembershipFactory()
    an_api_key("read", workspace=membership.workspace)
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    lists = (
        *("workspaces/workspace", "workspaces/membership", "workspaces/apikey", "budgets/budget"),
        *("prices/priceoverride", "auth/user", "auth/group", "axes/accessattempt"),
    )
    names = ("q", "o", "p", "state", "status", "role__exact", "workspace__id__exact", "name", "e", "all")
    for path in lists:
        for place, text in enumerate(METACHARACTERS):
            if place % len(lists) == lists.index(path):
                for name in names[place // len(lists) % 2 :: 2]:
                    answer = probe(client, f"/admin/{path}/", {name: text})
                    assert answer.status_code in (200, 302, 400), (path, name, text)
    for text in METACHARACTERS:
        term = {"app_label": "workspaces", "model_name": "membership", "field_name": "workspace", "term": text}
        assert probe(client, "/admin/autocomplete/", term).status_code == 200


def test_the_sign_in_treats_sql_as_text() -> None:
    for text in [*METACHARACTERS, "a\x00b"]:
        for path in ("/sign-in", "/admin/login/"):
            answer = Client().post(path, {"username": text, "password": text, "next": text})
            assert answer.status_code in (200, 429), text
            PROBES["SQL probes"] += 1


def test_a_key_of_sql_is_refused() -> None:
    workspace = MembershipFactory().workspace
    for text in METACHARACTERS:
        if text.isprintable():
            headers = {"Authorization": f"Bearer {quote(text)}"} | selecting(workspace.id)
            assert probe(Client(), "/api/v1/usage/overview", {}, **headers).status_code == 401
