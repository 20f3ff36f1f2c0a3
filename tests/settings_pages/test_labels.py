"""The page and the API that list the attributes that arrive, and choose which of them become labels."""

import json
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from ingest import label_candidates as module
from ingest.label_candidates import label_candidates, labels_in
from ingest.labels import LabelChoice
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.ingest.otlp_spans import Sent, chat, send
from tests.ingest.test_environment_and_release import Of, send_of
from tests.ingest.test_labels import ACME, SPELLINGS, choose
from tests.jobs_helper import run_waiting_jobs
from tests.tenant import Tenant
from traces.db import rows
from workspaces.models import AuditEntry, LabelSource, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

API = "/api/v1/settings/labels"
PAGE = "/settings/labels"
NEW = {"attribute": "metadata.customer", "label": "customer"}


def found(tenant: Tenant) -> dict[str, tuple[int, int]]:
    """Returns for each candidate that is no field of the product how many spans and values it has."""
    answer = tenant.client.get(API).json()
    return {
        each["attribute"]: (each["spans"], each["values"])
        for each in answer["candidates"]
        if not each["attribute"].startswith(("gen_ai.", "otel.", "service."))
    }


def member(role: str, workspace: Workspace, **options: bool) -> Client:
    client = Client(**options)
    client.force_login(MembershipFactory(workspace=workspace, role=role).user)
    return client


# --- What arrives ---


def test_candidates_are_listed_by_how_many_spans_have_them(tenant: Tenant) -> None:
    span = {"metadata": ACME | {"plan": {"name": "gold"}}, "tag.tags": ["beta", "team:search"], "input.value": "secret"}
    send_of(tenant, Of(Sent(1, attributes=span), {"region": "eu"}), Of(chat(2, 1, attributes={"metadata": ACME})))
    send(tenant, chat(3, attributes={"metadata": '{"customer": "other"}'}))
    assert found(tenant) == {
        "metadata.customer": (3, 2),
        "metadata.plan.name": (1, 1),
        "region": (1, 1),
        "tag.tags.team": (1, 1),
    }
    assert next(iter(found(tenant))) == "metadata.customer"


