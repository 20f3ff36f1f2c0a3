"""Malformed ids, filters and initial values in URLs of the admin never cause a 500."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from tests.factories import MembershipFactory, UserFactory, an_api_key
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

MALFORMED = ("abc", "0", "a%00b", "9" * 26, "00000000-0000-0000-0000-00000000000g")
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
    for malformed in MALFORMED:
        yield from (f"{base}{malformed}/{page}" for page in ("change/", "history/", "delete/", "password/"))
    for malformed in MALFORMED[1:3]:
        yield from (f"{base}?{name}={malformed}" for name in (*fields, *LOOKUPS))
        yield from (f"{base}add/?{name}={malformed}" for name in fields)


MODELS = list(admin.site._registry)


@pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
def test_no_url_of_the_admin_causes_a_500(root: Client, model: type) -> None:
    tried = list(addresses(model))
    assert len(tried) >= 40
    assert [address for address in tried if root.get(address).status_code >= 500] == []


def test_an_action_on_a_missing_object_causes_no_500(root: Client) -> None:
    for model in MODELS:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for malformed in ("abc", "a\0b", "9" * 26):
            form = {"action": "delete_selected", "_selected_action": malformed, "index": "0"}
            assert root.post(path, form).status_code < 500, (path, malformed)


@pytest.mark.parametrize("malformed", [*MALFORMED, "00000000-0000-0000-0000-000000000000"])
def test_an_object_that_no_id_names_is_not_found(root: Client, malformed: str) -> None:
    for content_type in ContentType.objects.all():
        assert root.get(f"/admin/r/{content_type.pk}/{malformed}/").status_code == 404, content_type
    assert root.get(f"/admin/r/{malformed}/1/").status_code == 404


def test_the_answer_to_a_malformed_url_is_a_page_like_any_other(root: Client) -> None:
    content_type = ContentType.objects.get_for_model(Workspace)
    page = root.get(f"/admin/r/{content_type.pk}/abc/", headers={"Accept": "text/html"}).content.decode()
    assert "There is nothing at this address." in page
    assert "</html>" in page


@pytest.mark.parametrize("fault", [ValueError("boom"), OverflowError("boom")])
def test_a_fault_of_the_product_is_not_a_malformed_url(root: Client, fault: Exception) -> None:
    workspace = Workspace.objects.get()
    change = f"/admin/workspaces/workspace/{workspace.pk}/change/"
    form = {
        "name": "new",
        "time_zone": "UTC",
        "content_visible_to": "members",
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
