"""Describes the endpoints of savings and of what if for the API document."""

from functools import partial
from typing import Any

from analytics.answers import SERIES_TTL_SECONDS
from analytics.openapi import (
    WITH_BODY,
    WORKSPACE,
    Schema,
    json_of,
    parameter,
    problems,
    schema_of,
    success_response,
)
from analytics.operation_parts import body, describe, query_of, with_status
from analytics.query_string import LABELS
from insights.savings.api import Decision, ListQuery
from insights.savings.items import SavingItem, SavingList
from insights.what_if import MOST_CALLS, MOST_PASSED, WhatIfAnswer
from insights.what_if_parameters import FROM, WhatIfQuery, outer_name

DECISION = {
    "kind": "loop",
    "filters": {"agent_id": "poller", "provider": "openai", "model": "gpt-5"},
    "state": "dismissed",
    "reason": "it has to ask until the order is there",
}


operation = partial(describe, "insights")


def operations() -> dict[str, Schema]:
    return {
        "/api/v1/insights/savings": {"get": list_savings(), "post": compute()},
        "/api/v1/insights/savings/decisions": {"post": decide()},
        "/api/v1/insights/what-if": {"get": what_if_operation()},
    }


def list_savings() -> Schema:
    return operation(
        "insights-savings",
        "What could cost less, in dollars a month, with the calls behind it.",
        SavingList,
        description="A job computes them once a week from the last four weeks. None is below $1 a month, or below what "
        "its own uncertainty leaves.",
        parameters=[WORKSPACE, *query_of(ListQuery)],
        **{"x-example": {"query": "state=open"}},
    )


def compute() -> Schema:
    made = operation("compute-savings", "Computes the savings again, as soon as a worker is free.", SavingList)
    return with_status(made, 202, "It is in the queue.")


def decide() -> Schema:
    return operation(
        "decide-saving",
        "Dismisses a saving, says that it is done, or takes that back.",
        SavingItem,
        *(*WITH_BODY, 409),
        description="Kind and filters name the saving. What is not found yet can be dismissed too, and cannot be done.",
        requestBody=body(Decision, DECISION),
        **{"x-example": {"body": DECISION}},
    )


def what_if_parameters() -> list[Schema]:
    fields: dict[str, Any] = WhatIfQuery.model_json_schema()["properties"]
    fields[LABELS] = with_prefix(fields[LABELS])
    named = [{"name": outer_name(name), "in": "query", **parameter(field)} for name, field in fields.items()]
    return [WORKSPACE, *named]


def with_prefix(labels: Schema) -> Schema:
    """Returns the schema of the filters by labels, whose names are patterns, with the names that clients send."""
    patterns = {f"^{FROM}{pattern.removeprefix('^')}": value for pattern, value in labels["patternProperties"].items()}
    return labels | {"patternProperties": patterns}


def what_if_operation() -> Schema:
    return {
        "operationId": "insights-what-if",
        "summary": "What the calls of a window would have cost with another model, service tier, cache share or price.",
        "description": "`model` is what the calls are priced as; filters choose the calls and begin with `from_`. "
        f"In a window of up to {MOST_PASSED:,} calls the answer is what pricing each call would give, if at most "
        f"{MOST_CALLS:,} pass the filters; of more the stored sums are read, "
        f"and `notes` says what these do not know. An answer may be {SERIES_TTL_SECONDS} seconds old.",
        "tags": ["insights"],
        "parameters": what_if_parameters(),
        "responses": {
            "200": success_response(json_of(schema_of(WhatIfAnswer)), "X-Cache", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=7d&model=gpt-4o-mini&from_agent_id=support"},
    }
