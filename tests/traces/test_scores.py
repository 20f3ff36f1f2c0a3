"""A score takes agent, model and user from its trace, whichever comes first; the sums stay equal to the scores."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from ingest.store import store_scores
from tests.factories import WorkspaceFactory
from tests.ingest.test_otlp import TRACE, a_span, any_value, request_of
from tests.tenant import NOON, Tenant
from traces import engines, scores
from traces.db import rows
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")


def a_score(**changes: Any) -> Score:
    values: dict[str, Any] = {"id": "1", "timestamp": NOON, "name": "helpful", "trace_id": TRACE, "number": Decimal(1)}
    return Score(source="api", **(values | changes))


def store(tenant: Tenant, *given: Score) -> None:
    store_scores(tenant.workspace.id, given)


def send(tenant: Tenant, span: dict[str, Any]) -> None:
    assert tenant.client.post("/v1/traces", request_of(span), content_type="application/json").status_code == 200


def call(tenant: Tenant, number: int, agent: str = "", model: str = "gpt-4o") -> None:
    named = {"gen_ai.agent.name": agent} if agent else {}
    send(tenant, a_span(number, 1, attributes=named | {"gen_ai.request.model": model}))


def agent_run(tenant: Tenant) -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "user.id": "ada"}
    pairs = [{"key": key, "value": any_value(value)} for key, value in attributes.items()]
    send(tenant, a_span(1) | {"attributes": pairs})


def facts(tenant: Tenant) -> list[tuple[Any, ...]]:
    found = rows(
        "SELECT agent_id, model, provider, user_id, operation FROM scores WHERE workspace_id = %(id)s ORDER BY id",
        {"id": tenant.workspace.id},
    )
    return [tuple(row.values()) for row in found]


def check_sums(tenant: Tenant) -> list[dict[str, Any]]:
    """Checks that the sums are those of the scores, and returns them."""
    expected = rows(
        """
        SELECT
            date_trunc('hour', timestamp, 'UTC') AS bucket, name, agent_id, provider, model, category,
            count(*) AS scores, count(number) AS numbers, coalesce(sum(number), 0) AS number,
            coalesce(sum(number * number), 0) AS squared_number
        FROM scores
        WHERE workspace_id = %(id)s
        GROUP BY 1, 2, 3, 4, 5, 6
        ORDER BY 1, 2, 3, 4, 5, 6
        """,
        {"id": tenant.workspace.id},
    )
    found = rows(
        """
        SELECT bucket, name, agent_id, provider, model, category, scores, numbers, number, squared_number
        FROM score_sums
        WHERE workspace_id = %(id)s AND scores <> 0
        ORDER BY 1, 2, 3, 4, 5, 6
        """,
        {"id": tenant.workspace.id},
    )
    assert found == expected
    return found


def test_a_score_of_a_span_takes_what_the_span_says(tenant: Tenant) -> None:
    agent_run(tenant)
    call(tenant, 2)
    store(tenant, a_score(span_id=f"{2:016x}"), a_score(id="2", span_id=f"{1:016x}"))
    assert facts(tenant) == [
        ("planner", "gpt-4o", "openai", "ada", "chat"),
        ("planner", None, None, "ada", "invoke_agent"),
    ]


def test_a_score_of_a_trace_takes_the_agent_of_the_root_and_the_only_model(tenant: Tenant) -> None:
    agent_run(tenant)
    call(tenant, 2, agent="writer")
    call(tenant, 3)
    store(tenant, a_score())
    assert facts(tenant) == [("planner", "gpt-4o", "openai", "ada", None)]
    call(tenant, 4, model="gpt-4o-mini")
    assert facts(tenant) == [("planner", None, None, "ada", None)]
    check_sums(tenant)


def test_a_span_that_never_came_leaves_the_score_to_its_trace(tenant: Tenant) -> None:
    agent_run(tenant)
    store(tenant, a_score(span_id="never"))
    assert facts(tenant) == [("planner", None, None, "ada", None)]


def test_scores_of_a_session_and_of_unknown_traces_have_no_agent(tenant: Tenant) -> None:
    store(tenant, a_score(trace_id=None, session_id="monday"), a_score(id="2", trace_id="unknown"))
    assert facts(tenant) == [(None, None, None, None, None)] * 2
    check_sums(tenant)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_every_order_of_scores_and_spans_gives_the_same(tenant: Tenant, order: tuple[int, ...]) -> None:
    steps = [
        lambda: agent_run(tenant),
        lambda: call(tenant, 2),
        lambda: store(tenant, a_score(), a_score(id="2", span_id=f"{2:016x}", category="good", number=None)),
        lambda: store(tenant, a_score(timestamp=NOON + timedelta(hours=1), number=Decimal("0.5"))),
    ]
    for number in order:
        steps[number]()
    assert facts(tenant) == [
        ("planner", "gpt-4o", "openai", "ada", None),
        ("planner", "gpt-4o", "openai", "ada", "chat"),
    ]
    sums = check_sums(tenant)
    assert [(row["scores"], row["number"], row["squared_number"]) for row in sums] == [
        (1, 0, 0),
        (1, Decimal("0.5"), Decimal("0.25")),
    ]


@pytest.mark.parametrize("score_first", [True, False])
def test_a_trace_of_json_has_scores_too(tenant: Tenant, score_first: bool) -> None:
    item = {"agent_id": "planner", "model": "o3", "provider": "openai", "user_id": "ada", "trace_id": TRACE}
    if score_first:
        store(tenant, a_score())
    assert tenant.client.post("/api/v1/traces", item, content_type="application/json").status_code == 200
    if not score_first:
        store(tenant, a_score())
    assert facts(tenant) == [("planner", "o3", "openai", "ada", None)]
    check_sums(tenant)


def test_a_score_of_a_year_later_finds_its_trace(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    tenant.calls(1, now - timedelta(days=300), trace_id="old", agent_id="planner", span_facts={"kind": "llm"})
    store(tenant, a_score(trace_id="old", timestamp=now))
    assert facts(tenant)[0][:2] == ("planner", "gpt-4o")


@pytest.mark.parametrize("other_days", [[], [0], [14], [30]])
def test_the_facts_do_not_depend_on_the_scores_that_come_together(tenant: Tenant, other_days: list[int]) -> None:
    """The call of another model came 20 days after the one that is judged."""
    for days in (30, 10):
        tenant.calls(1, NOON - timedelta(days=days), trace_id="long", model=f"model-{days}")
    judged = a_score(timestamp=NOON - timedelta(days=30), trace_id="long")
    others = [
        a_score(id=f"other {days} {trace}", timestamp=NOON - timedelta(days=days), trace_id=trace)
        for days in other_days
        for trace in ("long", "another")
    ]
    store(tenant, *others, judged)
    assert facts(tenant)[0][1] == "model-30"


def test_another_workspace_is_not_touched(tenant: Tenant) -> None:
    other = Tenant(WorkspaceFactory(), Client())
    for one in (tenant, other):
        store(one, a_score())
    agent_run(tenant)
    assert (facts(tenant)[0][0], facts(other)[0][0]) == ("planner", None)


def test_scores_are_deleted_with_the_traces_and_their_sums_later(tenant: Tenant, settings: Any) -> None:
    settings.RETENTION_DAYS, settings.ROLLUP_RETENTION_DAYS = 10, 30
    now = datetime.now(UTC)
    for number, days in enumerate((5, 20, 40)):
        store(tenant, a_score(id=str(number), timestamp=now - timedelta(days=days)))
    engines.current().delete_old(now, lambda _: True)
    count = "SELECT count(*) AS count FROM {table} WHERE workspace_id = %(id)s"
    params = {"id": tenant.workspace.id}
    assert [rows(count, params, table=table)[0]["count"] for table in ("scores", "score_sums")] == [1, 2]


def test_scores_are_deleted_under_the_lock_of_their_workspace(tenant: Tenant, settings: Any) -> None:
    settings.RETENTION_DAYS = 10
    other = Tenant(WorkspaceFactory(), Client())
    now = datetime.now(UTC)
    for one in (tenant, other):
        store(one, a_score(timestamp=now - timedelta(days=20)))
    locked: list[UUID] = []
    scores.delete_old(now, lambda _: True, lambda _, workspace_id: locked.append(workspace_id))
    assert sorted(locked) == sorted([tenant.workspace.id, other.workspace.id])
