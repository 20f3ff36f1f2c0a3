"""Public links: who makes them, what they show to anyone, and when they stop."""

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from dashboards import throttle
from dashboards.links import MOST_LINKS, allow
from dashboards.models import Dashboard, PublicLink
from dashboards.panels import kinds
from tests.dashboards.dashboards import CALLS, COST, Caller, a_caller, a_link, a_program
from tests.tenant import NOON, Tenant, iso
from workspaces.models import AuditEntry, Role

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
OF_KINDS: dict[str, dict[str, Any]] = {
    "number": {"measures": ["calls"]},
    "donut": {"measures": ["calls"], "by": ["model"]},
    "horizontal_bars": {"measures": ["calls"], "by": ["agent_id"]},
    "table": {"measures": ["calls", "cost_usd"], "by": ["model"]},
    "text": {"text": "See https://example.com/runbook"},
    **{kind: {"measures": ["calls"], "by": ["model"]} for kind in ("line", "stepped", "stacked_area")},
    **{kind: {"measures": ["calls"], "by": ["model"]} for kind in ("bars", "stacked_bars")},
}


@pytest.fixture
def owner() -> Caller:
    return a_caller(Role.OWNER)


def calls(caller: Caller, count: int, **values: Any) -> None:
    Tenant(caller.workspace, caller.client).calls(count, **values)


def token_of(link: Any) -> str:
    return str(link["url"].rpartition("/d/")[2])


def shown(token: str, panel: str = "", expect: int = 200, **query: Any) -> str:
    """Returns the page of a token, or a panel of it, as a stranger sees it."""
    path = f"/d/{token}/panels/{panel}" if panel else f"/d/{token}"
    response = Client(headers={"HX-Request": "true"} if panel else {}).get(path, query)
    assert response.status_code == expect, response.content
    return response.content.decode()


def test_links_are_off_until_an_owner_allows_them(owner: Caller) -> None:
    made = owner.make()
    path = f"/{made['id']}/links"
    assert "does not allow public links" in owner.send("post", path, {}, 403)["detail"]
    owner.send("put", "/sharing", {"allows_public_links": True})
    assert owner.send("post", path, {"days": 7}, 201)["state"] == "active"
    assert owner.send("get", "/sharing") == {"allows_public_links": True}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_only_owners_make_list_and_revoke_links(owner: Caller, role: Role) -> None:
    made = owner.make()
    link, member = a_link(owner, made), a_caller(role, owner.workspace)
    member.send("post", f"/{made['id']}/links", {}, 403)
    member.send("get", f"/{made['id']}/links", None, 403)
    member.send("delete", f"/{made['id']}/links/{link['id']}", None, 403)
    member.send("put", "/sharing", {"allows_public_links": True}, 403)
    assert "Only owners" in member.client.get(f"/dashboard/dashboards/{made['id']}/share").content.decode()
    pressed = member.client.post(f"/dashboard/dashboards/{made['id']}/share", {"days": "7"})
    assert pressed.status_code == 403
    a_program(owner.workspace, "read", "write").send("post", f"/{made['id']}/links", {}, 403)


def test_a_stranger_reads_the_page_without_cookies_and_nobody_stores_it(owner: Caller) -> None:
    link = a_link(owner, owner.make())
    response = Client().get(f"/d/{token_of(link)}")
    assert response.status_code == 200
    assert "Finance" in response.content.decode()
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "private, no-store")
    assert "noindex" in response["X-Robots-Tag"]
    assert not response.cookies
    page = response.content.decode()
    assert str(owner.workspace.pk) not in page
    assert owner.workspace.name not in page
    assert not re.findall(r'href="/(?!static/|#)[^"]*"', page)


