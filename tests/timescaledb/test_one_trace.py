"""One trace is read the same here, from open chunks and from compressed ones."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from explorer import trace
from tests.tenant import NOON, Tenant, iso
from tests.timescaledb.conftest import RunQuery

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])

COMPRESS = "SELECT compress_chunk(chunk) FROM show_chunks('traces') AS chunk"


def read(tenant: Tenant) -> tuple[Any, ...]:
    workspace_id = tenant.workspace.id
    summary = trace.summary(workspace_id, "t")
    assert summary
    spans = trace.spans(workspace_id, "t")
    others = trace.other_records(workspace_id, "t", spans[0])
    contents = [row["attributes"] for row in trace.contents(workspace_id, "t")]
    tree = trace.tree_spans(workspace_id, summary)
    return summary, tree, spans, others, contents, trace.span(workspace_id, "t", "s0")


def test_a_trace_over_two_days_is_found(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]
) -> None:
    for days in (0, 1):
        values = {"trace_id": "t", "span_id": f"s{days}", "response_id": "r", "attributes": {"prompt": f"Hello {days}"}}
        tenant.calls(1, NOON - timedelta(days=9 - days), **values)
    tenant.calls(1, NOON - timedelta(days=9), trace_id="sdk", span_id="s2", response_id="r", link="provider:x")
    run_policies("refresh")  # the sums say in which hours a model ran
    summary, tree, spans, others, contents, span = read(tenant)
    assert (summary["span_count"], summary["latency_ms"]) == (2, 86_400_000)
    assert [row["start_ms"] for row in tree] == [0, 86_400_000]
    assert [row["span_id"] for row in spans] == ["s0", "s1"]
    assert [other["trace_id"] for other in others] == ["sdk"]
    assert contents == [{"prompt": "Hello 0"}, {"prompt": "Hello 1"}]
    listed = lists(tenant)
    assert [[trace["trace_id"] for trace in found] for found in listed] == [["t", "sdk"], ["t"], ["t", "sdk"], ["t"]]
    timescaledb(COMPRESS)
    assert read(tenant) == (summary, tree, spans, others, contents, span)
    assert lists(tenant) == listed


def lists(tenant: Tenant) -> list[Any]:
    window = {"start": iso(NOON - timedelta(days=10)), "end": iso(NOON)}
    queries: tuple[dict[str, str], ...] = (
        {},
        {"search": "hello 1"},
        {"model": "gpt-4o"},
        {"sort": "slowest", "limit": "1"},
    )
    return [tenant.ask("traces", **window, **query)["data"] for query in queries]
