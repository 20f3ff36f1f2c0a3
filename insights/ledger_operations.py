"""Describes the endpoint of the ledger for the API document."""

from analytics.answers import SERIES_TTL_SECONDS
from analytics.openapi import Schema, json_of, or_csv, parameters, problems, schema_of, success_response
from insights.ledger import MOST_CALLS_WITH_PRICES, Ledger
from insights.ledger_parameters import LedgerQuery


def ledger_operation() -> Schema:
    return {
        "operationId": "cost-ledger",
        "summary": "What was used and what it cost, by day, provider, model, token class and price.",
        "description": f"The lines tell prices apart while the window has at most {MOST_CALLS_WITH_PRICES:,} calls; "
        "ask for single days of a larger one. Both add up to `total_cost_usd`, which is that of `cost/trend`. An "
        f"answer may be {SERIES_TTL_SECONDS} seconds old.",
        "tags": ["cost"],
        "parameters": parameters(LedgerQuery),
        "responses": {
            "200": success_response(or_csv(json_of(schema_of(Ledger))), "X-Cache", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=7d&provider=openai"},
    }
