"""Compares the lists of sessions, users, agents and tools, in any order and page by page, with plain Python."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.entity_api import ENTITIES
from tests.analytics import histories
from tests.analytics.oracle import Money, difference
from tests.analytics.test_oracle import CASES, IS_ON_DEMAND, QUESTIONS, at, oracle_settings, settings_of, workspace_with
from tests.explorer.entity_oracle import LISTS

pytestmark = pytest.mark.django_db(databases="__all__")

TOOLS = [None, "search", "weather"]


def with_tools(data: st.DataObject, delivery: histories.Delivery) -> histories.Delivery:
    """Gives each tool call a tool, the same in all copies and corrections."""
    tools: dict[str, str | None] = {}

    def named(row: Any) -> Any:
        tools.setdefault(row.span_id, data.draw(st.sampled_from(TOOLS)))
        return replace(row, tool=tools[row.span_id] if row.operation == "execute_tool" else None)

    batches = [[named(row) for row in batch] for batch in delivery.batches]
    return histories.Delivery(batches, [named(row) for row in delivery.corrections], delivery.followed)


def all_pages(client: Client, name: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the rows of all pages of the list."""
    cursor, found = None, []
    while True:
        cache.clear()
        response = client.get(f"/api/v1/{name}", query | ({"cursor": cursor} if cursor else {}))
        assert response.status_code == 200, response.content
        answer = response.json()
        found += answer["data"]
        assert len(answer["data"]) <= query["limit"]
        cursor = answer["next_cursor"]
        if not cursor:
            return found


def sorted_value(row: dict[str, Any], column: str) -> Any:
    value = row["change_from_previous" if column == "change" else column]
    return datetime.fromisoformat(value) if column == "last_seen" and value else value


def is_sorted(rows: list[dict[str, Any]], column: str, is_descending: bool) -> bool:
    values = [sorted_value(row, column) for row in rows]
    known = [value for value in values if value is not None]
    return values[: len(known)] == known == sorted(known, reverse=is_descending)


@settings(oracle_settings, max_examples=CASES // QUESTIONS if IS_ON_DEMAND else 6)
@given(data=st.data(), money=histories.budgets)
def test_every_list_is_that_of_plain_python(data: st.DataObject, money: Money) -> None:
    ours = with_tools(data, data.draw(histories.deliveries(money.now)))
    others = with_tools(data, data.draw(histories.deliveries(money.now)))
    workspace, other = workspace_with(money), workspace_with(money)
    ours.arrive(workspace.id)
    others.arrive(other.id)
    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    for name, oracle in LISTS.items():
        query, question = data.draw(histories.questions(money, ours.stored))
        kind = ENTITIES[name].kind
        sort = data.draw(st.sampled_from(kind.sorts))
        query |= {"sort": sort, "limit": data.draw(st.sampled_from([1, 2, 100]))}
        with at(money.now), settings_of(workspace, question):
            found = all_pages(client, name, query)
        column = sort.removeprefix("-")
        if column != "tokens" or name == "sessions":
            assert is_sorted(found, column, sort.startswith("-")), (name, sort)
        expected = oracle(ours.stored, question)
        key = ENTITIES[name].id_name
        assert sorted(row[key] for row in found) == sorted(expected), name
        for row in found:
            known = {field: row[field] for field in expected[row[key]]}
            assert difference(known, expected[row[key]]) is None, (name, row)
