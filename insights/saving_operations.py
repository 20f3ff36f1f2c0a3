"""Describes the endpoints of savings and of what if for the API document."""

from typing import Any

from analytics.answers import SERIES_TTL_SECONDS
from analytics.openapi import WORKSPACE, Schema, json_of, parameter, problems, schema_of, success_response
from insights.what_if import MOST_CALLS, MOST_PASSED, WhatIfAnswer
from insights.what_if_parameters import WhatIfQuery, outer_name


def operations() -> dict[str, Schema]:
    return {"/api/v1/insights/what-if": {"get": what_if_operation()}}


def what_if_parameters() -> list[Schema]:
    fields: dict[str, Any] = WhatIfQuery.model_json_schema()["properties"]
    named = [{"name": outer_name(name), "in": "query", **parameter(field)} for name, field in fields.items()]
    return [WORKSPACE, *named]


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
