"""Numbers counted from stored rows, in the shape of the captures' `observable`."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.ingest.stored import calls_of, known_sum
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
        "tools": dict(Counter(row.tool for row in everything if row.tool)),
        "users": sorted({row.user_id for row in everything if row.user_id}),
        "sessions": sorted({row.session_id for row in everything if row.session_id}),
        "environments": sorted({row.environment for row in everything if row.environment}),
        "releases": sorted({row.release for row in everything if row.release}),
        "first_tokens": sum(row.first_token_ms is not None for row in everything),
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
    calls = calls_of(rows)
    return {
        model: known_sum(row.cost_usd for row in calls if (row.model or "?") == model)
        for model in {row.model or "?" for row in calls}
    }


FIELDS_OF_CALLS = (
    *("span_id", "operation", "agent_id", "provider", "model", "user_id", "session_id", "environment", "release"),
    *("status", "error_type", "latency_ms", "first_token_ms"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
    *("cost_usd", "cost_source"),
)


def calls(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Returns each call with all that is known of it, in the order of their starts. None is not 0."""
    ordered = sorted(calls_of(rows), key=lambda row: (row.timestamp, row.span_id))
    return [{name: getattr(row, name) for name in FIELDS_OF_CALLS} for row in ordered]


def runs(rows: Iterable[Row], service: str) -> Counter[str]:
    """Returns how often a trace had this user, these agents, these tools and this outcome."""
    traces: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        traces[row.trace_id].append(row)
    # As above: a trace that only repeats calls of another one is no run.
    return Counter(
        run(members, service) for members in traces.values() if any(row.operation != "other" for row in members)
    )


def run(rows: list[Row], service: str) -> str:
    users = sorted({row.user_id for row in rows if row.user_id})
    tools = sorted((row.tool, row.status == "success") for row in rows if row.operation == "execute_tool")
    return f"{users} {agents(rows, service)} {tools} {outcome(rows)}"


def driven_runs(scenario: list[dict[str, Any]], has_users: bool) -> Counter[str]:
    """Returns the same from what the driver of a capture did."""
    driven: Counter[str] = Counter()
    for step in scenario:
        users = [step["user"]] if step["user"] and has_users else []
        tools = sorted((tool["name"], tool["ok"]) for tool in step["tools"])
        driven[f"{users} {sorted(step['agents'])} {tools} {step['outcome']}"] += step["traces"]
    return driven
