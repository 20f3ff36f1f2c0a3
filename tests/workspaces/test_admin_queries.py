"""No page of the admin takes more than 10 queries, however much there is."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import CASCADE
from django.test import Client

from budgets.models import Budget, BudgetChange, own_budget
from prices.models import PriceOverride
from tests.factories import UserFactory, WorkspaceFactory
from workspaces.models import ApiKey, Membership, Role, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

COUNT = 120
JULY = datetime(2026, 7, 1, tzinfo=UTC)
LISTS = {
    "workspaces/workspace": ("time_zone=UTC",),
    "workspaces/membership": ("role__exact=viewer",),
    "workspaces/apikey": ("state=valid", "state=expired", "state=revoked", "can_read__exact=1"),
    "budgets/budget": ("status=unset", "status=ok", "status=warning", "status=exceeded"),
    "budgets/budgetchange": ("q=root",),
    "prices/priceoverride": ("q=acme",),
}
MODELS: dict[str, Any] = {
    "workspaces/workspace": Workspace,
    "workspaces/membership": Membership,
    "workspaces/apikey": ApiKey,
    "budgets/budget": Budget,
    "budgets/budgetchange": BudgetChange,
    "prices/priceoverride": PriceOverride,
}


@pytest.fixture
def admin() -> Client:
    """Makes an installation with 120 objects of each kind, all of one workspace if possible."""
    client = Client()
    client.force_login(
        UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    workspaces = WorkspaceFactory.create_batch(COUNT)
    users = get_user_model().objects.bulk_create(get_user_model()(username=f"u{number}") for number in range(COUNT))
    Membership.objects.bulk_create(Membership(workspace=workspaces[0], user=user, role=Role.VIEWER) for user in users)
    for number in range(COUNT):
        ApiKey.objects.issue(workspaces[0], f"key {number}", ["read"])
    for workspace in workspaces:
        Budget.objects.create(is_workspace_budget=True, workspace=workspace, amount_usd=1000).record_change(
            None, "root"
        )
    for _ in range(COUNT):
        own_budget(workspaces[0]).record_change(None, "root")
    PriceOverride.objects.bulk_create(
        PriceOverride(
            workspace=workspace,
            model_pattern="acme-*",
            input_usd_per_million=1,
            output_usd_per_million=2,
            valid_from=JULY,
        )
        for workspace in workspaces
    )
    return client


def tables_of_workspaces() -> int:
    """Returns how many tables have rows that go with a workspace: of a user go fewer."""
    below, found = [Workspace], set[Any]()
    while below:
        relations = below.pop()._meta.related_objects
        new = {relation.related_model for relation in relations if relation.on_delete is CASCADE} - found
        found |= new
        below += new
    return len(found)


def test_no_page_takes_more_than_10_queries(admin: Client, django_assert_max_num_queries: Any) -> None:
    for place, filter_queries in LISTS.items():
        model = MODELS[place]
        first = model.objects.filter(workspace__budgets__changes__isnull=False) if place == "budgets/budget" else None
        key = (first or model.objects).order_by("pk").first().pk
        if place == "workspaces/workspace":
            key = Membership.objects.first().workspace_id
        pages = ["", "?q=work", *(f"?{query}" for query in filter_queries), "?o=1", f"{key}/change/", f"{key}/history/"]
        if place != "budgets/budgetchange":
            pages += ["add/", f"{key}/delete/"]
        for page in pages:
            # A deletion looks into each table whose rows go with it.
            most = 4 + tables_of_workspaces() if page.endswith("delete/") else 10
            with (
                django_assert_max_num_queries(most, info=f"{place}/{page}"),
                django_assert_max_num_queries(4, using="analytics", info=f"analytics: {place}/{page}"),
            ):
                response = admin.get(f"/admin/{place}/{page}")
            assert response.status_code == 200, f"{place}/{page}"


def test_pages_that_confirm_a_deletion_take_few_queries(admin: Client, django_assert_max_num_queries: Any) -> None:
    for place, model in (("workspaces/workspace", Workspace), ("auth/user", get_user_model())):
        rows = model.objects.exclude(is_superuser=True) if place == "auth/user" else model.objects
        chosen = [str(key) for key in rows.values_list("pk", flat=True)[:COUNT]]
        # One for each table whose rows go with those of the page, and a few more.
        with django_assert_max_num_queries(7 + tables_of_workspaces(), info=place):
            response = admin.post(f"/admin/{place}/", {"action": "delete_selected", "_selected_action": chosen})
        assert "Are you sure" in response.content.decode(), place


class Form(HTMLParser):
    """Reads the values that a browser would send for a page's unchanged fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.choosing = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        field = dict(attributes)
        if tag == "input" and field.get("name") and (field.get("type") not in {"submit", "checkbox"}):
            self.values[field["name"]] = field.get("value", "")
        if tag == "input" and field.get("type") == "checkbox" and "checked" in field:
            self.values[field["name"]] = "on"
        if tag == "select":
            self.choosing = field["name"]
        if tag == "option" and "selected" in field:
            self.values[self.choosing] = field["value"]


def test_an_object_with_a_long_history_can_still_be_changed(admin: Client) -> None:
    budget = Budget.objects.filter(changes__isnull=False).first()
    assert budget
    for _ in range(600):
        budget.record_change(budget, "a script")
    page = f"/admin/budgets/budget/{budget.pk}/change/"
    form = Form(admin.get(page).content.decode()).values | {"amount_usd": "55"}
    for _ in range(3):
        budget.record_change(budget, "somebody else meanwhile")
    assert admin.post(page, form).status_code == 302
    budget.refresh_from_db()
    assert budget.amount_usd == 55
    newest = budget.changes.first()
    assert newest
    assert newest.limit_to_usd == 55


def test_a_workspace_of_many_members_can_still_be_changed(admin: Client) -> None:
    workspace = Membership.objects.all()[0].workspace
    users = get_user_model().objects.bulk_create(get_user_model()(username=f"many{number}") for number in range(400))
    Membership.objects.bulk_create(Membership(workspace=workspace, user=user, role=Role.VIEWER) for user in users)
    page = f"/admin/workspaces/workspace/{workspace.pk}/change/"
    form = Form(admin.get(page).content.decode()).values | {"name": "Renamed", "memberships-0-role": "owner"}
    assert admin.post(page, form).status_code == 302
    workspace.refresh_from_db()
    assert workspace.name == "Renamed"
    assert workspace.memberships.filter(role="owner").count() == 1
    assert workspace.memberships.count() == COUNT + 400


def test_every_field_of_a_form_that_needs_words_has_help(admin: Client) -> None:
    helped = {
        "workspaces/workspace": 2,
        "workspaces/membership": 1,
        "workspaces/apikey": 5,
        "budgets/budget": 2,
        "prices/priceoverride": 5,
    }
    for place, count in helped.items():
        page = admin.get(f"/admin/{place}/add/").content.decode()
        assert page.count('class="help"') >= count, place