@pytest.mark.parametrize(("attributes", "expected"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_choosing_a_candidate_gives_the_label_that_the_list_shows(
    tenant: Tenant, attributes: dict[str, Any], expected: dict[str, str]
) -> None:
    for attribute, value in attributes.items():
        for name, text in labels_in(attribute, value):
            assert LabelChoice([(name, "label")]).labels_in(attributes, [attribute]) == {"label": text}


def test_only_the_newest_spans_are_searched(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    send(tenant, chat(1, attributes={"old": "x"}), chat(2, attributes={"new": "x"}, start=1))
    monkeypatch.setattr(module, "MAX_SPANS", 1)
    assert found(tenant) == {"new": (1, 1)}
    monkeypatch.setattr(module, "MAX_BYTES", 1)
    answer = tenant.client.get(API).json()
    assert (answer["candidates"], answer["sampled_spans"], answer["sampled_since"]) == ([], 0, None)


def test_the_list_is_bounded_in_names(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CANDIDATES", 2)
    send(tenant, chat(1, attributes={f"a{number}": "x" for number in range(9)}))
    assert len(label_candidates(tenant.workspace.id, with_examples=True)["candidates"]) == 2


def test_spans_of_another_workspace_are_not_searched(tenant: Tenant) -> None:
    send(tenant, chat(1, attributes={"customer.id": "acme"}))
    assert label_candidates(WorkspaceFactory().id, with_examples=True)["candidates"] == []


# --- The API ---


@pytest.mark.parametrize(("scopes", "examples"), [(("read", "write"), None), (("read", "content"), ["acme"])])
def test_only_who_may_see_content_sees_examples(
    tenant: Tenant, scopes: tuple[str, ...], examples: list[str] | None
) -> None:
    send(tenant, chat(1, attributes={"metadata": ACME}))
    _, secret = an_api_key(*scopes, workspace=tenant.workspace)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(tenant.workspace.id)}
    answer = Client().get(API, headers=headers).json()
    assert [each["examples"] for each in answer["candidates"] if each["attribute"] == "metadata.customer"] == [examples]


def test_labels_are_chosen_and_removed(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ingest.label_sources")
    send(tenant, chat(1, attributes={"metadata": ACME}))
    answer = tenant.client.post(API, NEW, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"data": [NEW]})
    listed = tenant.client.get(API).json()
    declared = tenant.client.get("/api/v1/openapi.json").json()["paths"][API]["get"]["responses"]["200"]
    jsonschema_rs.validate(declared["content"]["application/json"]["schema"], listed)
    assert listed["data"] == [NEW]
    assert {each["attribute"]: each["label"] for each in listed["candidates"]}["metadata.customer"] == "customer"
    assert tenant.client.delete(f"{API}?attribute=metadata.customer").json() == {"data": []}
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "anyone added metadata.customer = customer",
        "anyone removed metadata.customer = customer",
    ]


@pytest.mark.parametrize(
    ("method", "query", "body", "status", "loc"),
    [
        ("POST", "", {"attribute": "a"}, 422, ["body", "label"]),
        ("POST", "", NEW | {"extra": 1}, 422, ["body", "extra"]),
        ("POST", "", {"attribute": "a", "label": " "}, 422, ["body", "label"]),
        ("POST", "", {"attribute": "a\0", "label": "b"}, 422, ["body", "attribute"]),
        ("POST", "", {"attribute": "input.value", "label": "b"}, 422, ["body", "attribute"]),
        ("POST", "?x=1", NEW, 422, ["query", "x"]),
        ("GET", "?x=1", None, 422, ["query", "x"]),
        ("DELETE", "", None, 422, ["query", "attribute"]),
        ("DELETE", "?attribute=none", None, 404, None),
        ("DELETE", "?attribute=%00", None, 422, ["query", "attribute"]),
        ("PUT", "", NEW, 405, None),
    ],
)
def test_what_is_wrong_is_said(
    tenant: Tenant, method: str, query: str, body: Any, status: int, loc: list[str] | None
) -> None:
    request = getattr(tenant.client, method.lower())
    answer = request(f"{API}{query}", **({"data": body, "content_type": "application/json"} if body else {}))
    assert answer.status_code == status
    if loc:
        assert answer.json()["errors"][0]["loc"] == loc
    assert not LabelSource.objects.exists()


@pytest.mark.parametrize(
    ("scopes", "status"), [(("read",), 403), (("ingest",), 403), (("write",), 200), (("read", "write"), 200)]
)
def test_a_key_needs_the_scope_write_to_choose(scopes: tuple[str, ...], status: int) -> None:
    key, secret = an_api_key(*scopes)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(key.workspace_id)}
    assert Client().post(API, NEW, content_type="application/json", headers=headers).status_code == status
    assert Client().delete(f"{API}?attribute=metadata.customer", headers=headers).status_code == status
    other = {**headers, "X-Workspace-ID": str(WorkspaceFactory().id)}
    assert Client().post(API, NEW, content_type="application/json", headers=other).status_code == 403


def test_a_session_needs_the_token_against_other_sites() -> None:
    workspace = WorkspaceFactory()
    client = member("editor", workspace, enforce_csrf_checks=True)
    headers = {"X-Workspace-ID": str(workspace.id)}
    assert client.post(API, NEW, content_type="application/json", headers=headers).status_code == 403
    assert client.post(f"{PAGE}?workspace={workspace.id}", NEW).status_code == 403
    assert not LabelSource.objects.exists()


# --- The page ---


@pytest.mark.parametrize(("role", "may_choose"), [("viewer", False), ("editor", True), ("owner", True)])
def test_editors_and_owners_choose_with_a_click(tenant: Tenant, settings: Any, role: str, may_choose: bool) -> None:
    send(tenant, chat(1, attributes={"metadata": ACME, "customer.id": "acme inc"}))
    tenant.workspace.label_sources.create(attribute="customer.id", label="company")
    settings.OPEN_WORKSPACE_IDS = frozenset()
    workspace = tenant.workspace
    client = member(role, workspace)
    address = f"{PAGE}?workspace={workspace.id}"
    page = client.get(address).content.decode()
    assert "metadata.customer" in page
    assert "acme" in page  # all members may see content
    assert (">Choose<" in page) == (">Remove<" in page) == may_choose
    answer = client.post(address, NEW)
    assert answer.status_code == (302 if may_choose else 403)
    answer = client.post(address, {"attribute": "customer.id", "remove": "1"})
    assert answer.status_code == (302 if may_choose else 403)
    chosen = list(LabelSource.objects.values_list("attribute", flat=True))
    assert chosen == (["metadata.customer"] if may_choose else ["customer.id"])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (NEW | {"label": ""}, "Label: "),
        ({"attribute": "input.value", "label": "x"}, "never labels"),
        ({"attribute": "taken", "label": "x"}, "has a label already"),
        ({"attribute": "x", "remove": "1"}, "not chosen"),
        ({}, "Attribute: "),
        ({"attribute": "\0", "label": "\0"}, "Attribute: "),
    ],
)
def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(form: dict[str, str], error: str) -> None:
    workspace = WorkspaceFactory()
    choose(workspace, {"taken": "taken"})
    answer = member("owner", workspace).post(f"{PAGE}?workspace={workspace.id}", form)
    assert answer.status_code == 422
    assert error in answer.content.decode()
    if form.get("attribute", "").isprintable() and "remove" not in form:
        assert f'value="{form.get("attribute", "")}"' in answer.content.decode()


