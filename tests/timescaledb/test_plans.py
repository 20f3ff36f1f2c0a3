"""Each lookup uses the index of its search in every chunk of rows, and one workspace's rows of a compressed chunk."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row
from tests.timescaledb.conftest import RunQuery
from tests.traces.test_plans import KEY_INDEX, SEARCHES, plan
from traces import writer
from traces.lookup import SPANS_OF_TRACES, TRACES_OF_LINKS, WantedLink, links_as_json

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])

DAYS = timedelta(days=1)
WINDOW = {"first": NOON - 25 * DAYS, "last": NOON + DAYS}
LINKS = links_as_json([WantedLink("a", NOON - DAYS, NOON + DAYS, NOON)])
LOOKUPS: dict[str, tuple[str, dict[str, Any]]] = {
    **SEARCHES,
    "idx_traces_workspace_link": (TRACES_OF_LINKS, {"links": LINKS}),
    "idx_traces_workspace_response": (TRACES_OF_LINKS, {"links": LINKS}),
}
CHUNKS = """
SELECT is_compressed, chunk_name::text
FROM timescaledb_information.chunks
WHERE hypertable_name = 'traces' AND range_end > %s AND range_start < %s
"""
ROWS = 500
"""Rows of a chunk. In a chunk of few rows two indexes cost the same."""
BATCH = 100
"""Rows that the packaged server takes at once."""


def store_many(tenant: Tenant, days: range) -> None:
    rows = [
        a_row(
            NOON - day * DAYS,
            link=f"provider:{number}",
            response_id=f"answer-{number}",
            span_facts={"kind": "llm"} if number % 2 else {"item": True},
        )
        for day in days
        for number in range(ROWS)
    ]
    for first in range(0, len(rows), BATCH):
        writer.store(tenant.workspace.id, rows[first : first + BATCH])


def analyse(timescaledb: RunQuery) -> None:
    """Collects the statistics of every chunk, as autovacuum does. `ANALYZE traces` leaves those of the chunks out."""
    for (chunk,) in timescaledb("SELECT show_chunks('traces')::text"):
        timescaledb(f"ANALYZE {chunk}")


def known(timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]) -> None:
    store_chunks(tenant, run_policies)
    analyse(timescaledb)


def unknown(timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]) -> None:
    store_chunks(tenant, run_policies)


def unknown_beside_others(timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]) -> None:
    """The planner knows another workspace, and neither this one nor the chunk of today."""
    store_many(Tenant(WorkspaceFactory(), tenant.client), range(20, 22))
    store_many(Tenant(WorkspaceFactory(), tenant.client), range(1, 3))
    analyse(timescaledb)
    store_chunks(tenant, run_policies)


def store_chunks(tenant: Tenant, run_policies: Callable[[str], None]) -> None:
    """Stores rows in two chunks that are compressed, and in three that are not."""
    store_many(tenant, range(20, 22))
    run_policies("compression")
    store_many(tenant, range(3))


@pytest.fixture(params=[known, unknown, unknown_beside_others])
def statistics(
    request: pytest.FixtureRequest, timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]
) -> None:
    timescaledb("SELECT drop_chunks('traces', %s)", NOON + 9 * DAYS)  # of other tests
    request.param(timescaledb, tenant, run_policies)


@pytest.mark.usefixtures("statistics")
def test_stored_rows_are_found_by_the_index_of_their_search_in_every_chunk(
    timescaledb: RunQuery, tenant: Tenant
) -> None:
    chunks = timescaledb(CHUNKS, WINDOW["first"], WINDOW["last"])
    compressed = [name for is_compressed, name in chunks if is_compressed]
    uncompressed = [name for is_compressed, name in chunks if not is_compressed]
    assert (len(compressed), len(uncompressed)) == (2, 3)
    for index, (sql, params) in LOOKUPS.items():
        found = plan(sql, workspace_id=tenant.workspace.id, **params, **WINDOW)
        for name in uncompressed:
            assert re.search(rf"Index Scan using \S*{index}\S* on {name} ", found), (index, found)
        assert "Seq Scan" not in found
        assert KEY_INDEX not in found


@pytest.mark.usefixtures("statistics")
def test_no_row_of_another_workspace_is_decompressed(tenant: Tenant) -> None:
    for sql, params in LOOKUPS.values():
        found = plan(sql, workspace_id=tenant.workspace.id, **params, **WINDOW)
        _, *chunks = found.split("(ColumnarScan)")
        assert len(chunks) >= 2
        for chunk in chunks:
            _, batches, *_ = chunk.split("->")
            assert f"workspace_id = '{tenant.workspace.id}'" in batches


@pytest.mark.usefixtures("statistics")
def test_each_week_of_a_search_reads_its_own_chunks(tenant: Tenant) -> None:
    params = SEARCHES["idx_traces_workspace_trace"][1]
    found = plan(SPANS_OF_TRACES, "(ANALYZE)", workspace_id=tenant.workspace.id, **params, **WINDOW)
    weeks = int(re.findall(r"generate_series week .*actual .*rows=(\d+)", found)[0])
    loops = [int(count) for count in re.findall(r"_hyper_1_\d+_chunk .*loops=(\d+)", found)]
    assert weeks >= 4
    assert loops.count(1) == 5, found
