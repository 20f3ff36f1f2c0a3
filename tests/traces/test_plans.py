"""Checks which index each lookup uses: a wrong one is only slow on large tables."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import agent, chat, send
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.apps import complete_schema
from traces.lookup import (
    ITEMS,
    ROOTS_OF_TRACES,
    SPANS_OF_TRACES,
    TRACES_OF_LINKS,
    WantedLink,
    links_as_json,
    lookup_sql,
)
from traces.scores import ROWS_OF_TRACES
from traces.write_cursor import WriteCursor

pytestmark = pytest.mark.django_db(databases="__all__")

HOUR = timedelta(hours=1)
NEAR = {"first": NOON - HOUR, "last": NOON + HOUR}
# Autovacuum updates the same rows of the catalogs under this lock. Whoever takes it first waits for nothing afterwards.
ALONE = "LOCK TABLE traces IN SHARE UPDATE EXCLUSIVE MODE"
FORGET = """
DELETE FROM pg_statistic WHERE starelid IN (
    SELECT indexrelid FROM pg_index WHERE indrelid = 'traces'::regclass UNION ALL SELECT 'traces'::regclass
);
UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'traces'::regclass
"""
KEY_INDEX = "traces_span_key"


def store_many(tenant: Tenant) -> None:
    rows = [
        a_row(
            link=f"provider:{number}",
            response_id=f"answer-{number}",
            span_facts={"kind": "llm"} if number % 2 else {"item": True},
        )
        for number in range(2_000)
    ]
    writer.store(tenant.workspace.id, rows)


def run(sql: str) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql)


def known(tenant: Tenant) -> None:
    run(ALONE)
    store_many(tenant)
    run("ANALYZE traces")


def forgotten(tenant: Tenant) -> None:
    run(ALONE)
    store_many(tenant)
    run(FORGET)


def unknown_beside_others(tenant: Tenant) -> None:
    """The planner takes the workspace for empty: all rows that its statistics know are another's."""
    run(ALONE)
    store_many(Tenant(WorkspaceFactory(), tenant.client))
    run("ANALYZE traces")
    store_many(tenant)


def after_the_index_was_made_again(tenant: Tenant) -> None:
    known(tenant)
    run(
        "DELETE FROM pg_statistic WHERE starelid IN "
        "(SELECT indexrelid FROM pg_index WHERE indrelid = 'traces'::regclass)"
    )


@pytest.fixture(params=[known, forgotten, unknown_beside_others, after_the_index_was_made_again])
def statistics(request: pytest.FixtureRequest, tenant: Tenant) -> None:
    request.param(tenant)


def plan(query: str, options: str = "", **params: object) -> str:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"EXPLAIN {options} {lookup_sql(query)}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("statistics")
def test_records_of_the_same_call_are_found_by_their_link(tenant: Tenant) -> None:
    links = links_as_json([WantedLink("a", NOON - HOUR, NOON + HOUR, NOON)])
    found = plan(TRACES_OF_LINKS, workspace_id=tenant.workspace.id, links=links, **NEAR)
    assert "idx_traces_workspace_link" in found
    assert "idx_traces_workspace_response" in found
    assert KEY_INDEX not in found


SEARCHES = {
    "idx_traces_workspace_trace": (SPANS_OF_TRACES, {"trace_ids": ["a"]}),
    "idx_traces_workspace_root": (ROOTS_OF_TRACES, {"trace_ids": ["a"]}),
    "idx_traces_workspace_item": (ITEMS, {"trace_ids": ["a"], "span_ids": ["b"]}),
    "(workspace_trace|workspace_root)": (ROWS_OF_TRACES, {"trace_ids": ["a"]}),
}


@pytest.mark.usefixtures("statistics")
@pytest.mark.parametrize("index", SEARCHES)
def test_stored_rows_are_found_by_the_index_of_their_search(tenant: Tenant, index: str) -> None:
    sql, params = SEARCHES[index]
    found = plan(sql, workspace_id=tenant.workspace.id, **params, **NEAR)
    assert re.search(f"Index Scan using (idx_traces_)?{index}", found), found
    assert KEY_INDEX not in found


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """Collects the plans of the writer's statements by their titles, as the planner makes them when they run."""
    plans: dict[str, list[str]] = defaultdict(list)
    execute = WriteCursor.execute

    def explain(cursor: WriteCursor, query: Any, params: Any = None, **options: Any) -> WriteCursor:
        if query.startswith("-- "):
            execute(cursor, f"EXPLAIN {query}", params)
            plans[query.partition("\n")[0]].append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(cursor, query, params, **options)

    with monkeypatch.context() as patched:
        patched.setattr(WriteCursor, "execute", explain)
        yield plans


@pytest.mark.usefixtures("statistics")
def test_a_changed_row_is_not_compared_with_every_other(tenant: Tenant, written: dict[str, list[str]]) -> None:
    """A late root corrects each call of its trace, and each later copy of a call moves it into another hour."""
    failed = {"failed": True, "attributes": {"user.id": "ada", "error.type": "rate_limit"}}
    send(tenant, *(chat(number, 99, start=-7200, end=None, tokens=None, **failed) for number in range(1, 6)))
    send(tenant, agent(99, start=-7300, end=1, attributes={"user.id": "grace"}))
    send(tenant, *(chat(number, 99, start=0, end=1, **failed) for number in range(1, 6)))
    titles = " ".join(written)
    assert "Corrects stored rows" in titles
    assert "rows that were merged" in titles
    assert [plan for plans in written.values() for plan in plans if "Join Filter" in plan] == []


def test_statistics_are_collected_after_a_migration(tenant: Tenant) -> None:
    forgotten(tenant)
    complete_schema(using="analytics", plan=[])
    assert known_columns() == 0
    complete_schema(using="analytics", plan=["a migration"])
    assert known_columns() > 20


def test_a_table_that_grows_is_looked_at_again_after_a_fiftieth() -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            "SELECT reloptions FROM pg_class WHERE relname IN ('traces', 'user_numbers', 'scores') AND relkind <> 'v'"
        )
        options = [options for (options,) in cursor.fetchall()]
    assert options == 3 * [["autovacuum_analyze_scale_factor=0.02", "autovacuum_analyze_threshold=1000"]]


def known_columns() -> int:
    with connections["analytics"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_statistic WHERE starelid = 'traces'::regclass")
        return int(cursor.fetchone()[0])
