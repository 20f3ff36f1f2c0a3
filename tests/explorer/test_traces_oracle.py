"""Compares the list of traces with plain Python, over random traces and random questions."""

from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.test import Client, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import traces
from tests.analytics.histories import ENVIRONMENTS, LABELS, NOWS, RELEASES, USERS, values
from tests.analytics.test_oracle import CASES, QUESTIONS, ask, oracle_settings
from tests.explorer.trace_oracle import Asked, listed
from tests.factories import WorkspaceFactory
from tests.tenant import iso
from traces import engines, writer
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = NOWS[-1]
CHOICES: dict[str, list[Any]] = {
    "agent_id": ["billing", "sales"],
    "model": ["gpt-4o", "sonnet"],
    "provider": ["openai"],
    "operation": ["chat", "execute_tool", "invoke_agent"],
    "environment": [value for value in ENVIRONMENTS if value],
    "release": [value for value in RELEASES if value],
    "status": ["success", "error", "timeout"],
    "error_type": ["rate_limit"],
    "user_id": [value for value in USERS if value],
    "session_id": ["monday"],
    "tool": ["search", "weather"],
    "label.customer": [value for value in LABELS["customer"] if value],
}


@st.composite
def traces_of_spans(draw: st.DrawFn) -> list[Row]:
    """Draws traces of one to six spans, some hours apart, and some with a gap of hours inside."""
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 14))):
        at = NOW - timedelta(minutes=draw(st.integers(0, 3 * 1440)), microseconds=draw(st.sampled_from([0, 1])))
        for span in range(draw(st.sampled_from([1, 1, 2, 3, 6]))):
            row = Row(at, f"trace{number:02}", f"{len(rows):016x}", **draw(values()))
            row.parent_span_id = draw(st.sampled_from([None, f"{len(rows) - 1:016x}"])) if span else None
            row.tool = draw(st.sampled_from([None, "search", "weather"])) if row.operation == "execute_tool" else None
            row.name = draw(st.sampled_from([None, "run", "Plan trip"]))
            rows.append(row)
            at += draw(st.sampled_from([timedelta(seconds=2), timedelta(0), timedelta(hours=5)]))
    return rows


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    names = draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=3, unique=True))
    chosen = {
        name: (
            draw(st.lists(st.sampled_from(CHOICES[name]), max_size=2, unique=True)),
            draw(st.lists(st.sampled_from(CHOICES[name]), max_size=1)),
        )
        for name in names
    }
    return Asked(
        NOW - timedelta(hours=draw(st.sampled_from([61, 72, 80]))),
        NOW - timedelta(hours=draw(st.sampled_from([0, 0, 30, 60]))) + timedelta(microseconds=1),
        chosen,
        search=draw(st.sampled_from(["", "", "", "plan", "RATE_LIMIT", "trace1", "ad"])),
        min_latency_ms=draw(st.sampled_from([None, None, None, 1000.0, 3_600_000.0])),
        min_cost_usd=draw(st.sampled_from([None, None, None, 0.1])),
        has_error=draw(st.sampled_from([None, None, True, False])),
        sort=draw(st.sampled_from(["newest", "newest", "slowest", "costliest", "most_tokens"])),
    )


def query_of(asked: Asked) -> dict[str, Any]:
    query: dict[str, Any] = {"start": iso(asked.start), "end": iso(asked.end), "sort": asked.sort}
    for name, (included, excluded) in asked.values.items():
        query |= {name: included} if included else {}
        query |= {f"not_{name}": excluded} if excluded else {}
    more = {name: getattr(asked, name) for name in ("search", "min_latency_ms", "min_cost_usd", "has_error")}
    texts = {name: str(value).lower() for name, value in more.items() if value not in (None, "")}
    return query | texts


def every_page(client: Client, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = ask(client, "traces", query | {"limit": limit} | ({"cursor": cursor} if cursor else {}))
        found += page["data"]
        cursor = page["next_cursor"]
        assert page["searched_until"] is None
        if cursor is None:
            return found


@settings(oracle_settings, max_examples=CASES // QUESTIONS // 4)
@given(data=st.data(), follows=st.booleans())
def test_the_list_is_that_of_plain_python(data: st.DataObject, follows: bool) -> None:
    rows, others = data.draw(traces_of_spans()), data.draw(traces_of_spans())
    workspace = WorkspaceFactory(id=uuid4())
    on_time = data.draw(st.integers(0, len(rows))) if follows else len(rows)
    writer.store(workspace.id, rows[:on_time])
    writer.store(WorkspaceFactory(id=uuid4()).id, others)
    if follows:
        engines.current().follow(NOW - timedelta(hours=2))
        writer.store(workspace.id, rows[on_time:])
        rows = [*rows, *corrected(data, workspace.id, rows)]
        rows = list({row.span_id: row for row in rows}.values())
    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    with override_settings(OPEN_WORKSPACE_IDS=frozenset({workspace.id})), unhurried():
        for _ in range(QUESTIONS):
            asked = data.draw(questions())
            limit = data.draw(st.sampled_from([1, 2, 5, 100]))
            check(every_page(client, query_of(asked), limit), listed(rows, asked))


def corrected(data: st.DataObject, workspace_id: UUID, rows: list[Row]) -> list[Row]:
    """Corrects some stored rows, and returns them as they are now."""
    some = data.draw(st.lists(st.sampled_from(rows), max_size=3, unique_by=attrgetter("span_id"))) if rows else []
    changed = [replace(row, **data.draw(values())) for row in some]
    if changed:
        with writer.writing(workspace_id) as cursor:
            writer.correct(cursor, workspace_id, changed)
    return changed


def unhurried() -> Any:
    """Lets each search end, however busy the machine is."""
    return patch.multiple(traces, SECONDS=600.0, SEARCH_SECONDS=600.0, SORT_SECONDS=600.0)


def check(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [trace["trace_id"] for trace in found] == [trace["trace_id"] for trace in expected]
    for trace, wanted in zip(found, expected, strict=True):
        for name in wanted.keys() - {"started_at", "has_error"}:
            value = pytest.approx(wanted[name]) if isinstance(wanted[name], float) else wanted[name]
            assert trace[name] == value, name
