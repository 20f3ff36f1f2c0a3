"""Keys are made, changed, rotated and revoked by owners, on the page and by the API; everybody else sees the list."""

import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from traces.db import rows
from workspaces.models import ApiKey, AuditEntry, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

API = "/api/v1/settings/keys"


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def member(workspace: Workspace, role: str = "owner") -> Client:
    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    client.force_login(
        MembershipFactory(workspace=workspace, role=role).user, "django.contrib.auth.backends.ModelBackend"
    )
    return client


def page(client: Client, workspace: Workspace, path: str = "/settings/keys", **form: Any) -> Any:
    url = f"{path}?workspace={workspace.id}"
    return client.post(url, form) if form else client.get(url)


def send(secret: str, trace_id: str = "1", **headers: str) -> int:
    trace = json.dumps({"agent_id": "a", "trace_id": trace_id.zfill(32)})
    headers = {"Authorization": f"Bearer {secret}", **headers}
    return Client().post("/api/v1/traces", trace, content_type="application/json", headers=headers).status_code


def secret_in(answer: Any) -> str:
    return re.findall(r'<pre id="secret" tabindex="0">(aop_[^<]+)<', answer.content.decode())[0]


# --- The page ---


def test_an_owner_makes_a_key_whose_secret_only_the_next_page_shows(workspace: Workspace) -> None:
    owner = member(workspace)
    answer = page(owner, workspace, name="checkout", scopes=["ingest", "read"], expires_in_days="30")
    secret = secret_in(answer)
    assert send(secret) == 200
    assert "no-store" in answer["Cache-Control"]
    text = html.unescape(answer.content.decode())
    assert f"Authorization=Bearer%20{secret}" in text
    assert "http://testserver/v1/traces" in text
    assert "aop_..." not in text
    key = ApiKey.objects.get(workspace=workspace)
    assert (key.name, key.scopes) == ("checkout", {"ingest", "read"})
    assert key.created_by == workspace.memberships.get().user.username
    listed = page(owner, workspace).content.decode()
    assert "checkout" in listed
    assert secret not in listed
    assert secret not in page(owner, workspace, f"/settings/keys/{key.pk}").content.decode()


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"name": " ", "scopes": ["read"]}, "Name: must not be empty"),
        ({"name": "a"}, "Scopes:"),
        ({"name": "a", "scopes": ["content"]}, "Scopes: a key that reads content also needs read"),
        ({"name": "a", "scopes": ["manage"]}, "0:"),
        ({"name": "a", "scopes": ["read"], "expires_in_days": "99999"}, "Expires in days:"),
    ],
)
def test_a_form_with_a_fault_makes_no_key_and_says_why(
    workspace: Workspace, form: dict[str, Any], message: str
) -> None:
    answer = page(member(workspace), workspace, **form)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_others_see_the_keys_and_who_may_change_them(workspace: Workspace, role: str) -> None:
    key, secret = an_api_key("ingest", workspace=workspace)
    owner = MembershipFactory(workspace=workspace, role="owner").user
    client = member(workspace, role)
    text = page(client, workspace).content.decode()
    assert key.prefix in text
    assert f"Owners of the workspace change keys: {owner.username}" in text
    assert "Make the key" not in text
    assert page(client, workspace, name="x", scopes="read").status_code == 403
    for form in ({"rotate": "1"}, {"revoke": "1"}, {"name": "x"}):
        assert page(client, workspace, f"/settings/keys/{key.pk}", **form).status_code == 403
    assert ApiKey.objects.count() == 1
    assert send(secret) == 200


def test_the_list_says_when_and_from_which_program_a_key_was_used(workspace: Workspace) -> None:
    _, secret = an_api_key("ingest", workspace=workspace)
    assert send(secret, **{"User-Agent": "OTel-OTLP-Exporter-Python/1.45 <b>"}) == 200
    text = page(member(workspace), workspace).content.decode()
    assert "OTel-OTLP-Exporter-Python/1.45 &lt;b&gt;" in text
    assert send(secret, **{"User-Agent": "another"}) == 200
    assert ApiKey.objects.get().last_used_by.startswith("OTel")  # it is stored at most once a minute


def test_revoking_ends_the_key_at_once(workspace: Workspace) -> None:
    key, secret = an_api_key("ingest", workspace=workspace)
    assert page(member(workspace), workspace, f"/settings/keys/{key.pk}", revoke="1").status_code == 302
    assert send(secret) == 401


# --- The API ---


