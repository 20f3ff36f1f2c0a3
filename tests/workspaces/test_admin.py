import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def admin() -> Client:
    client = Client()
    user = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("page", ["workspace", "membership", "apikey"])
def test_lists_take_at_most_10_queries(admin: Client, django_assert_max_num_queries: Any, page: str) -> None:
    for _ in range(5):
        MembershipFactory()
        an_api_key("read")
    with django_assert_max_num_queries(10):
        assert admin.get(f"/admin/workspaces/{page}/?q=a").status_code == 200


def test_a_new_keys_secret_is_shown_once(admin: Client) -> None:
    form = {"workspace": WorkspaceFactory().id, "name": "agent", "can_ingest": "on", "expires_at_0": ""}
    page = admin.post("/admin/workspaces/apikey/add/", form, follow=True).content.decode()
    [secret] = re.findall(r"aop_[\w-]{43}", page)
    key = ApiKey.objects.presented(secret)
    assert key is not None
    assert key.scopes == {"ingest"}
    for path in ("/admin/workspaces/apikey/", f"/admin/workspaces/apikey/{key.pk}/change/"):
        assert secret not in admin.get(path).content.decode()


def test_keys_are_revoked_from_the_list(admin: Client) -> None:
    key, secret = an_api_key("read")
    form = {"action": "revoke", "_selected_action": [str(key.pk)]}
    admin.post("/admin/workspaces/apikey/", form)
    assert ApiKey.objects.presented(secret) is None


def test_keys_are_filtered_by_state(admin: Client) -> None:
    an_api_key("read", name="good")
    an_api_key("read", name="gone", revoked_at=timezone.now())
    an_api_key("read", name="over", expires_at=timezone.now() - timedelta(days=1))
    for state, name in (("valid", "good"), ("revoked", "gone"), ("expired", "over")):
        page = admin.get(f"/admin/workspaces/apikey/?state={state}").content.decode()
        assert [word for word in ("good", "gone", "over") if f">{word}</a>" in page] == [name]


def test_a_wrong_time_zone_is_refused_in_words(admin: Client) -> None:
    form = {
        "name": "x",
        "time_zone": "Mars/Olympus",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
    }
    page = admin.post("/admin/workspaces/workspace/add/", form).content.decode()
    assert "is no time zone" in page