@pytest.mark.parametrize("kind", OF_KINDS)
def test_a_panel_shows_its_answer_and_no_way_into_the_product(owner: Caller, kind: str) -> None:
    calls(owner, 3, cost_usd="2")
    panel = {"id": "p", "kind": kind, "title": "It", "place": CALLS["place"], **OF_KINDS[kind]}
    link = a_link(owner, owner.make(panels=[panel], range=DAY))
    html = shown(token_of(link), "p")
    assert not re.search(r'href="[/?]|"meta": "|xlink', html)
    assert str(owner.workspace.pk) not in html
    assert "gpt-4o" in html or "3" in html or "runbook" in html


def test_single_traces_and_errors_are_for_members(owner: Caller) -> None:
    panels = [{"id": kind, "kind": kind, "place": CALLS["place"]} for kind in ("traces", "errors")]
    token = token_of(a_link(owner, owner.make(panels=panels)))
    page = shown(token)
    assert page.count("shown to members of the workspace only") == 2
    assert "cannot be drawn" not in page
    shown(token, "traces", 404)
    shown(token, "errors", 404)
    assert {*OF_KINDS, "traces", "errors", "heat_map", "budget", "alerts"} == {*kinds()}


@pytest.mark.parametrize(
    "query", [{"agent_id": "other"}, {"var.agent": "other"}, {"range": "1h"}, {"workspace": "x"}, {"not_agent_id": "a"}]
)
def test_nothing_in_the_address_changes_what_a_link_shows(owner: Caller, query: dict[str, str]) -> None:
    calls(owner, 3, agent_id="a")
    calls(owner, 5, agent_id="other")
    variables = [{"name": "agent", "dimension": "agent_id", "default": ["a"]}]
    token = token_of(a_link(owner, owner.make(panels=[CALLS], range=DAY, variables=variables)))
    assert shown(token, "calls") == shown(token, "calls", **query)
    assert "3" in shown(token, "calls", **query)
    assert "5" not in re.sub(r"<[^>]*>", "", shown(token, "calls", **query))


def test_a_link_that_says_so_lets_readers_choose_window_and_variables_only(owner: Caller) -> None:
    calls(owner, 3, agent_id="a")
    calls(owner, 7, agent_id="b")
    variables = [{"name": "agent", "dimension": "agent_id", "title": "Agent", "default": ["a"]}]
    token = token_of(a_link(owner, owner.make(panels=[CALLS], range=DAY, variables=variables), may_choose=True))
    assert 'name="var.agent"' in shown(token)
    assert "7" in re.sub(r"<[^>]*>", "", shown(token, "calls", **{"var.agent": "b"}))
    assert shown(token, "calls", model="o3") == shown(token, "calls")
    for window in ({"range": "nonsense"}, {"start": "x"}, {"range": "30d", "start": "x", "end": "y"}):
        assert shown(token, "calls", **window) == shown(token, "calls")


def test_a_link_shows_nothing_of_another_dashboard_or_workspace(owner: Caller) -> None:
    other = a_caller(Role.OWNER)
    calls(other, 9)
    calls(owner, 3)
    token = token_of(a_link(owner, owner.make(panels=[CALLS], range=DAY)))
    owner.make(panels=[COST])
    shown(token, "cost", 404)
    assert "9" not in re.sub(r"<[^>]*>", "", shown(token, "calls", workspace=str(other.workspace.pk)))


def test_a_guessed_expired_or_revoked_link_is_not_found(owner: Caller) -> None:
    made = owner.make()
    first, second, third = (a_link(owner, made) for _ in range(3))
    owner.send("delete", f"/{made['id']}/links/{first['id']}", None, 204)
    PublicLink.objects.filter(pk=second["id"]).update(expires_at=timezone.now())
    for token in (token_of(first), token_of(second), "guessed", first["id"], "\u00e9", "a" * 500):
        shown(token, expect=404)
        shown(token, "calls", 404)
    shown(token_of(third))
    states = [one["state"] for one in owner.send("get", f"/{made['id']}/links")["data"]]
    assert states == ["active", "expired", "revoked"]
    allow(owner.workspace, False, "owner")
    shown(token_of(third), expect=404)


