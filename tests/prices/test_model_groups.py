"""A model is one line however its calls came, and each call is priced by the whole name of its model."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from tests.ingest.test_otlp import JSON, a_span, override, post, request_of, stored
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

DATED = "gpt-4o-2024-08-06"


def send(tenant: Tenant, **item: Any) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    item = {"agent_id": "a", "timestamp": iso(NOON), "provider": "openai", **usage, **item}
    assert tenant.client.post("/api/v1/traces", json.dumps(item), content_type=JSON).status_code == 200


def test_json_and_otlp_are_one_group_and_have_one_override(tenant: Tenant) -> None:
    override(tenant, model_pattern="gpt-4o")
    post(tenant, request_of(a_span(1, attributes={"gen_ai.request.model": DATED})))
    send(tenant, model=DATED)
    send(tenant, model=f"openai/{DATED}")
    [line] = tenant.ask("cost/by-model")["data"]
    assert (line["model"], line["calls"], line["cost_usd"]) == ("gpt-4o", 3, pytest.approx(0.06))
    raw = sorted(row["attributes"].get("model", "") for row in stored(tenant))
    assert raw == ["", DATED, f"openai/{DATED}"]


def test_an_item_is_priced_by_its_whole_name_also_when_it_is_merged_or_repriced(tenant: Tenant) -> None:
    send(tenant, model="gpt-4o-2024-05-13")  # costs twice as much as gpt-4o
    send(tenant, model="gpt-4o-2024-05-13", trace_id="t", span_id="s")
    send(tenant, trace_id="t", span_id="s", user_id="u")
    call_command("reprice", "--workspace", str(tenant.workspace.id), "--from", "2020-01-01", "--to", "2100-01-01")
    assert [(row["model"], row["cost_usd"]) for row in stored(tenant)] == [("gpt-4o", Decimal("0.0065"))] * 2


def test_an_override_may_be_for_one_release(tenant: Tenant) -> None:
    override(tenant, model_pattern=DATED)
    send(tenant, model=DATED)
    send(tenant, model="gpt-4o")
    assert sorted(row["cost_usd"] for row in stored(tenant)) == [Decimal("0.0035"), Decimal("0.02")]
