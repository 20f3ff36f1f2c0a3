"""An open workspace needs no credential, so it must not be a way to send mail to strangers."""

from typing import Any

import pytest
from django.test import Client

from alerts.channels.email import may_name_addresses
from reports.models import Schedule
from reports.schedules.people import recipients_of
from tests.factories import MembershipFactory, UserFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

STRANGER = "stranger@example.com"


@pytest.fixture
def mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.com"


@pytest.fixture
def member(tenant: Tenant) -> Any:
    return MembershipFactory(workspace=tenant.workspace, user=UserFactory(email="ada@example.com")).user


def sent(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def a_report(**recipients: list[str]) -> dict[str, Any]:
    return {"name": "Costs", "kind": "cost", "period": "day", "recipients": recipients}


def a_channel(**settings: list[str]) -> dict[str, Any]:
    return {"name": "mail", "kind": "email", "settings": settings}


@pytest.mark.parametrize(
    ("path", "make"),
    [("/api/v1/reports", a_report), ("/api/v1/alerts/channels", a_channel)],
)
def test_anyone_sends_to_members_and_to_nobody_else(
    tenant: Tenant, member: Any, mail_server: None, path: str, make: Any
) -> None:
    refused = sent(tenant.client, path, make(addresses=[STRANGER]))
    assert refused.status_code == 422
    assert "its messages go to members only" in refused.json()["errors"][0]["msg"]
    made = sent(tenant.client, path, make(members=[member.username]))
    assert made.status_code == 201
    changed = tenant.client.patch(
        f"{path}/{made.json()['id']}",
        {name: value for name, value in make(addresses=[STRANGER]).items() if name in ("recipients", "settings")},
        content_type="application/json",
    )
    assert changed.status_code == 422


def test_addresses_of_before_the_workspace_was_opened_get_nothing(
    tenant: Tenant, member: Any, mail_server: None
) -> None:
    schedule = Schedule(workspace=tenant.workspace, addresses=[STRANGER], members=[member.username])
    assert recipients_of(schedule) == ["ada@example.com"]


def test_without_a_mail_server_addresses_are_for_trying_it_out(tenant: Tenant, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    assert may_name_addresses(tenant.workspace)
    assert sent(tenant.client, "/api/v1/reports", a_report(addresses=[STRANGER])).status_code == 201


def test_other_workspaces_send_to_any_address(tenant: Tenant, settings: Any, mail_server: None) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset()
    assert may_name_addresses(tenant.workspace)
