"""Every identity tries every route that changes something, with every method."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from budgets.models import Budget, BudgetChange
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.routes import BUDGET, INGESTION, INGESTION_READS, READ_AND_INGEST, paths
from tests.security.test_tenancy import BODIES, OTLP
from tests.security.world import PROBES, browser, selecting, signed_in
from traces.db import rows
from workspaces.models import ApiKey, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

# identity: (budget, ingestion)
MATRIX = {
    "anonymous": (401, 401),
    "stranger": (403, 401),
    "staff": (403, 401),
    "viewer": (403, 401),
    "editor": (200, 401),
    "owner": (200, 401),
    "superuser": (200, 401),
    "key ingest": (403, 200),
    "key read": (403, 403),
    "key write": (200, 403),
    "key read write": (200, 403),
    "key ingest read write": (200, 200),
    "key": (403, 403),
}
SUCCESS = (200, 207)
WRITING = ("POST", "PUT", "PATCH", "DELETE")
OTHERS = ("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def identity(name: str, workspace: Workspace) -> tuple[Any, dict[str, str]]:
    if name.startswith("key"):
        _, secret = an_api_key(*name.split()[1:], workspace=workspace)
        return browser(), {"Authorization": f"Bearer {secret}"}
    if name == "anonymous":
        return browser(), {}
    if name in ("stranger", "staff", "superuser"):
        MembershipFactory(user=(user := UserFactory(is_staff=name == "staff", is_superuser=name == "superuser")))
        return signed_in(user)
    return signed_in(MembershipFactory(workspace=workspace, role=name).user)


def state() -> Any:
    stored = [list(model.objects.order_by("pk").values()) for model in (Workspace, Membership, Budget, BudgetChange)]
    keys = list(ApiKey.objects.order_by("pk").values("pk", "name", "revoked_at", "expires_at", "can_write"))
    users = list(User.objects.order_by("pk").values("pk", "username", "password", "is_superuser", "is_active"))
    spans = rows("SELECT workspace_id, trace_id, span_id, agent_id FROM traces ORDER BY 1, 2, 3", {})
    return stored, keys, users, spans, rows("SELECT workspace_id, id, name FROM scores ORDER BY 1, 2", {})


@pytest.mark.parametrize("name", MATRIX)
def test_each_identity_may_do_what_the_matrix_says(workspace: Workspace, name: str) -> None:
    client, headers = identity(name, workspace)
    headers = headers | selecting(workspace.id)
    budget, ingestion = MATRIX[name]
    before = state()
    answer = client.put(f"/{BUDGET}", {"monthly_limit_usd": 7}, content_type="application/json", headers=headers)
    assert answer.status_code == budget
    assert (Budget.objects.filter(workspace=workspace).first() is not None) == (budget == 200)
    for route in sorted({*INGESTION, *READ_AND_INGEST}):
        body = BODIES.get(route, OTLP)
        answer = client.post(f"/{route}", body, content_type="application/json", headers=headers)
        assert answer.status_code in (SUCCESS if ingestion == 200 else (ingestion,)), route
        PROBES["role matrix"] += 1
    if budget != 200 and ingestion != 200:
        assert state() == before


@pytest.mark.parametrize("name", ["anonymous", "staff", "owner", "superuser", "key ingest read write"])
def test_no_other_method_or_route_changes_anything(workspace: Workspace, name: str) -> None:
    client, headers = identity(name, workspace)
    headers = headers | selecting(workspace.id)
    designated = {(f"/{BUDGET}", "PUT"), *((f"/{route}", "POST") for route in {*INGESTION, *READ_AND_INGEST})}
    designated |= {("/sign-in", "POST"), ("/sign-out", "POST")}  # change the session only; tests of their own
    before = state()
    for place, path in enumerate(paths()):
        for method in (*WRITING, OTHERS[place % len(OTHERS)]):
            if (path, method) in designated or (path == "/admin/logout/" and method == "POST"):
                continue
            answer = client.generic(method, path, b"{}", content_type="application/json", headers=headers)
            assert answer.status_code < 500, (path, method)
            PROBES["methods tried by role"] += 1
    assert state() == before


def test_a_get_where_a_post_is_needed_says_so(workspace: Workspace) -> None:
    client, headers = identity("key ingest", workspace)
    for route in INGESTION:
        answer = client.get(f"/{route}", headers=headers)
        assert (answer.status_code, answer["Allow"]) == (405, "POST"), route
    for route in INGESTION_READS:
        assert client.post(f"/{route}", headers=headers).status_code == 405


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_budget_takes_a_put_only(workspace: Workspace, method: str) -> None:
    client, headers = identity("owner", workspace)
    body = b'{"monthly_limit_usd": 7}'
    answer = client.generic(
        method, f"/{BUDGET}", body, content_type="application/json", headers=headers | selecting(workspace.id)
    )
    assert answer.status_code in (403, 405)
    assert not Budget.objects.exists()
    # What a framework or proxy might take for the method.
    for override in ({"X-HTTP-Method-Override": "PUT"}, {"X-Method-Override": "PUT"}):
        answer = client.post(
            f"/{BUDGET}?_method=PUT",
            body,
            content_type="application/json",
            headers=headers | selecting(workspace.id) | override,
        )
        assert answer.status_code == 405
    assert not Budget.objects.exists()
