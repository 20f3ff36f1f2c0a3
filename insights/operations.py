"""Describes its endpoints for the API document."""

from analytics.answers import SERIES_TTL_SECONDS
from analytics.openapi import Schema, json_of, parameters, problems, schema_of, success_response
from insights.change_parameters import ChangeQuery
from insights.changes import ChangeAnswer
from insights.compare import CompareAnswer
from insights.compare_parameters import CompareQuery
from insights.ledger_operations import ledger_operation


def operations() -> dict[str, Schema]:
    return {
        "/api/v1/insights/changes": {"get": change_operation()},
        "/api/v1/cost/ledger": {"get": ledger_operation()},
        "/api/v1/insights/compare": {"get": compare_operation()},
    }


def change_operation() -> Schema:
    return {
        "operationId": "insights-changes",
        "summary": "Why spend, calls, tokens, latency or errors changed between two windows, in exact parts.",
        "description": "`steps` add up to `change` to the last digit, and so do `contributions`. `range`, or `start` "
        "and `end`, are the later window. Latency is the average: percentiles cannot be split. An answer may be "
        f"{SERIES_TTL_SECONDS} seconds old.",
        "tags": ["insights"],
        "parameters": parameters(ChangeQuery),
        "responses": {
            "200": success_response(json_of(schema_of(ChangeAnswer)), "X-Cache", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=7d&measure=cost_usd&by=model&compare=previous"},
    }


def compare_operation() -> Schema:
    return {
        "operationId": "insights-compare",
        "summary": "Two to four slices of the calls side by side, each figure and difference with its 95 % interval.",
        "description": "Slices are values of dimensions, like `a=model:gpt-4o&b=model:gpt-4o-mini`, or windows, like "
        "`b_start=..&b_end=..` beside the window of the request, or both. The intervals are for one look: for looking "
        "again and again there are experiments. Below 100 calls of a slice there is no verdict. An answer may be "
        f"{SERIES_TTL_SECONDS} seconds old.",
        "tags": ["insights"],
        "parameters": parameters(CompareQuery),
        "responses": {
            "200": success_response(json_of(schema_of(CompareAnswer)), "X-Cache", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=7d&by=model"},
    }
