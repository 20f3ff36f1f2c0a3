"""The pages of channels: who may change what, what the forms send, and the log of deliveries."""

from typing import Any

import pytest
from django.test import Client

from alerts.models import Channel, Delivery
from alerts.stored_settings import settings_of
from tests.alerts.test_attempts import a_channel, a_delivery
from tests.alerts.test_channels_api import SETTINGS, SLACK
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.tenant import Tenant
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")

PAGE = "/dashboard/alerts/channels"


def signed_in(role: str) -> tuple[Client, Any]:
    membership = MembershipFactory(role=role)
    client = Client()
    client.force_login(membership.user, backend="django.contrib.auth.backends.ModelBackend")
    return client, membership.workspace


def test_a_viewer_looks_and_changes_nothing() -> None:
    client, workspace = signed_in(Role.VIEWER)
    channel = a_channel(workspace=workspace)
    page = client.get(PAGE).content.decode()
    assert "Team" in page
    assert "Send test" not in page
    assert "Add a channel" not in page
    own = f"{PAGE}/{channel.pk}"
    assert "Delete this channel" not in client.get(own).content.decode()
    for path, form in (
        (own, {"test": "1"}),
        (own, {"delete": "1"}),
        (f"{own}/edit", {"name": "mine"}),
        (f"{PAGE}/new/slack", {"name": "mine", "url": SLACK}),
    ):
        assert client.post(path, form).status_code == 403, path
    assert [one.name for one in Channel.objects.all()] == ["Team"]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("role", [Role.EDITOR, Role.OWNER])
def test_editors_and_owners_make_test_and_delete_a_channel(role: str) -> None:
    client, workspace = signed_in(role)
    made = client.post(f"{PAGE}/new/slack", {"name": "Team", "url": SLACK}, follow=True)
    channel = Channel.objects.get()
    assert (made.status_code, channel.workspace, channel.created_by) == (200, workspace, channel.created_by)
    assert SLACK not in made.content.decode()
    client.post(f"{PAGE}/{channel.pk}", {"test": "1"})
    assert Delivery.objects.get().is_test
    client.post(f"{PAGE}/{channel.pk}", {"delete": "1"})
    assert not Channel.objects.exists()


def test_each_kind_has_a_form(tenant: Tenant) -> None:
    for kind, settings in SETTINGS.items():
        assert tenant.client.get(f"{PAGE}/new/{kind}").status_code == 200
        form = {name: "\n".join(value) if isinstance(value, list) else value for name, value in settings.items()}
        form = {"region": "us", "name": kind} | form
        assert tenant.client.post(f"{PAGE}/new/{kind}", form).status_code == 302, kind
        stored = settings_of(Channel.objects.get(name=kind))
        assert {name: stored[name] for name in settings} == settings
    assert tenant.client.get(f"{PAGE}/new/pigeon").status_code == 404


def test_an_empty_field_keeps_its_secret(tenant: Tenant) -> None:
    channel = a_channel(workspace=tenant.workspace)
    form = {"name": "Own", "url": "https://example.org/new", "signing_secret": "", "is_off": "1"}
    assert tenant.client.post(f"{PAGE}/{channel.pk}/edit", form).status_code == 302
    channel.refresh_from_db()
    assert settings_of(channel) == SETTINGS["webhook"] | {"url": "https://example.org/new"}
    assert (channel.name, channel.is_active) == ("Own", False)


def test_a_form_chooses_among_the_members_with_an_address(tenant: Tenant) -> None:
    for name, address in (("ada", "ada@example.com"), ("bob", "")):
        MembershipFactory(workspace=tenant.workspace, user=UserFactory(username=name, email=address))
    page = tenant.client.get(f"{PAGE}/new/email").content.decode()
    assert 'value="ada"' in page
    assert 'value="bob"' not in page
    tenant.client.post(f"{PAGE}/new/email", {"name": "Team", "members": ["ada"]})
    assert Channel.objects.get().options == {"addresses": [], "members": ["ada"]}


def test_the_form_of_email_says_when_mail_is_off(tenant: Tenant, settings: Any) -> None:
    assert "Mail is off" not in tenant.client.get(f"{PAGE}/new/email").content.decode()
    settings.MAIL_IS_ON = False
    assert "Mail is off" in tenant.client.get(f"{PAGE}/new/email").content.decode()
    assert "Mail is off" not in tenant.client.get(f"{PAGE}/new/slack").content.decode()


def test_too_many_tests_are_refused_in_words(tenant: Tenant) -> None:
    channel = a_channel(workspace=tenant.workspace)
    for _ in range(3):
        tenant.client.post(f"{PAGE}/{channel.pk}", {"test": "1"})
    refused = tenant.client.post(f"{PAGE}/{channel.pk}", {"test": "1"})
    assert refused.status_code == 429
    assert "There were 3 tests in the last 10 minutes." in refused.content.decode()


def test_the_log_shows_what_failed_and_polls_only_while_something_is_about_to_be_sent(tenant: Tenant) -> None:
    delivery = a_delivery(a_channel(workspace=tenant.workspace), subject="Spend <b>is</b> up")
    waiting = tenant.client.get(PAGE).content.decode()
    assert 'hx-select-oob="#states"' in waiting
    assert "Spend &lt;b&gt;is&lt;/b&gt; up" in waiting
    Delivery.objects.update(state="failed", next_at=None, attempts=5, fault="example.com answered 500.")
    failed = tenant.client.get(PAGE).content.decode()
    assert "hx-select-oob" not in failed
    assert "example.com answered 500." in failed
    assert delivery.channel.name in failed


def test_a_banner_names_the_channels_that_fail(tenant: Tenant) -> None:
    a_channel(workspace=tenant.workspace, failing_since=delivery_time(), fault="example.com answered 500.")
    page = " ".join(tenant.client.get(PAGE).content.decode().split())
    assert 'role="alert"' in page
    assert "fails: example.com answered 500." in page


def delivery_time() -> Any:
    return a_delivery().created_at


def test_the_pages_of_another_workspace_do_not_exist(tenant: Tenant) -> None:
    foreign = a_channel(workspace=WorkspaceFactory())
    for path in (f"{PAGE}/{foreign.pk}", f"{PAGE}/{foreign.pk}/edit"):
        assert tenant.client.get(path).status_code == 404
        assert tenant.client.post(path, {"delete": "1", "name": "x"}).status_code == 404
    assert Channel.objects.filter(pk=foreign.pk).exists()
