"""Every identity tries every route of the settings. A route that is missing here fails the first test."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from prices.models import PriceOverride
from settings.models import RowsUpdate
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.routes import ACCOUNT_ROUTES, LABELS, LABELS_PAGE, SETTINGS_ROUTES, routes
from tests.settings_pages.people import ask, somebody
from workspaces.invitation_tokens import new_token
from workspaces.models import ApiKey, AuditEntry, Invitation, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

IDENTITIES = (
    *("viewer", "editor", "owner", "superuser", "staff", "stranger", "anonymous"),
    *("key read", "key write", "key ingest", "key read write ingest content"),
)
READERS = dict.fromkeys(("viewer", "editor", "owner", "superuser"), 200)
READING_KEYS = {"key read": 200, "key read write ingest content": 200}
OWNERS = {"owner": 200, "superuser": 200}
MADE_BY_OWNERS = {"owner": 201, "superuser": 201}
WRITERS = ("editor", "owner", "superuser", "key write", "key read write ingest content")
VISITORS = {**dict.fromkeys(("staff", "stranger"), 404), **dict.fromkeys(("anonymous", "key"), 302)}
"""Those to whom a page does not exist, and those who are led to the sign-in: a page takes no key."""
NEW_NAME = {"name": "Renamed", "time_zone": "Europe/Berlin"}
API = "api/v1/settings"

# (method, route): who gets which status. Everybody else is refused: 401 without a credential, 403 with one.
CALLS: dict[tuple[str, str], dict[str, int]] = {
    ("GET", API): READERS | READING_KEYS,
    ("PATCH", API): OWNERS,
    ("GET", f"{API}/members"): READERS | READING_KEYS,
    ("PATCH", f"{API}/members/<int:member_id>"): OWNERS,
    ("DELETE", f"{API}/members/<int:member_id>"): dict.fromkeys(("owner", "superuser"), 204),
    ("GET", f"{API}/invitations"): OWNERS,
    ("POST", f"{API}/invitations"): dict.fromkeys(("owner", "superuser"), 201),
    ("DELETE", f"{API}/invitations/<uuid:invitation_id>"): dict.fromkeys(("owner", "superuser"), 204),
    ("POST", f"{API}/invitations/<uuid:invitation_id>/send"): OWNERS,
    ("GET", f"{API}/audit"): OWNERS | READING_KEYS,
    ("GET", f"{API}/keys"): READERS | READING_KEYS,
    ("POST", f"{API}/keys"): MADE_BY_OWNERS,
    ("GET", f"{API}/keys/<uuid:key_id>"): READERS | READING_KEYS,
    ("PATCH", f"{API}/keys/<uuid:key_id>"): OWNERS,
    ("DELETE", f"{API}/keys/<uuid:key_id>"): dict.fromkeys(("owner", "superuser"), 204),
    ("POST", f"{API}/keys/<uuid:key_id>/rotate"): MADE_BY_OWNERS,
    ("GET", f"{API}/prices"): READERS | READING_KEYS,
    ("POST", f"{API}/prices"): dict.fromkeys(WRITERS, 201),
    ("POST", f"{API}/prices/preview"): READERS | READING_KEYS,
    ("POST", f"{API}/prices/reprice"): dict.fromkeys(WRITERS, 202),
    ("GET", f"{API}/prices/<int:price_id>"): READERS | READING_KEYS,
    ("PATCH", f"{API}/prices/<int:price_id>"): dict.fromkeys(WRITERS, 200),
    ("DELETE", f"{API}/prices/<int:price_id>"): dict.fromkeys(WRITERS, 204),
    ("POST", f"{API}/labels/refill"): dict.fromkeys(WRITERS, 202),
    ("GET", f"{API}/content"): READERS | READING_KEYS,
    ("PATCH", f"{API}/content"): OWNERS,
    ("GET", f"{API}/usage"): READERS | READING_KEYS,
}
A_PRICE = {"model_pattern": "acme", "input_usd_per_million": 1, "output_usd_per_million": 2}
BODIES = {
    ("POST", f"{API}/keys"): {"name": "agent", "scopes": ["ingest"]},
    ("PATCH", f"{API}/keys/<uuid:key_id>"): {"name": "another agent"},
    ("POST", f"{API}/keys/<uuid:key_id>/rotate"): {},
    ("POST", f"{API}/prices"): A_PRICE,
    ("POST", f"{API}/prices/preview"): A_PRICE,
    ("POST", f"{API}/prices/reprice"): {"from": "2026-01-01T00:00:00Z"},
    ("PATCH", f"{API}/prices/<int:price_id>"): {"valid_until": "2099-01-01T00:00:00Z"},
    ("PATCH", f"{API}/content"): {"visible_to": "nobody"},
    ("PATCH", API): NEW_NAME,
    ("PATCH", f"{API}/members/<int:member_id>"): {"role": "editor"},
    ("POST", f"{API}/invitations"): {"role": "viewer"},
}
# (method, route): the fields of the form, and who gets which status.
PAGES: dict[tuple[str, str], tuple[dict[str, str], dict[str, int]]] = {
    ("GET", "settings"): ({}, dict.fromkeys(READERS, 302)),
    ("GET", "settings/general"): ({}, READERS),
    ("POST", "settings/general"): (NEW_NAME, dict.fromkeys(OWNERS, 302) | dict.fromkeys(("viewer", "editor"), 403)),
    ("GET", "settings/members"): ({}, READERS),
    ("POST", "settings/members"): (
        {"do": "invite", "role": "viewer", "expires_in_days": "7"},
        OWNERS | dict.fromkeys(("viewer", "editor"), 403),
    ),
    ("GET", "settings/audit"): ({}, READERS),
    ("GET", "settings/audit.csv"): ({}, OWNERS | dict.fromkeys(("viewer", "editor"), 403)),
    ("GET", "settings/workspaces"): ({}, READERS),
    ("GET", "settings/keys"): ({}, READERS),
    ("POST", "settings/keys"): (
        {"name": "agent", "scopes": "ingest"},
        OWNERS | dict.fromkeys(("viewer", "editor"), 403),
    ),
    ("GET", "settings/keys/<uuid:key_id>"): ({}, READERS),
    ("POST", "settings/keys/<uuid:key_id>"): (
        {"revoke": "1"},
        dict.fromkeys(OWNERS, 302) | dict.fromkeys(("viewer", "editor"), 403),
    ),
    ("GET", "settings/prices"): ({}, READERS),
    ("POST", "settings/prices"): (
        {name: str(value) for name, value in A_PRICE.items()},
        dict.fromkeys(("editor", "owner", "superuser"), 302) | {"viewer": 403},
    ),
    ("GET", "settings/prices/progress"): ({}, READERS),
    ("GET", "settings/labels/progress"): ({}, READERS),
    ("GET", "settings/content"): ({}, READERS),
    ("POST", "settings/content"): (
        {"visible_to": "nobody"},
        dict.fromkeys(OWNERS, 302) | dict.fromkeys(("viewer", "editor"), 403),
    ),
    ("GET", "settings/usage"): ({}, READERS),
}
ACCOUNT_PAGES = {"settings/new-workspace", "invitations/<str:token>"}
"""Routes that belong to no workspace: the tests below, and test_invitations.py and test_workspaces.py."""


def test_every_route_of_the_settings_is_in_the_matrix() -> None:
    tried = {route for _, route in (*CALLS, *PAGES)} | ACCOUNT_PAGES
    assert tried == SETTINGS_ROUTES.keys()
    found = {route for route, _ in routes() if route.startswith(("settings", "api/v1/settings", "invitations/"))}
    # Labels and accounts have tables of their own: test_labels.py and tests/accounts.
    assert found - {LABELS, LABELS_PAGE} - ACCOUNT_ROUTES.keys() == SETTINGS_ROUTES.keys()


def test_every_method_that_a_route_takes_is_in_the_matrix(workspace: Workspace) -> None:
    client, headers = somebody("superuser", workspace)
    for route in {route for _, route in CALLS}:
        answer = ask(client, headers, "PROPFIND", f"/{path_of(route, workspace)}")
        assert answer.status_code == 405
        allowed = set(answer["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
        assert allowed == {method for method, one in CALLS if one == route}, route


@pytest.fixture
def workspace() -> Workspace:
    """Makes a workspace that has an owner besides those who try."""
    return MembershipFactory(role="owner", user__username="first-owner").workspace


def path_of(route: str, workspace: Workspace) -> str:
    """Returns a path of the route, for a member or an invitation that is made for it."""
    if "member_id" in route:
        return route.replace("<int:member_id>", str(MembershipFactory(workspace=workspace, role="viewer").pk))
    if "key_id" in route:
        return route.replace("<uuid:key_id>", str(an_api_key("ingest", workspace=workspace)[0].pk))
    if "price_id" in route:
        return route.replace("<int:price_id>", str(PriceOverride.objects.create(workspace=workspace, **A_PRICE).pk))
    if "invitation_id" in route:
        return route.replace("<uuid:invitation_id>", str(an_invitation(workspace).pk))
    return route


def an_invitation(workspace: Workspace, role: str = "viewer") -> Invitation:
    owner = Membership.objects.filter(workspace=workspace, role="owner").order_by("pk")[0].user
    expires_at = timezone.now() + timedelta(days=7)
    invitation = Invitation(workspace=workspace, role=role, invited_by=owner, expires_at=expires_at)
    new_token(invitation)
    invitation.save()
    return invitation


def is_read(method: str, route: str) -> bool:
    return method == "GET" or route.endswith("/preview")


def state(workspace: Workspace) -> Any:
    models = (Workspace, Membership, Invitation, AuditEntry, PriceOverride, RowsUpdate)
    keys = ApiKey.objects.order_by("pk").values("pk", "name", "revoked_at", "expires_at", "can_write")
    # A key is made for each route that has one, and for each that tries.
    return [list(keys), *(list(model.objects.order_by("pk").values()) for model in models)]


@pytest.mark.parametrize("name", IDENTITIES)
def test_each_identity_gets_what_the_matrix_says_from_the_api(workspace: Workspace, name: str) -> None:
    client, headers = somebody(name, workspace)
    refused = 401 if name == "anonymous" else 403
    for (method, route), allowed in CALLS.items():
        path, before = path_of(route, workspace), state(workspace)
        answer = ask(client, headers, method, f"/{path}", BODIES.get((method, route)))
        assert answer.status_code == allowed.get(name, refused), (method, route, answer.content)
        if answer.status_code >= 400 or is_read(method, route):
            assert state(workspace) == before, (method, route)
        else:
            assert state(workspace) != before, (method, route)


@pytest.mark.parametrize("name", IDENTITIES)
def test_each_identity_gets_what_the_matrix_says_from_the_pages(workspace: Workspace, name: str) -> None:
    client, headers = somebody(name, workspace)
    refused = VISITORS.get(name, VISITORS["key"])
    for (method, route), (form, allowed) in PAGES.items():
        path, before = path_of(route, workspace), state(workspace)
        send = client.post if method == "POST" else client.get
        answer = send(f"/{path}", form, headers=headers, query_params={"workspace": str(workspace.pk)})
        expected = allowed.get(name, refused)
        # Without a session the form has no token that could be right.
        if method == "POST" and name not in ("viewer", "editor", "owner", "superuser", "staff", "stranger"):
            expected = 403
        assert answer.status_code == expected, (method, route, answer.content)
        if answer.status_code == 302 and name in ("anonymous", *(one for one in IDENTITIES if "key" in one)):
            assert answer["Location"].startswith("/sign-in?next=")
        if method == "GET" or answer.status_code >= 400:
            assert state(workspace) == before, (method, route)


@pytest.mark.parametrize(("method", "route"), [call for call in CALLS if call[0] != "GET"])
def test_a_session_changes_nothing_without_its_csrf_token(workspace: Workspace, method: str, route: str) -> None:
    client, headers = somebody("owner", workspace)
    path = path_of(route, workspace)
    before = state(workspace)
    del headers["X-CSRFToken"]
    answer = ask(client, headers, method, f"/{path}", BODIES.get((method, route)))
    assert answer.status_code == 403
    assert state(workspace) == before


@pytest.mark.parametrize("route", [route for method, route in PAGES if method == "POST"])
def test_a_form_changes_nothing_without_its_csrf_token(workspace: Workspace, route: str) -> None:
    client, _ = somebody("owner", workspace)
    form, _ = PAGES["POST", route]
    path, before = path_of(route, workspace), state(workspace)
    answer = client.post(f"/{path}", form, query_params={"workspace": str(workspace.pk)})
    assert answer.status_code == 403
    assert state(workspace) == before


@pytest.mark.parametrize("name", ["owner", "superuser"])
def test_nothing_gives_a_right_of_staff(workspace: Workspace, name: str) -> None:
    client, headers = somebody(name, workspace)
    member = MembershipFactory(workspace=workspace, role="viewer")
    before = (member.user.is_staff, member.user.is_superuser)
    for body in ({"role": "owner"}, {"role": "staff"}, {"role": "owner", "is_staff": True}):
        ask(client, headers, "PATCH", f"/{API}/members/{member.pk}", body)
    member.user.refresh_from_db()
    assert (member.user.is_staff, member.user.is_superuser) == before == (False, False)
    assert not member.user.user_permissions.exists()


def test_an_object_of_another_workspace_is_answered_like_none(workspace: Workspace) -> None:
    client, headers = somebody("owner", workspace)
    other = MembershipFactory(role="owner", workspace=WorkspaceFactory())
    theirs = an_invitation(other.workspace)
    before = state(workspace)
    for method, there, nowhere, body in (
        ("PATCH", f"members/{other.pk}", f"members/{10**30}", {"role": "viewer"}),
        ("DELETE", f"members/{other.pk}", "members/0", None),
        ("DELETE", f"invitations/{theirs.pk}", f"invitations/{uuid4()}", None),
        ("POST", f"invitations/{theirs.pk}/send", f"invitations/{uuid4()}/send", None),
    ):
        answers = [ask(client, headers, method, f"/{API}/{path}", body) for path in (there, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404], (method, there)
        assert answers[0].content == answers[1].content
    for form in (
        {"do": "remove", "member": str(other.pk)},
        {"do": "role", "role": "viewer", "member": str(other.pk)},
        {"do": "revoke", "invitation": str(theirs.pk)},
        {"do": "send", "invitation": str(theirs.pk)},
    ):
        answer = client.post("/settings/members", form, headers=headers, query_params={"workspace": str(workspace.pk)})
        assert answer.status_code == 404, form
    assert state(workspace) == before


def test_in_an_open_workspace_only_owners_manage(workspace: Workspace, settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset({workspace.pk})
    managing = [call for call, allowed in CALLS.items() if "owner" in allowed and "editor" not in allowed]
    changing = [call for call in managing if call[0] != "GET"] + [
        ("GET", f"{API}/audit"),
        ("GET", f"{API}/invitations"),
    ]
    for name, expected in (("anonymous", (401, 403)), ("stranger", (403,)), ("editor", (403,))):
        client, headers = somebody(name, workspace)
        for method, route in changing:
            path, before = path_of(route, workspace), state(workspace)
            answer = ask(client, headers, method, f"/{path}", BODIES.get((method, route)))
            assert answer.status_code in expected, (name, method, route)
            assert state(workspace) == before
    client, headers = somebody("owner", workspace)
    assert ask(client, headers, "PATCH", f"/{API}", NEW_NAME).status_code == 200
    assert UserFactory().is_staff is False
