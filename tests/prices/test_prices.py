"""Unpriced calls are shown; the admin takes a price for them, and repricing applies it to every total."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from prices.models import PriceOverride
from tests.ingest.test_otlp import a_span, override, post, request_of, stored
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

ACME = {"gen_ai.request.model": "acme-7b", "gen_ai.provider.name": "acme"}


def two_calls_one_unpriced(tenant: Tenant) -> None:
    acme = a_span(2, attributes=ACME) | {"traceId": "ab" * 16}
    post(tenant, request_of(a_span(1), acme))


def test_unpriced_calls_show_in_overview_and_by_model(tenant: Tenant) -> None:
    two_calls_one_unpriced(tenant)
    overview = tenant.ask("cost/overview")
    assert (overview["unpriced_calls"], overview["total_spend_usd"]) == (1, pytest.approx(0.0035))
    by_model = {row["model"]: row for row in tenant.ask("cost/by-model")["data"]}
    assert (by_model["acme-7b"]["unpriced_calls"], by_model["acme-7b"]["cost_usd"]) == (1, None)
    assert (by_model["gpt-4o"]["unpriced_calls"], by_model["gpt-4o"]["input_tokens"]) == (0, 1000)


def test_a_call_that_reports_no_tokens_is_unpriced(tenant: Tenant) -> None:
    silent = {"gen_ai.usage.input_tokens": {}, "gen_ai.usage.output_tokens": {}}
    post(tenant, request_of(a_span(1, attributes=silent)))
    [row] = stored(tenant)
    assert (row["input_tokens"], row["cost_usd"], row["cost_source"]) == (None, None, "unknown")
    assert tenant.ask("cost/overview")["unpriced_calls"] == 1


def test_the_clients_figure_counts_where_a_price_of_the_workspace_lacks_tokens(tenant: Tenant) -> None:
    override(tenant)
    silent = {"gen_ai.usage.input_tokens": {}, "gen_ai.usage.output_tokens": {}}
    post(tenant, request_of(a_span(1, attributes=silent | {"operation.cost": {"doubleValue": 0.25}})))
    [row] = stored(tenant)
    assert (row["cost_usd"], row["cost_source"]) == (Decimal("0.25"), "reported")


def test_repricing_carries_a_new_price_into_every_total(tenant: Tenant, capsys: Any) -> None:
    two_calls_one_unpriced(tenant)
    override(tenant, model_pattern="acme-*")
    arguments = ["--workspace", str(tenant.workspace.id), "--from", "2020-01-01", "--to", "2100-01-01"]
    call_command("reprice", *arguments, "--dry-run")
    assert "would change 1" in capsys.readouterr().out
    assert tenant.ask("cost/overview")["unpriced_calls"] == 1
    call_command("reprice", *arguments)
    output = capsys.readouterr().out
    assert "before    0.0035 USD, 1 unpriced" in output
    assert "after     0.0235 USD, 0 unpriced" in output  # 1,000 at 10 and 100 at 100 USD a million: 0.02 more
    overview = tenant.ask("cost/overview")
    assert (overview["unpriced_calls"], overview["total_spend_usd"]) == (0, pytest.approx(0.0235))
    by_model = {row["model"]: row["cost_usd"] for row in tenant.ask("cost/by-model")["data"]}
    assert by_model == {"gpt-4o": pytest.approx(0.0035), "acme-7b": pytest.approx(0.02)}
    assert [row["calls"] for row in tenant.ask("usage/agent-distribution")["data"]] == [2]
    call_command("reprice", *arguments)
    assert "changed   0" in capsys.readouterr().out


def test_the_newest_price_that_was_valid_counts(tenant: Tenant) -> None:
    override(tenant, valid_from="2020-01-01T00:00Z")
    override(tenant, valid_from="2021-01-01T00:00Z", input_usd_per_million=20)
    override(tenant, valid_from="2100-01-01T00:00Z", input_usd_per_million=40)
    override(tenant, valid_from="2022-01-01T00:00Z", input_usd_per_million=80, provider="azure")
    post(tenant, request_of(a_span(1)))
    assert stored(tenant)[0]["cost_usd"] == Decimal("0.03")  # 1,000 at 20 and 100 at 100 USD a million


def test_cached_tokens_have_prices_of_their_own(tenant: Tenant) -> None:
    override(tenant, cache_read_usd_per_million=1, cache_write_usd_per_million=20)
    cached = {"gen_ai.usage.cache_read.input_tokens": 500, "gen_ai.usage.cache_write.input_tokens": 100}
    post(tenant, request_of(a_span(1, attributes=cached)))
    # 400 at 10, 500 at 1, 100 at 20, 100 out at 100 USD a million
    assert stored(tenant)[0]["cost_usd"] == Decimal("0.0165")


def test_staff_add_a_price_in_the_admin_and_the_next_call_has_it(tenant: Tenant) -> None:
    admin = Client()
    admin.force_login(get_user_model().objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    form = {
        "workspace": str(tenant.workspace.id),
        "provider": "",
        "model_pattern": "acme-*",
        "input_usd_per_million": "10",
        "output_usd_per_million": "100",
        "cache_read_usd_per_million": "",
        "cache_write_usd_per_million": "",
        "valid_from_0": "2020-01-01",
        "valid_from_1": "00:00:00",
    }
    assert admin.post("/admin/prices/priceoverride/add/", form).status_code == 302
    assert admin.post("/admin/prices/priceoverride/add/", form | {"input_usd_per_million": "-1"}).status_code == 200
    assert PriceOverride.objects.count() == 1
    post(tenant, request_of(a_span(1, attributes=ACME)))
    assert (stored(tenant)[0]["cost_usd"], stored(tenant)[0]["cost_source"]) == (Decimal("0.02"), "override")


def test_a_changed_price_counts_for_the_next_call(tenant: Tenant) -> None:
    item = {"agent_id": "a", "model": "ours", "input_tokens": 1_000_000, "output_tokens": 1}

    def spend_after_another_call() -> Any:
        assert tenant.client.post("/api/v1/traces", item, content_type="application/json").status_code == 200
        return tenant.ask("cost/overview", range="1h")["total_spend_usd"]

    assert spend_after_another_call() in (None, 0)
    override(tenant, model_pattern="ours", input_usd_per_million=2, output_usd_per_million=0)
    assert spend_after_another_call() == 2
    price = PriceOverride.objects.get()
    price.input_usd_per_million = Decimal(5)
    price.save()
    assert spend_after_another_call() == 2 + 5
    price.delete()
    assert spend_after_another_call() == 2 + 5
