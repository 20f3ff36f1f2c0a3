"""Compares every read, over HTTP, with plain Python over the same random rows.

A case is one random question. All reads of the catalogue answer it, and tests/analytics/oracle.py does too. Five
questions share one stored history. ORACLE_CASES is the number of cases: by default 200 with a fixed seed;
`make test-oracle` takes 2,000 new ones.
"""

import os
from contextlib import ExitStack
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics import query_string
from budgets import answer, spending
from budgets.models import Budget
from tests.analytics import histories
from tests.analytics.oracle import ORACLE, Money, Question, difference
from tests.factories import WorkspaceFactory
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

IS_ON_DEMAND = "ORACLE_CASES" in os.environ
CASES = int(os.environ.get("ORACLE_CASES", "200"))
QUESTIONS = 5

oracle_settings = settings(
    max_examples=CASES // QUESTIONS,
    deadline=None,
    database=None,
    derandomize=not IS_ON_DEMAND,  # the same cases on every machine: a failure comes from a change, not by chance
    # Shrinking a failing case takes minutes: set ORACLE_SHRINK when there is one.
    phases=list(Phase) if "ORACLE_SHRINK" in os.environ else [Phase.generate],
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def at(now: datetime) -> ExitStack:
    """Stops the clock of the modules that read it."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return now.astimezone(tz)

    stack = ExitStack()
    for module in (query_string, answer, spending):
        stack.enter_context(patch.object(module, "datetime", Clock))
    return stack


def workspace_with(money: Money) -> Workspace:
    workspace = WorkspaceFactory(id=uuid4(), time_zone=money.zone)
    Budget.objects.create(
        is_workspace_budget=True,
        workspace=workspace,
        amount_usd=money.limit_usd,
        alert_threshold_percentage=money.threshold,
    )
    return workspace


def ask(client: Client, metric: str, query: dict[str, Any]) -> Any:
    cache.clear()
    response = client.get(f"/api/v1/{metric}", query)
    assert response.status_code == 200, response.content
    return response.json()


def check(metric: str, actual: dict[str, Any], expected: dict[str, Any]) -> None:
    actual.pop("updated_at", None)
    assert difference(actual, expected) is None, metric
    for row in actual.get("data", [actual]):
        percentiles = [row.get(f"p{share}_latency_ms") for share in (50, 95, 99)]
        if None not in percentiles:
            assert percentiles == sorted(percentiles), metric


@oracle_settings
@given(data=st.data(), money=histories.budgets)
def test_every_read_answers_as_plain_python_does(data: st.DataObject, money: Money) -> None:
    ours, others = data.draw(histories.deliveries(money.now)), data.draw(histories.deliveries(money.now))
    workspace, other = workspace_with(money), workspace_with(money)
    ours.arrive(workspace.id)
    others.arrive(other.id)
    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    for _ in range(QUESTIONS):
        query, question = data.draw(histories.questions(money, ours.stored))
        with at(money.now), settings_of(workspace, question):
            for metric, answer in ORACLE.items():
                check(metric, ask(client, metric, query), answer(ours.stored, question, money))


def settings_of(workspace: Workspace, question: Question) -> override_settings:
    return override_settings(OPEN_WORKSPACE_IDS=frozenset({workspace.id}), EXACT_PERCENTILE_ROWS=question.exact_rows)