def test_a_link_ends_within_ninety_days_and_its_token_is_not_stored(owner: Caller) -> None:
    made = owner.make()
    link = a_link(owner, made, days=90)
    path = f"/{made['id']}/links"
    owner.send("post", path, {"days": 91}, 422)
    owner.send("post", path, {"days": 0}, 422)
    [stored] = PublicLink.objects.all()
    assert token_of(link) not in str(vars(stored))
    assert timedelta(days=89) < stored.expires_at - timezone.now() <= timedelta(days=90)
    assert "url" not in owner.send("get", path)["data"][0]


def test_the_oldest_ended_link_makes_room(owner: Caller) -> None:
    made = owner.make()
    allow(owner.workspace, True, "owner")
    with patch("dashboards.links.MOST_LINKS", 2):
        first, _ = (a_link(owner, made) for _ in range(2))
        owner.send("post", f"/{made['id']}/links", {}, 422)
        owner.send("delete", f"/{made['id']}/links/{first['id']}", None, 204)
        owner.send("post", f"/{made['id']}/links", {}, 201)
    assert PublicLink.objects.count() == 2 < MOST_LINKS


def test_deleting_the_dashboard_ends_its_links(owner: Caller) -> None:
    made = owner.make()
    token = token_of(a_link(owner, made))
    owner.send("delete", f"/{made['id']}", None, 204)
    shown(token, expect=404)
    assert not Dashboard.objects.exists()


def test_guessing_and_hammering_end_in_429(owner: Caller) -> None:
    token = token_of(a_link(owner, owner.make()))
    with patch.object(throttle, "GUESSES", 3), patch.object(throttle, "OF_A_READER", 3):
        statuses = [Client().get("/d/guess").status_code for _ in range(5)]
        assert statuses == [404, 404, 404, 429, 429]
        statuses = [Client().get(f"/d/{token}").status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]


def test_a_public_panel_is_no_api(owner: Caller) -> None:
    token = token_of(a_link(owner, owner.make()))
    assert Client().get(f"/d/{token}/panels/cost").status_code == 404
    assert Client(headers={"HX-Request": "true"}).post(f"/d/{token}/panels/cost").status_code == 405
    assert (
        Client(headers={"HX-Request": "true"})
        .get(f"/d/{token}/panels/cost?format=csv")["Content-Type"]
        .startswith("text/html")
    )


def test_names_of_users_stay_text_on_a_public_page(owner: Caller) -> None:
    script = '<script>alert(1)</script><a href="/x" class="to-traces">'
    calls(owner, 2, model=script)
    panel = OF_KINDS["table"] | {"id": "p", "kind": "table", "title": script, "place": CALLS["place"]}
    token = token_of(a_link(owner, owner.make(panels=[panel], range=DAY, name=script)))
    for html in (shown(token), shown(token, "p")):
        assert "<script>alert" not in html
        assert "&lt;script" in html, html


def test_the_audit_says_who_allowed_made_and_revoked_links_and_shows_no_token(owner: Caller) -> None:
    made = owner.make()
    for _ in range(2):
        owner.send("put", "/sharing", {"allows_public_links": True})
    link = owner.send("post", f"/{made['id']}/links", {"days": 7}, 201)
    for _ in range(2):
        owner.send("delete", f"/{made['id']}/links/{link['id']}", None, 204)
    found = AuditEntry.objects.filter(workspace=owner.workspace, action__startswith="link.").order_by("at")
    assert [(one.actor, one.action, one.subject) for one in found] == [
        (owner.user.username, "link.allow", "public links"),
        (owner.user.username, "link.create", "Finance"),
        (owner.user.username, "link.revoke", "Finance"),
    ]
    assert not any(token_of(link) in f"{one.before}{one.after}" for one in found)


def test_a_public_panel_of_alerts_offers_no_rule_to_make(owner: Caller) -> None:
    panel = {"id": "p", "kind": "alerts", "place": CALLS["place"]}
    html = shown(token_of(a_link(owner, owner.make(panels=[panel]))), "p")
    assert "No rule is on." in html
    assert "Make one" not in html
