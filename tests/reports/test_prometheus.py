"""The metrics of a workspace, as Prometheus reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from reports import prometheus
from tests.factories import WorkspaceFactory, an_api_key
from tests.tenant import a_row
from traces import writer
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

URL = "/api/v1/prometheus/metrics"
MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def scraped(client: Client, workspace: Workspace) -> dict[tuple[str, ...], float]:
    """Returns the value of each line by its name and labels."""
    cache.clear()
    _, secret = an_api_key("read", workspace=workspace)
    response = client.get(URL, headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 200, response.content
    families = text_string_to_metric_families(response.content.decode())
    return {key_of(sample): sample.value for family in families for sample in family.samples}


def key_of(sample: Any) -> tuple[str, ...]:
    names = ("agent", "provider", "model", "le")
    return (sample.name, *(sample.labels[name] for name in names if name in sample.labels))


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose month has been going on for two days, whatever day it is."""
    monkeypatch.setattr(prometheus, "datetime", Clock)
    return WorkspaceFactory()


class Clock(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return (MONTH - timedelta(days=40)).replace(day=3, hour=9, minute=30)


NOW = Clock.now(UTC)


def test_the_key_chooses_the_workspace_and_sums_are_by_agent_and_model(client: Client, workspace: Workspace) -> None:
    at = NOW - timedelta(hours=30)
    writer.store(
        workspace.id,
        [
            *(a_row(at, cost_usd="0.25", input_tokens=10, latency_ms=latency) for latency in (64.0, 64.1, 3000.0)),
            a_row(at, status="error", latency_ms=None),
            a_row(at, agent_id='a"b\\c\n', model=None, provider=None, cost_usd="1", latency_ms=200_000.0),
            a_row(NOW - timedelta(days=9), cost_usd="5"),
        ],
    )
    writer.store(WorkspaceFactory().id, [a_row(at, agent_id="of-another")])
    found = scraped(client, workspace)
    labels = ("support", "openai", "gpt-4o")
    assert found["llm_calls_total", *labels] == 4
    assert found["llm_errors_total", *labels] == 1
    assert found["llm_unpriced_calls_total", *labels] == 1
    assert found["llm_cost_usd_total", *labels] == 0.75
    assert found["llm_input_tokens_total", *labels] == 30
    assert found["llm_cost_usd_total", 'a"b\\c\n', "", ""] == 1
    assert not any("of-another" in key for key in found)


def test_the_histogram_counts_calls_below_each_bound(client: Client, workspace: Workspace) -> None:
    latencies = (0.0, 64.0, 64.5, 128.0, 3000.0, 131_072.0, 200_000.0)
    writer.store(workspace.id, [a_row(NOW - timedelta(hours=30), latency_ms=latency) for latency in latencies])
    found = scraped(client, workspace)
    labels = ("support", "openai", "gpt-4o")
    for bound in (2**exponent for exponent in range(6, 18)):
        below = sum(latency <= bound for latency in latencies)
        assert found["llm_latency_seconds_bucket", *labels, str(bound / 1000)] == below
    assert found["llm_latency_seconds_bucket", *labels, "+Inf"] == len(latencies)
    assert found["llm_latency_seconds_count", *labels] == len(latencies)
    assert found["llm_latency_seconds_sum", *labels] == pytest.approx(sum(latencies) / 1000)


def test_names_beyond_the_limit_share_one_line_and_nothing_is_lost(
    client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus, "MOST_SERIES", 2)
    rows = [a_row(NOW - timedelta(hours=30 - n), agent_id=f"agent-{n}", cost_usd="1", latency_ms=9.0) for n in range(5)]
    writer.store(workspace.id, rows)
    found = scraped(client, workspace)
    calls = {key[1]: value for key, value in found.items() if key[0] == "llm_calls_total"}
    assert calls == {"agent-0": 1, "agent-1": 1, "(others)": 3}
    assert found["llm_latency_seconds_count", "(others)", "(others)", "(others)"] == 3


def test_an_empty_month_is_an_answer(client: Client, workspace: Workspace) -> None:
    assert scraped(client, workspace) == {}


def test_without_a_key_of_the_workspace_there_is_no_answer(client: Client, workspace: Workspace) -> None:
    assert client.get(URL).status_code == 401
    _, ingest = an_api_key("ingest", workspace=workspace)
    assert client.get(URL, headers={"Authorization": f"Bearer {ingest}"}).status_code == 403
    _, secret = an_api_key("read", workspace=workspace)
    other = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(WorkspaceFactory().id)}
    assert client.get(URL, headers=other).status_code == 403
