"""Checks which index each lookup uses: a wrong one is only slow on large tables."""

from datetime import timedelta

import pytest
from django.db import connections

from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.lookup import SPANS_OF_TRACES, TRACES_OF_LINKS, WantedLink, links_as_json, lookup_columns

pytestmark = pytest.mark.django_db(databases="__all__")

HOUR = timedelta(hours=1)
NEAR = {"first": NOON - HOUR, "last": NOON + HOUR}
FORGET = """
DELETE FROM pg_statistic WHERE starelid IN (
    SELECT indexrelid FROM pg_index WHERE indrelid = 'traces'::regclass UNION ALL SELECT 'traces'::regclass
);
UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'traces'::regclass
"""


@pytest.fixture(params=["ANALYZE traces", FORGET], ids=["with statistics", "without"])
def statistics(request: pytest.FixtureRequest, tenant: Tenant) -> None:
    writer.store(
        tenant.workspace.id, [a_row(link=f"answer-{number}", span_facts={"kind": "llm"}) for number in range(2_000)]
    )
    with connections["analytics"].cursor() as cursor:
        cursor.execute(request.param)


def plan(query: str, **params: object) -> str:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("statistics")
def test_records_of_the_same_call_are_found_by_their_link(tenant: Tenant) -> None:
    links = links_as_json([WantedLink("a", NOON - HOUR, NOON + HOUR, NOON)])
    assert "idx_traces_workspace_link" in plan(TRACES_OF_LINKS, workspace_id=tenant.workspace.id, links=links, **NEAR)


@pytest.mark.usefixtures("statistics")
def test_stored_spans_are_found_by_their_trace(tenant: Tenant) -> None:
    assert "idx_traces_workspace_trace" in plan(
        SPANS_OF_TRACES.format(columns=lookup_columns()), workspace_id=tenant.workspace.id, trace_ids=["a"], **NEAR
    )