def test_the_page_escapes_what_clients_send(tenant: Tenant) -> None:
    text = "<script>alert(1)</script>"
    send(tenant, chat(1, attributes={text: text, "metadata": {text: f'"{text}'}}))
    page = tenant.client.get(f"{PAGE}?workspace={tenant.workspace.id}").content.decode()
    assert text not in page
    assert "&lt;script&gt;" in page


def test_an_empty_workspace_says_what_to_do() -> None:
    workspace = WorkspaceFactory()
    page = member("viewer", workspace).get(f"{PAGE}?workspace={workspace.id}").content.decode()
    assert "None is chosen. Editors and owners" in page
    assert "No span has an attribute that could be a label" in page


# --- Another name, and stored spans ---


def patch(tenant: Tenant, attribute: str, label: str) -> Any:
    body = {"attribute": attribute, "label": label}
    return tenant.client.patch(API, body, content_type="application/json")


def test_a_label_gets_another_name_for_spans_that_arrive_later(tenant: Tenant) -> None:
    choose(tenant.workspace, {"metadata.customer": "customer"})
    assert patch(tenant, "metadata.customer", "client").json()["data"] == [NEW | {"label": "client"}]
    send(tenant, chat(1, attributes={"metadata": ACME}))
    assert labels_of(tenant) == [{"client": "acme"}]
    assert patch(tenant, "metadata.team", "team").status_code == 422
    assert patch(tenant, "metadata.customer", " ").status_code == 422
    actions = AuditEntry.objects.order_by("at").values_list("action", "before", "after")
    assert list(actions)[-1] == ("label.change", {"label": "customer"}, {"label": "client"})


def labels_of(tenant: Tenant) -> list[Any]:
    found = rows("SELECT labels FROM traces WHERE workspace_id = %(id)s", {"id": tenant.workspace.id})
    return [json.loads(row["labels"]) if row["labels"] else None for row in found]


def test_a_job_labels_stored_spans_again_and_the_page_says_how_far_it_is(tenant: Tenant) -> None:
    send(tenant, chat(1, attributes={"metadata": ACME}))
    address = f"{PAGE}?workspace={tenant.workspace.id}"
    tenant.client.post(address, {"attribute": "metadata.customer", "label": "customer"})
    assert labels_of(tenant) == [None]
    assert tenant.client.post(address, {"refill": "1"}).status_code == 302
    assert "Stored spans are being labelled again" in tenant.client.get(address).content.decode()
    assert tenant.client.post(f"{API}/refill").status_code == 409
    run_waiting_jobs("settings.relabel")
    assert labels_of(tenant) == [{"customer": "acme"}]
    refill = tenant.client.get(API).json()["refill"]
    assert [refill["state"], refill["percent"], refill["changed_rows"]] == ["done", 100, 1]
    text = " ".join(tenant.client.get(address).content.decode().split())
    assert "1 stored row got other labels." in text


def test_the_page_renames_with_a_click(tenant: Tenant) -> None:
    choose(tenant.workspace, {"metadata.customer": "customer"})
    address = f"{PAGE}?workspace={tenant.workspace.id}"
    form = {"attribute": "metadata.customer", "label": "client", "rename": "1"}
    assert tenant.client.post(address, form).status_code == 302
    assert [source.label for source in LabelSource.objects.all()] == ["client"]
