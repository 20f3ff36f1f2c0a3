"""People and programs that try the settings of a workspace."""

from typing import Any

import orjson
from django.test import Client

from tests.factories import MembershipFactory, UserFactory, an_api_key
from tests.security.world import browser, selecting, signed_in
from workspaces.models import Workspace

ROLES = ("viewer", "editor", "owner")


def somebody(name: str, workspace: Workspace) -> tuple[Client, dict[str, str]]:
    """Returns a browser and the headers of a viewer, editor, owner, staff, superuser, stranger, key or anonymous."""
    selected = selecting(workspace.pk)
    if name.startswith("key"):
        _, secret = an_api_key(*name.split()[1:], workspace=workspace)
        return browser(), {"Authorization": f"Bearer {secret}"} | selected
    if name == "anonymous":
        return browser(), selected
    if name in ROLES:
        user = MembershipFactory(workspace=workspace, role=name, user__username=f"an-{name}").user
    else:
        user = UserFactory(username=name, is_staff=name in ("staff", "superuser"), is_superuser=name == "superuser")
    client, headers = signed_in(user)
    return client, headers | selected


def ask(client: Client, headers: dict[str, str], method: str, path: str, body: Any = None) -> Any:
    return client.generic(
        method, path, "" if body is None else orjson.dumps(body), content_type="application/json", headers=headers
    )
