"""The list of traces in plain Python."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from traces.row import CALL_OPERATIONS, Row

Values = Mapping[str, tuple[list[str], list[str]]]
"""For each filter the included and the excluded values."""


@dataclass
class Asked:
    start: datetime
    end: datetime
    values: Values = field(default_factory=dict)
    search: str = ""
    min_latency_ms: float | None = None
    min_cost_usd: float | None = None
    has_error: bool | None = None
    sort: str = "newest"


def value_of(row: Row, name: str) -> str | None:
    if name.startswith("label."):
        return (row.labels or {}).get(name.removeprefix("label."))
    value: str | None = getattr(row, name)
    return value


def ended(row: Row) -> datetime:
    return row.timestamp + timedelta(milliseconds=row.latency_ms or 0)


def meets(row: Row, asked: Asked) -> bool:
    return all(
        not included or value_of(row, name) in included
        for name, (included, _) in asked.values.items()
        if name != "status"
    )


def is_excluded(row: Row, asked: Asked) -> bool:
    return any(value_of(row, name) in excluded for name, (_, excluded) in asked.values.items() if name != "status")


def is_found(row: Row, search: str) -> bool:
    texts = (
        *(row.name, row.trace_id, row.span_id, row.user_id, row.session_id, row.agent_id, row.model, row.tool),
        *(row.error_type, row.error_message),
    )
    return any(search.lower() in text.lower() for text in texts if text)


def first(rows: Iterable[Row]) -> Row:
    return min(rows, key=lambda row: (row.parent_span_id is not None, row.timestamp, row.span_id))


def status_of(rows: Sequence[Row]) -> str:
    calls = [row for row in rows if row.operation in CALL_OPERATIONS]
    latest = max(map(ended, calls), default=None)
    last = min((row for row in calls if ended(row) == latest), key=lambda row: row.span_id, default=None)
    return last.status if last and last.status != "success" else first(rows).status


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    started_at = min(row.timestamp for row in rows)
    costs = [row.cost_usd for row in rows if row.cost_usd is not None]
    tokens = {name: [getattr(row, name) for row in rows if getattr(row, name) is not None] for name in TOKENS}
    calls = [row for row in rows if row.operation in CALL_OPERATIONS]
    return {
        "trace_id": rows[0].trace_id,
        "started_at": started_at,
        "latency_ms": (max(map(ended, rows)) - started_at) / timedelta(milliseconds=1),
        "status": status_of(rows),
        "has_error": any(row.status != "success" for row in rows),
        "agents": sorted({row.agent_id for row in rows}),
        "models": sorted({row.model for row in rows if row.model}),
        "span_count": len(rows),
        "calls": len(calls),
        "tool_calls": sum(row.operation == "execute_tool" for row in rows),
        "cost_usd": float(sum(costs)) if costs else None,
        "unpriced_calls": sum(row.cost_usd is None for row in calls),
        "labels": first(rows).labels or {},
        **{name: sum(values) if values else None for name, values in tokens.items()},
    }


TOKENS = ("input_tokens", "output_tokens")
AMOUNTS: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
    "slowest": lambda trace: trace["latency_ms"],
    "costliest": lambda trace: trace["cost_usd"],
    "most_tokens": lambda trace: (trace["input_tokens"] or 0) + (trace["output_tokens"] or 0),
}


def listed(rows: Iterable[Row], asked: Asked) -> list[dict[str, Any]]:
    """Returns the traces in the order of the list."""
    traces: dict[str, list[Row]] = {}
    for row in rows:
        traces.setdefault(row.trace_id, []).append(row)
    found = [summary(spans) for spans in traces.values() if chosen(spans, asked)]
    found = [trace for trace in found if is_whole(trace, asked)]
    if asked.sort == "newest":
        return sorted(found, key=lambda trace: (trace["started_at"], trace["trace_id"]), reverse=True)
    amount = AMOUNTS[asked.sort]
    found = [trace for trace in found if amount(trace) is not None]
    return sorted(found, key=lambda trace: (-(amount(trace) or 0), trace["trace_id"]))


def chosen(spans: Sequence[Row], asked: Asked) -> bool:
    return (
        any(meets(row, asked) for row in spans)
        and not any(is_excluded(row, asked) for row in spans)
        and (not asked.search or any(is_found(row, asked.search) for row in spans))
    )


def is_whole(trace: Mapping[str, Any], asked: Asked) -> bool:
    included, excluded = asked.values.get("status", ([], []))
    return (
        asked.start <= trace["started_at"] < asked.end
        and (not included or trace["status"] in included)
        and trace["status"] not in excluded
        and asked.has_error in (None, trace["has_error"])
        and (asked.min_latency_ms is None or trace["latency_ms"] >= asked.min_latency_ms)
        and (asked.min_cost_usd is None or (trace["cost_usd"] or -1) >= asked.min_cost_usd)
    )