def test_the_api_makes_changes_rotates_and_revokes(workspace: Workspace) -> None:
    owner = member(workspace)
    made = owner.post(API, {"name": "a", "scopes": ["ingest"]}, content_type="application/json")
    assert made.status_code == 201
    key = made.json()
    assert key.pop("secret").startswith(key["prefix"])
    assert owner.get(f"{API}/{key['id']}").json() == key
    changed = owner.patch(f"{API}/{key['id']}", {"name": "b"}, content_type="application/json").json()
    assert changed == key | {"name": "b"}
    rotated = owner.post(f"{API}/{key['id']}/rotate", {"overlap_hours": 1}, content_type="application/json").json()
    assert [rotated["name"], rotated["scopes"]] == ["b", ["ingest"]]
    assert owner.get(f"{API}/{key['id']}").json()["replaced_by"] == rotated["id"]
    assert owner.delete(f"{API}/{rotated['id']}").status_code == 204
    assert [one["state"] for one in owner.get(API).json()["data"]] == ["valid", "revoked"]
    assert "secret" not in owner.get(API).content.decode()
    actions = list(AuditEntry.objects.filter(workspace=workspace).order_by("at").values_list("action", flat=True))
    assert actions == ["key.create", "key.change", "key.rotate", "key.revoke"]


@pytest.mark.parametrize("scopes", [("read",), ("ingest", "read", "write", "content")])
def test_no_key_makes_or_ends_keys(workspace: Workspace, scopes: tuple[str, ...]) -> None:
    key, secret = an_api_key(*scopes, workspace=workspace)
    client = Client(headers={"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(workspace.id)})
    assert client.get(API).status_code == 200
    for answer in (
        client.post(API, {"name": "a", "scopes": ["read"]}, content_type="application/json"),
        client.post(f"{API}/{key.pk}/rotate", {}, content_type="application/json"),
        client.patch(f"{API}/{key.pk}", {"name": "b"}, content_type="application/json"),
        client.delete(f"{API}/{key.pk}"),
    ):
        assert answer.status_code == 403
    assert list(ApiKey.objects.values_list("name", "revoked_at")) == [("test", None)]


def test_keys_of_another_workspace_do_not_exist_here(workspace: Workspace) -> None:
    other, _ = an_api_key("read")
    owner = member(workspace)
    assert owner.get(API).json() == {"data": []}
    assert owner.get(f"{API}/{other.pk}").status_code == 404
    assert owner.delete(f"{API}/{other.pk}").status_code == 404
    assert owner.post(f"{API}/{other.pk}/rotate", {}, content_type="application/json").status_code == 404
    assert page(owner, workspace, f"/settings/keys/{other.pk}").status_code == 404
    assert page(owner, workspace, f"/settings/keys/{other.pk}", revoke="1").status_code == 404
    assert ApiKey.objects.get().revoked_at is None


# --- Rotation ---


def rotate(client: Client, key: ApiKey, **body: Any) -> Any:
    return client.post(f"{API}/{key.pk}/rotate", body, content_type="application/json")


def test_after_a_rotation_both_keys_work_until_the_overlap_is_over(workspace: Workspace) -> None:
    key, old = an_api_key("ingest", workspace=workspace)
    new = rotate(member(workspace), key, overlap_hours=24).json()["secret"]
    assert [send(old), send(new)] == [200, 200]
    ApiKey.objects.filter(pk=key.pk).update(expires_at="2026-01-01T00:00Z")
    assert [send(old), send(new)] == [401, 200]


def test_without_an_overlap_the_old_key_ends_at_once(workspace: Workspace) -> None:
    key, old = an_api_key("ingest", workspace=workspace)
    new = rotate(member(workspace), key, overlap_hours=0).json()["secret"]
    assert [send(old), send(new)] == [401, 200]


def test_a_key_that_is_replaced_or_over_is_not_rotated(workspace: Workspace) -> None:
    owner = member(workspace)
    key, _ = an_api_key("ingest", workspace=workspace)
    assert rotate(owner, key).status_code == 201
    assert rotate(owner, key).status_code == 409
    revoked, _ = an_api_key("ingest", workspace=workspace, revoked_at="2026-01-01T00:00Z")
    assert rotate(owner, revoked).status_code == 409


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_no_span_is_lost_while_a_key_rotates_under_load(workspace: Workspace) -> None:
    key, old = an_api_key("ingest", workspace=workspace)
    owner = member(workspace)
    secrets = [old]
    has_begun = Event()

    def deliver(number: int) -> int:
        try:
            status = send(secrets[-1], str(number))
            if number == 10:
                has_begun.set()
            return status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(deliver, number) for number in range(60)]
        has_begun.wait(15)
        secrets.append(rotate(owner, key, overlap_hours=1).json()["secret"])
        statuses = [one.result() for one in running]
    assert statuses == [200] * 60
    stored = rows("SELECT count(*) AS n FROM traces WHERE workspace_id = %(id)s", {"id": workspace.id})
    assert stored == [{"n": 60}]
    assert send(secrets[-1], "61") == 200
