"""Which index finds what: a wrong one costs nothing in tests, and seconds on a table of some minutes' rows."""

from datetime import timedelta

import pytest
from django.db import connections

from ingest.links import LINKED, Wanted, as_json
from ingest.record import STORED
from tests.given import NOON, Given

pytestmark = pytest.mark.django_db(databases="__all__")


def plan(query: str, **params: object) -> str:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


HOUR = timedelta(hours=1)
NEAR = {"first": NOON - HOUR, "last": NOON + HOUR}


def test_records_of_the_same_call_are_found_by_their_link_without_statistics(given: Given) -> None:
    given.calls(200)
    wanted = as_json([Wanted("a", NOON - HOUR, NOON + HOUR, NOON)])
    assert "idx_traces_workspace_link" in plan(LINKED, workspace_id=given.workspace.id, wanted=wanted, **NEAR)


def test_stored_spans_are_found_by_their_trace_without_statistics(given: Given) -> None:
    given.calls(200)
    assert "idx_traces_workspace_trace" in plan(STORED, workspace_id=given.workspace.id, trace_ids=["a"], **NEAR)
