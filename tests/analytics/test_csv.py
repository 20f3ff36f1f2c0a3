"""`format=csv` of every metric and list has exactly the rows of its JSON, and no formula."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from analytics.catalogue import METRICS
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

LISTS = ("query", "scores", "sessions", "users", "agents", "tools")


def some_calls(tenant: Tenant) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    tenant.calls(3, at, agent_id="=1+1", user_id="ada", session_id="s", cost_usd="0.25", latency_ms=10.0)
    tenant.calls(1, at, agent_id="sales", status="error", error_type="-x", model="m", provider="p")
    tenant.calls(1, at, operation="execute_tool", tool="+look", model=None, provider=None)


def address(name: str) -> str:
    return f"/api/v1/{name}?range=7d&granularity=daily" + ("&measures=calls&by=agent_id" if name == "query" else "")


def table(tenant: Tenant, url: str) -> list[dict[str, str]]:
    response = tenant.client.get(url)
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(response.content.decode())))


@pytest.mark.parametrize("name", [*METRICS, *LISTS])
def test_the_file_has_the_rows_of_the_json(tenant: Tenant, name: str) -> None:
    some_calls(tenant)
    answer = tenant.client.get(address(name)).json()
    rows = answer.get("data", [answer])
    read = table(tenant, f"{address(name)}&format=csv")
    assert len(read) == len(rows)
    for written, row in zip(read, rows, strict=True):
        plain = {key: value for key, value in row.items() if isinstance(value, int | float)}
        assert {key: written[key] for key in plain} == {key: str(value) for key, value in plain.items()}
    assert not [cell for row in read for cell in row.values() if cell and cell.startswith(("=", "+", "@"))]


def test_a_file_without_rows_has_its_head_and_names_its_window_zone_and_filters(tenant: Tenant) -> None:
    query = "start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z&zone=Asia/Kolkata&agent_id=a/b"
    response = tenant.client.get(f"/api/v1/usage/top-users?{query}&format=csv")
    assert response.content.decode().startswith("user_id,calls,cost_usd,")
    assert response["Content-Disposition"] == (
        'attachment; filename="usage-top-users_2026-01-01T0530_2026-01-02T0530_Asia-Kolkata_agent_id=a-b.csv"'
    )


def test_an_unknown_format_and_a_file_of_one_are_refused(tenant: Tenant) -> None:
    assert tenant.client.get("/api/v1/usage/overview?format=xml").status_code == 422
    assert "format" in str(tenant.client.get("/api/v1/agents/sales?format=csv").json()["errors"])
