"""Numbers counted from stored rows, in the shape of the captures' `observable`."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from traces.row import CALL_OPERATIONS, Row

CHAT = tuple(operation for operation in CALL_OPERATIONS if operation != "embeddings")


def observed(rows: Iterable[Row]) -> dict[str, Any]:
    traces: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        traces[row.trace_id].append(row)
    # A trace in which every span repeats a call of another trace does not count.
    real = [members for members in traces.values() if any(row.operation != "other" for row in members)]
    calls = [row for members in traces.values() for row in members if row.operation in CALL_OPERATIONS]
    chats = [row for row in calls if row.operation in CHAT]
    tools = [row for members in traces.values() for row in members if row.operation == "execute_tool"]
    everything = [row for members in traces.values() for row in members]
    return {
        "traces": len(real),
        "outcomes": {"ok": 0, "error": 0, "timeout": 0} | Counter(map(outcome, real)),
        "llm_calls": len(chats),
        "embeddings": len(calls) - len(chats),
        "llm_errors": sum(row.status == "error" for row in chats),
        "llm_timeouts": sum(row.status == "timeout" for row in chats),
        "tool_calls": len(tools),
        "tool_errors": sum(row.status != "success" for row in tools),
        "tools": dict(Counter(row.name for row in tools)),
        "users": sorted({row.user_id for row in everything if row.user_id}),
        "sessions": sorted({row.session_id for row in everything if row.session_id}),
        "models": models(calls),
        "per_user": per_user(calls),
        "tokens": tokens(calls),
    }


def agents(rows: Iterable[Row], service: str) -> list[str]:
    """Returns the agents of runs and calls, without the service, which counts as agent where there is none."""
    acting = ("invoke_agent", *CALL_OPERATIONS)
    return sorted({row.agent_id for row in rows if row.operation in acting} - {service})


def outcome(rows: list[Row]) -> str:
    calls = [row for row in rows if row.operation in CALL_OPERATIONS]
    roots = [row for row in rows if row.parent_span_id is None]
    last = max(calls, key=ended, default=None)
    for row in ([last] if last else []) + roots:
        if row.status != "success":
            return row.status
    return "ok"


def ended(row: Row) -> float:
    return row.timestamp.timestamp() + (row.latency_ms or 0) / 1000


def tokens(rows: Iterable[Row]) -> dict[str, int]:
    rows = list(rows)
    return {
        "input": sum(row.input_tokens or 0 for row in rows),
        "output": sum(row.output_tokens or 0 for row in rows),
        "cached": sum(row.cache_read_tokens or 0 for row in rows),
        "cache_creation": sum(row.cache_write_tokens or 0 for row in rows),
        "reasoning": sum(row.reasoning_tokens or 0 for row in rows),
    }


def models(calls: list[Row]) -> dict[str, dict[str, int]]:
    return {
        model: {"calls": len(of_model), **tokens(of_model)}
        for model in {row.model or "?" for row in calls}
        for of_model in [[row for row in calls if (row.model or "?") == model]]
    }


def per_user(calls: list[Row]) -> dict[str, dict[str, int]]:
    return {
        user: {
            "llm_calls": sum(row.operation in CHAT for row in of_user),
            "input": sum(row.input_tokens or 0 for row in of_user),
            "output": sum(row.output_tokens or 0 for row in of_user),
        }
        for user in {str(row.user_id) for row in calls}
        for of_user in [[row for row in calls if str(row.user_id) == user]]
    }


def costs(rows: Iterable[Row]) -> dict[str, Decimal | None]:
    """Returns the cost by model; None if no call of the model has a price."""
    result: dict[str, Decimal | None] = {}
    for row in rows:
        if row.operation in CALL_OPERATIONS:
            known = result.setdefault(row.model or "?", None)
            if row.cost_usd is not None:
                result[row.model or "?"] = (known or Decimal(0)) + row.cost_usd
    return result
