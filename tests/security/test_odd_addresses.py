"""Malformed ids, filters and first values in the admin's addresses are never a fault of the server."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from tests.factories import MembershipFactory, UserFactory, an_api_key
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

ODD = ("abc", "0", "a%00b", "9" * 26, "00000000-0000-0000-0000-00000000000g")
LOOKUPS = (
    "date_joined__year",
    "role__exact",
    "state",
    "status",
    "workspace__id__exact",
    "_to_field",
    "p",
    "o",
    "q",
    "e",
)


@pytest.fixture
def root() -> Client:
    an_api_key("read", workspace=MembershipFactory().workspace)
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(is_staff=True, is_superuser=True), "django.contrib.auth.backends.ModelBackend")
    return client


def addresses(model: type) -> Iterator[str]:
    options = model._meta  # type: ignore[attr-defined]
    base = f"/admin/{options.app_label}/{options.model_name}/"
    fields = [field.name for field in options.concrete_fields]
    for odd in ODD:
        yield from (f"{base}{odd}/{page}" for page in ("change/", "history/", "delete/", "password/"))
    for odd in ODD[1:3]:
        yield from (f"{base}?{name}={odd}" for name in (*fields, *LOOKUPS))
        yield from (f"{base}add/?{name}={odd}" for name in fields)


MODELS = list(admin.site._registry)


@pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
def test_no_address_of_the_admin_is_a_fault_of_the_server(root: Client, model: type) -> None:
    tried = list(addresses(model))
    assert len(tried) >= 40
    assert [address for address in tried if root.get(address).status_code >= 500] == []


def test_nor_is_an_action_on_what_is_not_there(root: Client) -> None:
    for model in MODELS:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for odd in ("abc", "a\0b", "9" * 26):
            form = {"action": "delete_selected", "_selected_action": odd, "index": "0"}
            assert root.post(path, form).status_code < 500, (path, odd)


@pytest.mark.parametrize("odd", [*ODD, "00000000-0000-0000-0000-000000000000"])
def test_an_object_that_no_id_names_is_not_found(root: Client, odd: str) -> None:
    for content_type in ContentType.objects.all():
        assert root.get(f"/admin/r/{content_type.pk}/{odd}/").status_code == 404, content_type
    assert root.get(f"/admin/r/{odd}/1/").status_code == 404


def test_an_answer_to_an_odd_address_is_a_page_like_any_other(root: Client) -> None:
    content_type = ContentType.objects.get_for_model(Workspace)
    page = root.get(f"/admin/r/{content_type.pk}/abc/", headers={"Accept": "text/html"}).content.decode()
    assert "There is nothing at this address." in page
    assert "</html>" in page


@pytest.mark.parametrize("fault", [ValueError("boom"), OverflowError("boom")])
def test_a_fault_of_ours_is_no_odd_address(root: Client, fault: Exception) -> None:
    workspace = Workspace.objects.get()
    change = f"/admin/workspaces/workspace/{workspace.pk}/change/"
    form = {
        "name": "new",
        "time_zone": "UTC",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "memberships-2-TOTAL_FORMS": "0",
        "memberships-2-INITIAL_FORMS": "0",
        "api_keys-TOTAL_FORMS": "0",
        "api_keys-INITIAL_FORMS": "0",
    }
    with patch("workspaces.models.Workspace.save", side_effect=fault):
        assert root.post(change, form).status_code == 500
    with patch("workspaces.admin.scope_list", side_effect=fault):
        assert root.get("/admin/workspaces/apikey/").status_code == 500
    assert root.post(change, form).status_code == 302
