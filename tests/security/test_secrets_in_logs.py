"""A tour of everything with all loggers at DEBUG: no password, key, session or token is written anywhere."""

import logging
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connections
from django.test import Client

from tests.factories import PASSWORD, MembershipFactory, UserFactory, an_api_key
from tests.security.routes import paths
from tests.security.world import selecting
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__")


class Collected(logging.Handler):
    """Collects each record, with everything that a formatter could show of it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        shown = {name: value for name, value in vars(record).items() if name != "request"}
        self.lines.append(f"{self.format(record)} {shown!r}")


@pytest.fixture
def collected() -> Any:
    handler, root = Collected(), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(message)s"))
    before, silent = root.level, [name for name in logging.root.manager.loggerDict if name.startswith("django.db")]
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)
    assert silent is not None


def test_a_tour_leaves_no_secret_in_the_log(collected: Collected) -> None:
    user = UserFactory(is_staff=True, is_superuser=True, username="operator")
    membership = MembershipFactory(user=user, role="owner")
    key, secret = an_api_key("read", "write", "ingest", workspace=membership.workspace)
    client = Client(raise_request_exception=False)
    client.get("/sign-in")
    client.post("/sign-in", {"username": "operator", "password": "a wrong guess"})
    client.post("/sign-in", {"username": "operator", "password": PASSWORD})
    session, token = client.cookies["sessionid"].value, client.cookies["csrftoken"].value
    secrets = {"password": PASSWORD, "guess": "a wrong guess", "key": secret, "session": session, "token": token}
    bearer = {"Authorization": f"Bearer {secret}"} | selecting(key.workspace_id)
    for path in paths():
        if "logout" in path or "sign-out" in path:
            continue
        client.get(path, headers=selecting(key.workspace_id))
        client.get(path, {"key": secret, "password": PASSWORD}, headers=bearer)
        client.post(path, {"agent_id": "a", "password": PASSWORD}, content_type="application/json", headers=bearer)
        client.post(path, b"{", content_type="application/json", headers={"X-API-Key": secret})
    client.get("/nothing", {"key": secret}, headers=bearer)
    client.get("/", headers={"Host": "evil.example", "Authorization": f"Bearer {secret}"})
    Client(enforce_csrf_checks=True).post("/sign-in", {"username": "operator", "password": PASSWORD})
    form = {"workspace": str(key.workspace_id), "name": "issued", "can_read": "on", "expires_at_0": ""}
    page = client.post("/admin/workspaces/apikey/add/", form).content.decode()
    secrets["issued key"] = page.partition("<code>")[2].partition("</code>")[0]
    change = {"old_password": PASSWORD, "new_password1": "n3w winding words", "new_password2": "n3w winding words"}
    client.post("/admin/password_change/", change)
    secrets["new password"] = "n3w winding words"
    for fault in (RuntimeError("boom"), OperationalError("gone")):
        with patch("workspaces.models.ApiKeyManager.find_valid", side_effect=fault):
            assert client.get("/api/v1/usage/overview", headers=bearer).status_code in (500, 503)
    for _ in range(6):
        Client().post("/admin/login/", {"username": "operator", "password": PASSWORD + "x"})
    secrets |= {
        "database password": str(connections["default"].settings_dict.get("PASSWORD") or "no password here"),
        "digest": ApiKey.objects.values_list("digest", flat=True).get(pk=key.pk),
    }
    assert len(collected.lines) > 20, "the tour wrote next to nothing: is the log off?"
    assert secrets["issued key"].startswith("aop_")
    for name, value in secrets.items():
        assert [line[:500] for line in collected.lines if value in line] == [], name
