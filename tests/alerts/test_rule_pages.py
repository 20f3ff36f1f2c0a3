"""The pages of rules and events: all of them, one of them, and the form with its back-test."""

import re
from html import unescape
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from alerts.models import AlertEvent, Rule
from alerts.offers import OFFERS
from alerts.readings import NO_ANSWER
from tests.alerts.rules import DAY, HOUR, MINUTE, a_channel, a_round, a_rule, an_event, calls
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

HOSTILE = """"><script>alert(1)</script>{{ 7*7 }}' onfocus=x"""
FORM = {"metric": "cost_usd", "comparison": "above", "window": "1h", "warning": "$10", "no_data": "keep"}


def page(tenant: Tenant, path: str = "", expect: int = 200, **query: str) -> str:
    response = tenant.client.get(f"/dashboard/alerts{path}", {"workspace": str(tenant.workspace.id), **query})
    assert response.status_code == expect, response.content
    return response.content.decode()


def post(tenant: Tenant, path: str, form: dict[str, Any], expect: int = 302) -> Any:
    response = tenant.client.post(f"/dashboard/alerts{path}?workspace={tenant.workspace.id}", form)
    assert response.status_code == expect, response.content
    return response


def words(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def a_breach(tenant: Tenant, **values: Any) -> tuple[Rule, AlertEvent]:
    rule = a_rule(tenant, [a_channel(tenant)], **values)
    now = timezone.now()
    calls(tenant, 3, cost_usd="4", at=now - 10 * MINUTE)
    for minutes in range(3):
        a_round(now + minutes * MINUTE)
    return rule, rule.events.get()


@pytest.mark.parametrize("offer", OFFERS, ids=[offer.key for offer in OFFERS])
def test_each_offered_rule_is_made_by_one_click_and_offered_no_more(tenant: Tenant, offer: Any) -> None:
    channel = a_channel(tenant)
    assert offer.title in words(page(tenant))
    post(tenant, "", {"offer": offer.key})
    rule = Rule.objects.get()
    assert (rule.name, list(rule.channels.all())) == (offer.title, [channel])
    assert f'value="{offer.key}"' not in page(tenant)
    a_round(timezone.now())


def test_the_page_shows_rules_with_their_state_and_what_happened(tenant: Tenant) -> None:
    a_breach(tenant, name="Spend of all")
    shown = page(tenant)
    assert "Spend of all warning Spend above $10.00, in an hour $12.00" in words(shown)
    assert 'class="limit"' in shown
    assert "Spend is $12.00 in the last hour, above the warning limit of $10.00" in words(shown)


def test_banners_say_what_does_not_work(tenant: Tenant) -> None:
    rule = a_rule(tenant, name="Silent", metric="error_rate", no_data="notify")
    shown = words(page(tenant))
    assert "No message is sent: there is no channel." in shown
    a_channel(tenant, failing_since=timezone.now(), fault="The address does not answer.")
    calls(tenant, at=timezone.now() - 2 * HOUR)
    a_round(timezone.now())
    shown = words(page(tenant))
    assert "fails: The address does not answer." in shown
    assert "Silent has no data." in shown
    Rule.objects.filter(pk=rule.pk).update(
        evaluated_at=timezone.now() - HOUR, updated_at=timezone.now() - HOUR, fault="It is too large."
    )
    shown = words(page(tenant))
    assert "Rules were last looked at on" in shown
    assert "Silent cannot be judged: It is too large." in shown
    Rule.objects.filter(pk=rule.pk).update(fault=NO_ANSWER)
    shown = words(page(tenant))
    assert "Rules were last looked at on" not in shown
    assert "Silent cannot be judged: The database of traces did not answer in time." in shown


def test_the_form_makes_a_rule_and_keeps_what_it_has(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    form = FORM | {
        "filters": "agent_id = support\nlabel.customer = acme = globex",
        "per": "user",
        "critical": "20",
        "quiet_from": "22:00",
        "quiet_to": "07:00",
        "renotify": "60",
        "minimum_calls": "5",
        "channels": [str(channel.pk)],
    }
    post(tenant, "/new", form)
    rule = Rule.objects.get()
    assert (rule.name, rule.warning, rule.critical) == ("Spend of agent support, customer acme = globex", 10, 20)
    assert rule.filters == {"agent_id": ["support"], "label.customer": ["acme = globex"]}
    shown = page(tenant, f"/rules/{rule.pk}/edit")
    assert "label.customer = acme = globex" in unescape(shown)
    post(tenant, f"/rules/{rule.pk}/edit", form | {"warning": "12", "name": "renamed", "is_off": "1"})
    rule.refresh_from_db()
    assert (rule.name, rule.warning, rule.renotify_minutes, rule.is_active) == ("renamed", 12, 60, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("warning", "lots"),
        ("filters", "nonsense"),
        ("renotify", "2"),
        ("minimum_calls", "1.5"),
        ("quiet_from", "noon"),
        ("metric", HOSTILE),
        ("window", "1y"),
    ],
)
def test_a_wrong_field_says_so_and_keeps_what_was_typed(tenant: Tenant, field: str, value: str) -> None:
    shown = post(tenant, "/new", FORM | {"quiet_to": "07:00"} | {field: value}, expect=422).content.decode()
    error = re.search(r'id="[a-z-]+-error">([^<]+)<', shown)
    assert error, shown
    assert "<script>alert" not in shown


def test_the_back_test_shows_chart_moments_and_messages(tenant: Tenant) -> None:
    calls(tenant, 3, cost_usd="4", at=timezone.now() - 2 * DAY)
    response = tenant.client.post("/dashboard/alerts/backtest", FORM)
    shown = response.content.decode()
    assert "In the last 30 days it would have fired once" in words(shown)
    assert "Spend is $12.00 in the last hour, above the warning limit of $10.00" in words(shown)
    assert shown.count('class="mark"') == 1
    never = words(tenant.client.post("/dashboard/alerts/backtest", FORM | {"warning": "100"}).content.decode())
    assert "it would never have fired The highest was $12.00: a limit before it would tell something." in never
    assert "A preview appears" in tenant.client.post("/dashboard/alerts/backtest", {}).content.decode()


def test_the_page_of_a_rule_shows_it_and_mutes_it(tenant: Tenant) -> None:
    rule, _ = a_breach(tenant)
    shown = words(page(tenant, f"/rules/{rule.pk}"))
    assert "It tells when it is above $10.00, in an hour. Now it is $12.00." in shown
    assert "Told on team ." in shown
    post(tenant, f"/rules/{rule.pk}", {"mute": "1h"})
    assert "Muted until" in words(page(tenant, f"/rules/{rule.pk}"))
    post(tenant, f"/rules/{rule.pk}", {"mute": ""})
    assert "Muted until" not in words(page(tenant, f"/rules/{rule.pk}"))
    post(tenant, f"/rules/{rule.pk}", {"delete": "1"})
    assert not Rule.objects.exists()


def test_a_new_rule_is_not_ok_before_it_was_looked_at(tenant: Tenant) -> None:
    rule = a_rule(tenant, name="Spend")
    shown = words(page(tenant, f"/rules/{rule.pk}"))
    assert "not looked at yet Spend" in shown
    assert "It is looked at within a minute." in shown


def test_the_page_of_an_event_shows_the_moment_the_message_and_its_deliveries(tenant: Tenant) -> None:
    _, event = a_breach(tenant)
    shown = page(tenant, f"/events/{event.pk}")
    assert 'class="mark"' in shown
    told = words(shown)
    assert "Since the window before: agent support +$12.00." in told
    assert "waiting team" in told
    assert "It lasts." in told
    post(tenant, f"/events/{event.pk}", {})
    assert "anyone looks after it since" in words(page(tenant, f"/events/{event.pk}"))


def test_pages_show_events_while_the_database_of_traces_is_away(tenant: Tenant) -> None:
    _, event = a_breach(tenant)
    AlertEvent.objects.update(details={k: v for k, v in event.details.items() if k != "contributors"})
    error = OperationalError("down")
    with (
        patch("alerts.rule_pages.moment_of", side_effect=error),
        patch("alerts.facts.found_in_sums", side_effect=error),
        patch("alerts.facts.transient_cause", return_value=error),
        patch("alerts.rule_pages.transient_cause", return_value=error),
    ):
        assert "Spend is $12.00" in page(tenant, f"/events/{event.pk}")


def test_hostile_names_are_text(tenant: Tenant) -> None:
    rule = a_rule(tenant, name=HOSTILE[:100], filters={"agent_id": [HOSTILE]}, per="user")
    event = an_event(
        tenant.workspace,
        rule=rule,
        name=HOSTILE[:100],
        group=HOSTILE,
        details={"metric": "cost_usd", "comparison": "above", "filters": {"agent_id": [HOSTILE]}, "per": "user"}
        | {"window_minutes": 60, "calls": 1},
    )
    for path in ("", f"/rules/{rule.pk}", f"/rules/{rule.pk}/edit", f"/events/{event.pk}"):
        shown = page(tenant, path)
        assert "<script>alert" not in shown
        assert "onfocus=x" not in re.sub(r'"[^"]*"', "", shown).replace("&#x27; onfocus=x", "")


def test_a_viewer_reads_and_changes_nothing(tenant: Tenant, settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset()
    rule, event = a_breach(tenant)
    viewer = UserFactory()
    MembershipFactory(workspace=tenant.workspace, user=viewer, role="viewer")
    client = Client()
    client.force_login(viewer)
    asked = f"?workspace={tenant.workspace.id}"
    for path in ("", f"/rules/{rule.pk}", f"/events/{event.pk}"):
        shown = client.get(f"/dashboard/alerts{path}{asked}")
        assert shown.status_code == 200
        assert b'<form method="post" class="label-form"' not in shown.content
        assert b'name="offer"' not in shown.content
    for path in ("", "/new", f"/rules/{rule.pk}", f"/rules/{rule.pk}/edit", f"/events/{event.pk}"):
        assert client.post(f"/dashboard/alerts{path}{asked}", FORM | {"offer": "errors"}).status_code == 403
    assert client.get(f"/dashboard/alerts/new{asked}").status_code == 403


def test_a_form_without_its_token_changes_nothing(tenant: Tenant, settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset()
    editor = UserFactory()
    MembershipFactory(workspace=tenant.workspace, user=editor, role="editor")
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    path = f"/dashboard/alerts/new?workspace={tenant.workspace.id}"
    assert client.post(path, FORM).status_code == 403
    response = client.post(
        "/api/v1/alerts/rules",
        FORM,
        content_type="application/json",
        headers={"X-Workspace-ID": str(tenant.workspace.id)},
    )
    assert response.status_code == 403
    assert not Rule.objects.exists()


def test_another_workspace_is_not_shown(tenant: Tenant) -> None:
    other = WorkspaceFactory()
    rule = Rule.objects.create(
        workspace=other, name="theirs", metric="calls", window_minutes=60, comparison="above", warning=1
    )
    event = an_event(other, rule=rule)
    for path in (f"/rules/{rule.pk}", f"/rules/{rule.pk}/edit", f"/events/{event.pk}"):
        page(tenant, path, expect=404)
    assert "theirs" not in page(tenant)


def test_a_panel_leads_to_a_rule_about_what_it_shows(tenant: Tenant) -> None:
    shown = unescape(
        tenant.client.get(
            "/dashboard/performance",
            {"workspace": str(tenant.workspace.id), "agent_id": "support", "range": "7d"},
        ).content.decode()
    )
    path = f"/dashboard/alerts/new?metric=p95_latency_ms&workspace={tenant.workspace.id}&agent_id=support"
    assert path in shown
    form = unescape(tenant.client.get(path).content.decode())
    assert "agent_id = support" in form
    assert 'value="p95_latency_ms" selected' in form
