"""Our bill rose by a third: why, and what do we do? Six pages answer it, with figures that SQL confirms."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.jobs_helper import run_waiting_jobs
from tests.tenant import NOON, Tenant, iso
from traces.db import row

pytestmark = pytest.mark.django_db(databases="__all__")

START = NOON - timedelta(hours=12, days=3)
END = NOON + timedelta(hours=12)
LENGTH = END - START
WINDOW = f"start={iso(START)}&end={iso(END)}"


def sql(tenant: Tenant, expression: str, condition: str = "true", before: bool = False) -> Any:
    """Asks the rows themselves."""
    shift = LENGTH if before else timedelta(0)
    found = row(
        f"SELECT {expression} AS value FROM traces"
        " WHERE workspace_id = %(id)s AND timestamp >= %(start)s AND timestamp < %(end)s AND " + condition,
        {"id": tenant.workspace.id, "start": START - shift, "end": END - shift},
    )
    return found["value"]


def send(tenant: Tenant, days_ago: int, **values: Any) -> None:
    """Sends a call of gpt-4o with a million input tokens and 50,000 output tokens: $3 by the list."""
    item = {
        "agent_id": "support",
        "provider": "openai",
        "model": "gpt-4o",
        "timestamp": iso(NOON - timedelta(days_ago)),
    }
    item |= {"input_tokens": 1_000_000, "output_tokens": 50_000} | values
    assert tenant.client.post("/api/v1/traces", json.dumps(item), content_type="application/json").status_code == 200


def see(tenant: Tenant, address: str) -> str:
    """Opens a page, with the panels that it loads."""
    page = tenant.client.get(address)
    assert page.status_code == 200, address
    text = page.content.decode()
    for panel in re.findall(r'hx-get="(/api/[^"]+)"', text):
        answer = tenant.client.get(
            panel.replace("&amp;", "&"),
            headers={
                "HX-Request": "true",
                "HX-Current-URL": f"http://testserver{address}",
                "X-Workspace-ID": str(tenant.workspace.id),
            },
        )
        assert answer.status_code == 200, panel
        text += answer.content.decode()
    return " ".join(text.split())


def link(page: str, label: str) -> str:
    """Returns the address of the link with this text or label."""
    found = re.search(rf'<a [^>]*?href="([^"]*)"[^>]*?(?:aria-label="{label}"|>\s*{label}\s*<)', page)
    assert found, label
    return found[1].replace("&amp;", "&")


def test_six_pages_say_why_and_what_to_do(tenant: Tenant) -> None:
    """$12 became $16: the agent triage is new, and the provider bills 10 % less than the list says."""
    for place in range(8):
        send(tenant, place)
    for place in (0, 1):
        send(tenant, place, agent_id="triage", input_tokens=700_000, output_tokens=25_000)

    # 1. The cost page: spend rose by a third.
    cost = see(tenant, f"/dashboard/cost?workspace={tenant.workspace.id}&{WINDOW}")
    now, before = sql(tenant, "sum(cost_usd)"), sql(tenant, "sum(cost_usd)", before=True)
    assert (now, before) == (Decimal(16), Decimal(12))
    assert "33 % more" in cost

    # 2. Why: the agent triage, by an amount that SQL confirms.
    why = see(tenant, link(cost, "Why: Spend"))
    of_triage = sql(tenant, "sum(cost_usd)", "agent_id = 'triage'")
    assert of_triage == now - before == 4
    assert "Most of it: agent triage, new (+$4.00)." in why

    # 3. The ledger: what its tokens are, at which price.
    ledger = see(tenant, link(cost, "Ledger: by day, token class and price") + "&agent_id=triage")
    tokens = sql(tenant, "sum(input_tokens)", "agent_id = 'triage'")
    assert tokens == 1_400_000
    assert "$4.00 in 2 calls" in ledger
    assert ledger.count('title="700,000"') == 2
    assert "openai/gpt-4o, list" in ledger

    # 4. and 5. The invoice: the provider bills a tenth less than the list.
    daily = {
        str(day): sql(tenant, "sum(cost_usd)", f"timestamp::date = '{day}'")
        for day in ((NOON - timedelta(place)).date() for place in range(4))
    }
    lines = [f"{day},gpt-4o,{usd * Decimal('0.9')}" for day, usd in daily.items()]
    listed = link(ledger, "invoices")
    file = SimpleUploadedFile("bill.csv", "\n".join(["date,model,cost", *lines]).encode())
    columns = tenant.client.post(listed, {"file": file})["Location"]
    chosen = {"provider": "openai", "day": "date", "model": "model", "amount": "cost", "unit": "usd"}
    own = tenant.client.post(columns, chosen)["Location"]
    invoice = see(tenant, own)
    assert f"openai billed $14.40 for {NOON - timedelta(3):%a %-d %b %Y} to {NOON:%a %-d %b %Y}" in invoice
    assert "They bill 0.9 times our cost on 4 of 4 days: a discount of 10 %." in invoice

    # 6. The price: its effect, and after the job the bill and the ledger agree.
    price = link(invoice, "Set a price for gpt-4o")
    calls = sql(tenant, "count(*)")
    assert f"{calls} calls since" in see(tenant, price)
    assert "would cost $14.40 instead of $16.00" in see(tenant, price)
    values = {"model": "gpt-4o", "factor": "0.9"}
    assert tenant.client.post(f"{urlsplit(price).path}?workspace={tenant.workspace.id}", values).status_code == 302
    run_waiting_jobs("insights.reprice")
    assert sql(tenant, "sum(cost_usd)") == Decimal("14.40")
    assert "Nothing differs on any day." in see(tenant, own)
