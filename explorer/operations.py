"""Describes its endpoints for the API document."""

from typing import Any

from pydantic import BaseModel

from analytics.openapi import (
    WORKSPACE,
    Schema,
    json_of,
    or_csv,
    parameter,
    parameters,
    problems,
    schema_of,
    success_response,
)
from explorer.answers import SpanAnswer, TraceAnswer
from explorer.api import NoParameters, SpanPage
from explorer.list_parameters import TraceListQuery
from explorer.trace_list import TraceList

EXAMPLE_IDS = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}
"""Of the span in the example of `/v1/traces`."""


def operations() -> dict[str, Schema]:
    return {
        "/api/v1/traces": {"get": list_traces()},
        "/api/v1/traces/{trace_id}": {
            "get": read("trace", "One trace with its spans, in the order of their starts.", TraceAnswer, SpanPage)
        },
        "/api/v1/traces/{trace_id}/spans/{span_id}": {
            "get": read(
                "span", "One span with its contents, attributes, events, links and cost.", SpanAnswer, NoParameters
            )
        },
    }


def list_traces() -> Schema:
    return {
        "operationId": "list-traces",
        "summary": "The traces that began in the window, the newest first or those with the most.",
        "description": "A trace is listed if one of its spans meets all filters by model, provider, operation, tool, "
        "error type, agent, user, session, environment, release and labels, and no span has an excluded value. Status, "
        "`has_error`, `min_latency_ms` and `min_cost_usd` are of the whole trace. There is no default operation.",
        "tags": ["traces"],
        "parameters": parameters(TraceListQuery),
        "responses": {
            "200": success_response(or_csv(json_of(schema_of(TraceList))), "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=24h&has_error=true&limit=20"},
    }


def read(name: str, summary: str, answer: Any, query: type[BaseModel]) -> Schema:
    ids = ["trace_id"] if name == "trace" else ["trace_id", "span_id"]
    fields = query.model_json_schema().get("properties", {})
    return {
        "operationId": f"one-{name}",
        "summary": summary,
        "description": "`content` says whether content is left out, and why. Ids may hold slashes.",
        "tags": ["traces"],
        "parameters": [
            *({"name": one, "in": "path", "required": True, "description": "Its id.", "schema": ID} for one in ids),
            WORKSPACE,
            *({"name": field, "in": "query", **parameter(schema)} for field, schema in fields.items()),
        ],
        "responses": {
            "200": success_response(json_of(schema_of(answer)), "Vary", "Cache-Control"),
            **problems(404),
        },
        "x-example": {"query": "", "path": {one: EXAMPLE_IDS[one] for one in ids}},
    }


ID: Schema = {"type": "string", "minLength": 1, "maxLength": 256}
