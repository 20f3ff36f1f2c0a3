"""Channels by the API: making, changing, testing and deleting them, and the list of deliveries."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import jsonschema_rs
import orjson
import pytest
from django.utils import timezone

from alerts.channels import kinds
from alerts.delivery import send as send_message
from alerts.models import Channel, Delivery
from alerts.stored_settings import settings_of
from tests.alerts.test_message import message
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

CHANNELS = "/api/v1/alerts/channels"
SLACK = "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrstuvwx"
SETTINGS: dict[str, dict[str, Any]] = {
    "email": {"addresses": ["ada@example.com"]},
    "slack": {"url": SLACK},
    "teams": {
        "url": "https://prod-12.westeurope.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abcdefghijklmnop"
    },
    "discord": {"url": f"https://discord.com/api/webhooks/123456789012/{'a' * 60}"},
    "pagerduty": {"integration_key": "0123456789abcdef0123456789abcdef"},
    "opsgenie": {"api_key": "01234567-89ab-cdef-0123-456789abcdef", "region": "eu"},
    "telegram": {"bot_token": f"123456789:{'A' * 35}", "chat": "-1001234567890"},
    "ntfy": {"topic": "a-topic-that-nobody-guesses"},
    "webhook": {"url": "https://example.com/alerts?token=abcd", "signing_secret": "a-secret-of-32-characters-or-more"},
}
"""Settings of each kind."""


def ask(tenant: Tenant, method: str, path: str = CHANNELS, body: Any = None, expect: int = 200) -> Any:
    content = b"" if body is None else orjson.dumps(body)
    response = tenant.client.generic(method, path, content, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json() if response.content else None


def make(tenant: Tenant, kind: str = "slack", expect: int = 201, **body: Any) -> Any:
    values = {"name": f"A {kind}", "kind": kind, "settings": SETTINGS[kind], **body}
    return ask(tenant, "POST", body=values, expect=expect)


@pytest.mark.parametrize("kind", SETTINGS)
def test_no_answer_and_no_column_shows_a_secret(tenant: Tenant, kind: str) -> None:
    made = make(tenant, kind)
    secrets = [SETTINGS[kind][name] for name in kinds()[kind].secret_names if name in SETTINGS[kind]]
    answers = orjson.dumps([made, ask(tenant, "GET"), ask(tenant, "GET", f"{CHANNELS}/{made['id']}")]).decode()
    row = str(Channel.objects.values().get())
    assert not [secret for secret in secrets if secret in answers or secret in row]
    assert made["hint"]
    stored = settings_of(Channel.objects.get())
    assert {name: stored[name] for name in SETTINGS[kind]} == SETTINGS[kind]


def test_the_hint_of_a_url_has_its_host_and_its_end(tenant: Tenant) -> None:
    assert make(tenant, "slack")["hint"] == "https://hooks.slack.com/…uvwx"
    assert make(tenant, "webhook")["hint"] == "https://example.com/…abcd"


def test_every_kind_is_tried_here() -> None:
    assert set(SETTINGS) == set(kinds())


def test_every_answer_is_as_the_document_says(tenant: Tenant) -> None:
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    made = [make(tenant, kind) for kind in SETTINGS]
    one = f"{CHANNELS}/{made[0]['id']}"
    tested = ask(tenant, "POST", f"{one}/test", expect=202)
    for path, method, status, found in (
        (CHANNELS, "get", "200", ask(tenant, "GET")),
        (f"{CHANNELS}/{{channel_id}}", "get", "200", ask(tenant, "GET", one)),
        (f"{CHANNELS}/{{channel_id}}/test", "post", "202", tested),
        ("/api/v1/alerts/deliveries", "get", "200", ask(tenant, "GET", "/api/v1/alerts/deliveries")),
    ):
        content = paths[path][method]["responses"][status]["content"]["application/json"]["schema"]
        jsonschema_rs.validate(content, found)
    declared = paths[CHANNELS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for kind, settings in SETTINGS.items():
        jsonschema_rs.validate(declared, {"name": "x", "kind": kind, "settings": settings})


@pytest.mark.parametrize(
    ("kind", "values", "where"),
    [
        ("slack", {}, "url"),
        (
            "slack",
            {"url": "https://hooks.slack.com.evil.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrs"},
            "url",
        ),
        ("slack", {"url": "https://example.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrstuvwx"}, "url"),
        ("slack", {"url": SLACK, "more": 1}, "more"),
        ("teams", {"url": SETTINGS["teams"]["url"].replace("logic.azure.com", "logic.azure.com.evil.com")}, "url"),
        ("teams", {"url": SETTINGS["teams"]["url"].replace(":443", ":8443")}, "url"),
        ("discord", {"url": "http://discord.com/api/webhooks/123456789012/aaaaaaaaaaaaaaaaaaaaaaaa"}, "url"),
        ("pagerduty", {"integration_key": "short"}, "integration_key"),
        ("pagerduty", {"integration_key": "0" * 32, "region": "moon"}, "region"),
        ("opsgenie", {"api_key": "x"}, "api_key"),
        ("telegram", {"bot_token": f"123456789:{'A' * 35}", "chat": "../x"}, "chat"),
        ("ntfy", {"topic": "a/b"}, "topic"),
        ("ntfy", {"topic": "ntfy.example.com/topic"}, "topic"),
        ("webhook", {"url": "http://example.com", "signing_secret": "x" * 16}, "url"),
        ("webhook", {"url": "https://example.com", "signing_secret": "short"}, "signing_secret"),
        ("email", {}, "addresses"),
        ("email", {"addresses": ["ada@example.com\nBcc: eve@example.com"]}, "addresses"),
        ("email", {"members": ["stranger"]}, "members"),
    ],
)
def test_settings_that_do_not_fit_are_refused_at_their_place(
    tenant: Tenant, kind: str, values: Any, where: str
) -> None:
    refused = make(tenant, kind, expect=422, settings=values)
    assert [error["loc"][:3] for error in refused["errors"]] == [["body", "settings", where]]
    assert not Channel.objects.exists()


def test_an_error_repeats_no_secret(tenant: Tenant) -> None:
    refused = make(
        tenant, "webhook", expect=422, settings={"url": "https://10.0.0.1/s3cret", "signing_secret": "s3cret"}
    )
    assert "s3cret" not in str(refused)


def test_a_change_keeps_what_it_leaves_out(tenant: Tenant) -> None:
    path = f"{CHANNELS}/{make(tenant, 'webhook')['id']}"
    changed = ask(tenant, "PATCH", path, {"settings": {"url": "https://example.org/new-hook"}})
    assert (changed["name"], changed["hint"]) == ("A webhook", "https://example.org/…hook")
    assert settings_of(Channel.objects.get())["signing_secret"] == SETTINGS["webhook"]["signing_secret"]
    assert ask(tenant, "PATCH", path, {"is_active": False})["state"] == "off"
    assert ask(tenant, "PATCH", path, {"kind": "slack"}, expect=422)


def test_two_channels_have_two_names(tenant: Tenant) -> None:
    make(tenant)
    assert make(tenant, expect=422)["errors"][0]["loc"] == ["body", "name"]


def test_the_same_id_makes_no_second_channel(tenant: Tenant) -> None:
    own = str(uuid4())
    first = make(tenant, id=own)
    assert make(tenant, id=own, expect=200) == first
    other = WorkspaceFactory()
    Channel.objects.filter(pk=own).update(workspace=other)
    make(tenant, id=own, expect=409)


def test_members_get_email_only_where_they_have_an_address(tenant: Tenant) -> None:
    for name, address in (("ada", "ada@example.com"), ("bob", "")):
        MembershipFactory(workspace=tenant.workspace, user=UserFactory(username=name, email=address))
    make(tenant, "email", settings={"members": ["ada"]})
    refused = make(tenant, "email", expect=422, name="Two", settings={"members": ["ada", "bob"]})
    assert refused["errors"][0]["msg"] == "no member with an address: bob"


def test_a_deleted_channel_is_gone_with_its_deliveries(tenant: Tenant) -> None:
    path = f"{CHANNELS}/{make(tenant)['id']}"
    ask(tenant, "POST", f"{path}/test", expect=202)
    ask(tenant, "DELETE", path, expect=204)
    ask(tenant, "GET", path, expect=404)
    assert not Delivery.objects.exists()


def test_a_channel_takes_few_tests_at_once(tenant: Tenant) -> None:
    path = f"{CHANNELS}/{make(tenant)['id']}/test"
    for _ in range(3):
        assert ask(tenant, "POST", path, expect=202)["state"] == "waiting"
    response = tenant.client.post(path)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 601
    Delivery.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    ask(tenant, "POST", path, expect=202)


def test_a_channel_that_is_off_takes_no_test(tenant: Tenant) -> None:
    path = f"{CHANNELS}/{make(tenant, is_active=False)['id']}/test"
    assert "off" in ask(tenant, "POST", path, expect=409)["detail"]


def test_the_list_of_deliveries_is_filtered_and_goes_on(tenant: Tenant) -> None:
    channels = [Channel.objects.get(pk=make(tenant, name=name)["id"]) for name in ("One", "Two")]
    for number in range(30):
        send_message(message(workspace_id=tenant.workspace.pk, subject=f"Event {number}"), channels)
    path = "/api/v1/alerts/deliveries"
    first = ask(tenant, "GET", path)
    second = ask(tenant, "GET", f"{path}?cursor={first['next_cursor']}")
    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (50, 10, None)
    assert len({one["id"] for one in first["data"] + second["data"]}) == 60
    of_one = ask(tenant, "GET", f"{path}?channel_id={channels[0].pk}")
    assert len(of_one["data"]) == 30
    of_event = ask(tenant, "GET", f"{path}?event_id={of_one['data'][0]['event_id']}")
    assert {one["channel"] for one in of_event["data"]} == {"One", "Two"}
    assert ask(tenant, "GET", f"{path}?state=failed")["data"] == []
    ask(tenant, "GET", f"{path}?state=lost", expect=422)


@pytest.mark.parametrize(("scopes", "status"), [(("read",), 403), (("write",), 201), (("ingest",), 403)])
def test_only_a_key_that_writes_makes_a_channel(scopes: tuple[str, ...], status: int, client: Any) -> None:
    key, secret = an_api_key(*scopes)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(key.workspace_id)}
    body = {"name": "Team", "kind": "slack", "settings": SETTINGS["slack"]}
    assert client.post(CHANNELS, body, content_type="application/json", headers=headers).status_code == status


def test_another_workspace_has_no_such_channel(tenant: Tenant) -> None:
    foreign = Channel.objects.create(workspace=WorkspaceFactory(), name="Secret", kind="slack")
    send_message(message(workspace_id=foreign.workspace_id), [foreign])
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "mine"}),
        ("DELETE", "", None),
        ("POST", "/test", None),
    ):
        ask(tenant, method, f"{CHANNELS}/{foreign.pk}{path}", body, expect=404)
    assert ask(tenant, "GET")["data"] == []
    assert ask(tenant, "GET", f"/api/v1/alerts/deliveries?channel_id={foreign.pk}")["data"] == []
