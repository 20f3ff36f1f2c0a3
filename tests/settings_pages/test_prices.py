"""Prices of a workspace: what one would change, making, ending and deleting it, and pricing stored calls again."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from prices.models import PriceOverride
from settings.models import RowsUpdate
from tests.jobs_helper import run_waiting_jobs
from tests.tenant import NOON, Tenant, iso
from traces.db import rows
from workspaces.models import AuditEntry

pytestmark = pytest.mark.django_db(databases="__all__")

API = "/api/v1/settings/prices"
PAGE = "/settings/prices"
TWO_AND_TEN = {"model_pattern": "acme-*", "input_usd_per_million": 2, "output_usd_per_million": 10}
BEFORE = iso(NOON - timedelta(days=1))


def post(tenant: Tenant, path: str, expect: int, **body: Any) -> Any:
    response = tenant.client.post(path, body, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json()


def a_million(tenant: Tenant, model: str = "acme-1", **values: Any) -> None:
    """Stores two calls with a million input and a hundred thousand output tokens each."""
    tenant.calls(2, model=model, provider=None, input_tokens=1_000_000, output_tokens=100_000, **values)


def costs(tenant: Tenant) -> list[float | None]:
    found = rows("SELECT cost_usd FROM traces WHERE workspace_id = %(id)s", {"id": tenant.workspace.id})
    return [None if row["cost_usd"] is None else float(row["cost_usd"]) for row in found]


def test_a_preview_says_what_the_price_would_change_and_changes_nothing(tenant: Tenant) -> None:
    a_million(tenant)
    a_million(tenant, "other")
    found = post(tenant, f"{API}/preview", 200, **TWO_AND_TEN, valid_from=BEFORE)
    assert [found["calls"], found["unpriced_calls"], found["before_usd"], found["after_usd"]] == [2, 2, None, 6.0]
    assert found["models"] == [{"provider": None, "model": "acme-1", "calls": 2, "before_usd": None, "after_usd": 6.0}]
    assert not PriceOverride.objects.exists()


def test_a_preview_of_a_priced_model_says_what_its_calls_cost_now(tenant: Tenant) -> None:
    a_million(tenant, cost_usd="1.5", cost_source="reported")
    found = post(tenant, f"{API}/preview", 200, **TWO_AND_TEN, valid_from=BEFORE)
    assert [found["unpriced_calls"], found["before_usd"], found["after_usd"]] == [0, 3.0, 6.0]


def test_a_price_from_now_on_is_shown_as_if_it_had_counted(tenant: Tenant) -> None:
    a_million(tenant)
    found = post(tenant, f"{API}/preview", 200, **TWO_AND_TEN)
    assert [found["is_from_now_on"], found["calls"], found["after_usd"]] == [True, 2, 6.0]


def test_a_newer_price_wins_in_the_preview_from_its_start_to_its_end(tenant: Tenant) -> None:
    a_million(tenant, at=NOON - timedelta(hours=3))
    a_million(tenant, at=NOON - timedelta(hours=1))
    a_million(tenant, at=NOON)
    newer = {"valid_from": iso(NOON - timedelta(hours=2)), "valid_until": iso(NOON)}
    post(tenant, API, 201, **TWO_AND_TEN | newer)
    found = post(tenant, f"{API}/preview", 200, **TWO_AND_TEN, valid_from=BEFORE)
    assert found["calls"] == 4


def test_another_workspace_is_in_no_preview(tenant: Tenant) -> None:
    from tests.factories import WorkspaceFactory

    a_million(Tenant(WorkspaceFactory(), Client()))
    assert post(tenant, f"{API}/preview", 200, **TWO_AND_TEN)["calls"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input_usd_per_million": -1}, "input_usd_per_million"),
        ({"input_usd_per_million": "2"}, "input_usd_per_million"),
        ({"model_pattern": ""}, "model_pattern"),
        ({"provider": "litellm"}, "provider"),
        ({"valid_from": "2026-11-02T00:00Z", "valid_until": "2026-11-01T00:00Z"}, "body"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_price_with_a_fault_is_refused_by_its_field(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    for path in (API, f"{API}/preview"):
        problem = post(tenant, path, 422, **TWO_AND_TEN | body)
        assert problem["errors"][0]["loc"][-1] == field
    assert not PriceOverride.objects.exists()


def test_after_its_end_the_price_before_it_counts_again(tenant: Tenant) -> None:
    made = post(tenant, API, 201, **TWO_AND_TEN, valid_from=BEFORE)
    ended = tenant.client.patch(f"{API}/{made['id']}", {"valid_until": iso(NOON)}, content_type="application/json")
    assert ended.json()["valid_until"] == iso(NOON)
    a_million(tenant, at=NOON - timedelta(hours=1))
    a_million(tenant, at=NOON)
    post(tenant, f"{API}/reprice", 202, **{"from": BEFORE})
    run_waiting_jobs("settings.reprice")
    assert sorted(costs(tenant), key=str) == [3.0, 3.0, None, None]
    actions = AuditEntry.objects.order_by("at").values_list("action", flat=True)
    assert list(actions) == ["price.create", "price.change", "prices.refill"]


def test_a_job_prices_stored_calls_again_and_the_list_says_how_far_it_is(tenant: Tenant) -> None:
    a_million(tenant)
    post(tenant, API, 201, **TWO_AND_TEN, valid_from=BEFORE)
    assert costs(tenant) == [None, None]
    assert post(tenant, f"{API}/reprice", 202, **{"from": BEFORE})["percent"] == 0
    assert post(tenant, f"{API}/reprice", 409, **{"from": BEFORE})["detail"].startswith("The rows are being changed")
    run_waiting_jobs("settings.reprice")
    assert costs(tenant) == [3.0, 3.0]
    done = tenant.client.get(API).json()["reprice"]
    assert [done["state"], done["percent"], done["rows"], done["changed_rows"]] == ["done", 100, 2, 2]
    assert [done["before_usd"], done["after_usd"], done["unpriced_before"], done["unpriced_after"]] == [0, 6, 2, 0]


def test_a_job_that_was_killed_goes_on_where_it_was(tenant: Tenant) -> None:
    a_million(tenant)
    post(tenant, API, 201, **TWO_AND_TEN, valid_from=BEFORE)
    post(tenant, f"{API}/reprice", 202, **{"from": BEFORE})
    RowsUpdate.objects.update(reached=NOON + timedelta(hours=1), progress_at=timezone.now() - timedelta(hours=1))
    post(tenant, f"{API}/reprice", 202, **{"from": BEFORE})
    assert run_waiting_jobs("settings.reprice") == 2
    assert costs(tenant) == [None, None]
    assert RowsUpdate.objects.get().finished_at


def test_the_page_shows_the_effect_and_saves_and_prices_again(tenant: Tenant) -> None:
    a_million(tenant)
    form = TWO_AND_TEN | {"valid_from": (NOON - timedelta(days=1)).date().isoformat(), "workspace": tenant.workspace.id}
    text = " ".join(tenant.client.get(PAGE, form).content.decode().split())
    assert "2 calls since" in text
    assert "would cost $6.00 instead of an unknown amount" in text
    assert "Models without a price" in text
    saved = tenant.client.post(f"{PAGE}?workspace={tenant.workspace.id}", form | {"and_reprice": "1"})
    assert saved.status_code == 302
    assert "0 %" in tenant.client.get(f"{PAGE}/progress?workspace={tenant.workspace.id}").content.decode()
    run_waiting_jobs("settings.reprice")
    text = " ".join(tenant.client.get(PAGE, {"workspace": tenant.workspace.id}).content.decode().split())
    assert "cost $6.00 instead of $0.00; 2 changed" in text
    assert "Models without a price" not in text


@pytest.mark.parametrize("text", ["two", "nan", "-1", "1e30", "0x2"])
def test_the_page_says_which_amount_is_no_price(tenant: Tenant, text: str) -> None:
    form = TWO_AND_TEN | {"output_usd_per_million": text, "workspace": tenant.workspace.id}
    answer = tenant.client.get(PAGE, form)
    assert answer.status_code == 422
    assert "Output usd per million:" in answer.content.decode()
    assert f'value="{text}"' in answer.content.decode()


@pytest.mark.parametrize("change", ["end", "delete"])
def test_the_page_ends_and_deletes_prices(tenant: Tenant, change: str) -> None:
    made = post(tenant, API, 201, **TWO_AND_TEN, valid_from=BEFORE)
    answer = tenant.client.post(f"{PAGE}?workspace={tenant.workspace.id}", {change: made["id"]})
    assert answer.status_code == 302
    prices = PriceOverride.objects.all()
    assert [price.valid_until is not None for price in prices] == ([True] if change == "end" else [])


def test_a_viewer_sees_prices_and_who_may_change_them(tenant: Tenant, settings: Any) -> None:
    from tests.factories import MembershipFactory

    post(tenant, API, 201, **TWO_AND_TEN)
    settings.OPEN_WORKSPACE_IDS = frozenset()
    viewer = Client()
    viewer.force_login(
        MembershipFactory(workspace=tenant.workspace, role="viewer").user, "django.contrib.auth.backends.ModelBackend"
    )
    text = viewer.get(PAGE, {"workspace": tenant.workspace.id}).content.decode()
    assert "acme-*" in text
    assert "Editors and owners of the workspace change prices." in text
    assert "Delete" not in text
    for form in ({"end": 1}, {"reprice": "1", "from": "2026-11-01"}, TWO_AND_TEN):
        assert viewer.post(f"{PAGE}?workspace={tenant.workspace.id}", form).status_code == 403


def test_prices_of_another_workspace_do_not_exist_here(tenant: Tenant) -> None:
    from tests.factories import WorkspaceFactory

    other = PriceOverride.objects.create(
        workspace=WorkspaceFactory(), model_pattern="x", input_usd_per_million=1, output_usd_per_million=1
    )
    for path in (f"{API}/{other.pk}", f"{API}/{2**70}"):
        assert tenant.client.get(path).status_code == 404
        assert tenant.client.delete(path).status_code == 404
    assert tenant.client.post(f"{PAGE}?workspace={tenant.workspace.id}", {"delete": other.pk}).status_code == 404
    assert PriceOverride.objects.count() == 1
