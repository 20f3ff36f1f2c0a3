"""Who may not see content gets it nowhere: in no page, panel, download, answer or error."""

import json
from typing import Any

import pytest
from django.urls import reverse

from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.routes import LISTS
from tests.security.test_tenancy import one_paths, trace_paths
from tests.security.world import PROBES, browser, selecting, signed_in
from tests.tenant import NOON, a_row
from traces import writer
from workspaces.models import ApiKey, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

SECRET = "canary-of-content"
NAMES = (
    *(
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "input.value",
        "prompt",
        "my.prompt",
        "llm.prompts.0",
        "notes",
    ),
    *("user_question", "langfuse.observation.input", "ai.prompt", "gen_ai.tool.call.arguments", "messages", "document"),
)
LONG = f"{SECRET} " * 30
ONE_OF_EACH = (("session", "talk"), ("user", "ada"), ("agent", "support"), ("tool", "search"))
# policy: the identities that see content.
SEEN_BY = {
    "members": {"viewer", "editor", "owner", "superuser", "key read content"},
    "editors": {"editor", "owner", "superuser", "key read content"},
    "nobody": set(),
}
IDENTITIES = ("viewer", "editor", "owner", "superuser", "key read", "key read write ingest", "key read content")


def filled(policy: str) -> Workspace:
    """Makes a workspace with content under every name, as messages, long texts and events."""
    workspace = WorkspaceFactory(content_visible_to=policy)
    said = json.dumps([{"role": "user", "content": SECRET}])
    values = dict.fromkeys(NAMES, said) | {"document": LONG, "notes": {"deep": [SECRET]}, "prompt": SECRET}
    events = [{"name": "gen_ai.choice", "attributes": {"message": SECRET}}]
    for number, operation in enumerate(("chat", "execute_tool", "other", "invoke_agent")):
        names = {
            "session_id": "talk",
            "user_id": "ada",
            "agent_id": "support",
            "tool": "search" if number == 1 else None,
        }
        attributes = values | {"events": events}
        row = a_row(trace_id="t", span_id=f"s{number}", operation=operation, attributes=attributes, **names)
        writer.store(workspace.id, [row])
    return workspace


def identity(name: str, workspace: Workspace) -> tuple[Any, dict[str, str]]:
    if name.startswith("key"):
        _, secret = an_api_key(*name.split()[1:], workspace=workspace)
        return browser(), {"Authorization": f"Bearer {secret}"}
    if name == "superuser":
        return signed_in(UserFactory(is_superuser=True))
    return signed_in(MembershipFactory(workspace=workspace, role=name).user)


def answers(client: Any, headers: dict[str, str], workspace: Workspace) -> dict[str, str]:
    """Returns everything that can be read of the trace, and of errors about it."""
    headers = headers | selecting(workspace.id)
    paths = [path for number in range(4) for path in trace_paths("t", f"s{number}")]
    pages = [reverse(name, args=["t"]) for name in ("trace-page", "trace-download")]
    paths += [*pages, "/api/v1/traces/t?limit=x", "/api/v1/traces/t/spans/none", "/dashboard/traces/t/spans/none"]
    paths += ["/api/v1/sessions/talk", "/dashboard/session-conversation/talk", *one_paths("ada", "support", "search")]
    paths += [f"/api/v1/{name}" for name in LISTS]
    searches = [f"/api/v1/{name}?search={SECRET}" for name in LISTS]
    paths += searches
    pages += [reverse(f"{name}-page") for name in LISTS]
    pages += [reverse(f"{name}-page", args=[key]) for name, key in ONE_OF_EACH]
    paths += pages
    found: dict[str, str] = {}
    query = {"workspace": str(workspace.id)}
    for path in dict.fromkeys(paths):
        for extra in ({}, {"HX-Request": "true"}):
            PROBES["content probes"] += 1
            response = client.get(path, query if path in pages else {}, headers=headers | extra)
            assert response.status_code < 500, path
            if path in searches:  # it finds nothing, but repeats the word
                assert response.content.decode().count(SECRET) <= 1
                continue
            found[path] = found.get(path, "") + response.content.decode()
    return found


@pytest.mark.parametrize("policy", SEEN_BY)
@pytest.mark.parametrize("name", IDENTITIES)
def test_content_is_shown_to_those_whom_the_workspace_names(policy: str, name: str) -> None:
    workspace = filled(policy)
    client, headers = identity(name, workspace)
    shown = answers(client, headers, workspace)
    holding = [path for path, text in shown.items() if SECRET in text]
    if name in SEEN_BY[policy]:
        assert {"/api/v1/traces/t", "/api/v1/traces/t/spans/s0", "/dashboard/trace-conversation/t"} <= {*holding}
        assert "/dashboard/session-conversation/talk" in holding
        return
    assert holding == []
    said = ("/dashboard/trace-conversation/t", "/dashboard/session-conversation/talk", "/dashboard/traces/t/spans/s0")
    for path in (*said, "/api/v1/traces/t/spans/s0"):
        assert "Content is hidden" in shown[path], path
    assert '"visible":false' in shown["/api/v1/traces/t"]


def test_a_changed_policy_holds_from_the_next_request_on() -> None:
    workspace = filled("members")
    client, headers = identity("viewer", workspace)
    assert SECRET in answers(client, headers, workspace)["/dashboard/trace-conversation/t"]
    Workspace.objects.filter(pk=workspace.pk).update(content_visible_to="editors")
    assert not [path for path, text in answers(client, headers, workspace).items() if SECRET in text]


def test_a_key_loses_content_with_its_scope() -> None:
    workspace = filled("members")
    client, headers = identity("key read content", workspace)
    assert SECRET in answers(client, headers, workspace)["/api/v1/traces/t"]
    ApiKey.objects.update(can_read_content=False)
    assert not [path for path, text in answers(client, headers, workspace).items() if SECRET in text]


def test_where_content_is_not_stored_the_page_says_so(settings: Any) -> None:
    settings.STORE_CONTENT = False
    workspace = WorkspaceFactory()
    writer.store(workspace.id, [a_row(NOON, trace_id="t", span_id="s")])
    client, headers = identity("viewer", workspace)
    headers |= selecting(workspace.id)
    for path in ("/dashboard/trace-conversation/t", "/dashboard/traces/t/spans/s"):
        assert "STORE_CONTENT=false" in client.get(path, headers=headers).content.decode()
    for path in ("/api/v1/traces/t", "/api/v1/traces/t/spans/s"):
        answer = client.get(path, headers=headers).json()
        assert answer["content"] == {"visible": True, "reason": None, "stored": False}


def test_numbers_and_names_stay_for_everyone() -> None:
    workspace = WorkspaceFactory(content_visible_to="nobody")
    attributes = {"gen_ai.usage.input_tokens": 7, "server.address": "api.example.com", "gen_ai.prompt": SECRET}
    writer.store(workspace.id, [a_row(trace_id="t", span_id="s", attributes=attributes)])
    client, headers = identity("owner", workspace)
    answer = client.get("/api/v1/traces/t/spans/s", headers=headers | selecting(workspace.id)).json()
    assert answer["attributes"] == {"gen_ai.usage.input_tokens": 7, "server.address": "api.example.com"}
