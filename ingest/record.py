"""Spans into `traces`, resolved with everything stored of their traces before."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from ingest import pricing
from ingest.attribution import Resolved
from ingest.mapping import Said, base_model
from ingest.rows import Row


def fill(row: Row, result: Resolved) -> None:
    """The resolved values of a row, all but its price."""
    row.operation = result.operation
    row.agent_id = result.agent_id
    row.user_id = result.user_id
    row.session_id = result.session_id
    row.latency_ms = result.latency_ms
    call = result.call
    row.provider = call.provider if call else None
    row.model = base_model(call.used_model or call.requested_model) if call else None
    row.input_tokens = call.input_tokens if call else None
    row.output_tokens = call.output_tokens if call else None
    row.cache_read_tokens = call.cache_read_tokens if call else None
    row.cache_write_tokens = call.cache_write_tokens if call else None
    row.reasoning_tokens = call.reasoning_tokens if call else None
    row.response_id = call.response_id if call else result.said.response_id


def priced(row: Row, call: Said) -> pricing.Call:
    models = tuple(name for name in (call.used_model, call.requested_model) if name)
    reported = Decimal(call.reported_cost_usd) if call.reported_cost_usd else None
    return pricing.Call(row, models, reported, call.service_tier)
