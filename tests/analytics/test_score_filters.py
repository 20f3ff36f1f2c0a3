"""Compares scores under random filters with plain Python over the same rows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.store import store_scores
from tests.analytics import histories
from tests.analytics.oracle import passes
from tests.analytics.test_oracle import ask
from tests.factories import WorkspaceFactory
from tests.tenant import iso
from traces.row import Row
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")

HISTORIES, QUESTIONS = 25, 4
SESSIONS = [None, "monday", "friday"]


@st.composite
def scored_rows(draw: st.DrawFn) -> list[Row]:
    """Draws rows that are each a trace of its own, as the filters see them: with the session of their score."""
    rows = draw(histories.histories(histories.NOWS[-1]))
    return [
        replace(row, trace_id=f"trace{number}", session_id=draw(st.sampled_from(SESSIONS)))
        for number, row in enumerate(rows)
    ]


def score_of(row: Row, has_span: bool) -> Score:
    return Score(
        id=row.trace_id,
        timestamp=row.timestamp + timedelta(minutes=1),
        name="helpful",
        trace_id=row.trace_id,
        span_id=row.span_id if has_span else None,
        session_id=row.session_id,
        number=Decimal(1),
        source="api",
    )


@settings(
    max_examples=HISTORIES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(data=st.data(), rows=scored_rows())
def test_scores_pass_the_filters_that_their_spans_pass(data: st.DataObject, rows: list[Row]) -> None:
    workspace = WorkspaceFactory(id=uuid4())
    histories.Delivery([rows], [], [None]).arrive(workspace.id)
    store_scores(workspace.id, [score_of(row, has_span=True) for row in rows])
    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    for _ in range(QUESTIONS):
        filters = data.draw(histories.filter_parameters(rows))
        [start, end] = sorted(data.draw(st.lists(histories.moments(histories.NOWS[-1]), min_size=2, max_size=2)))
        window = {"start": iso(start), "end": iso(end + timedelta(minutes=2)), "limit": 100}
        passing = {
            row.trace_id
            for row in rows
            if start <= row.timestamp + timedelta(minutes=1) < end + timedelta(minutes=2)
            and all(passes(row, name, values) for name, values in filters.items())
        }
        with override_settings(OPEN_WORKSPACE_IDS=frozenset({workspace.id})):
            listed = {score["trace_id"] for score in ask(client, "scores", window | filters)["data"]}
            counts = [name["scores"] for name in ask(client, "usage/scores", window | filters)["data"]]
        assert (listed, counts) == (passing, [len(passing)] if passing else [])
