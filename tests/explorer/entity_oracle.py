"""Computes the rows of the lists of sessions, users, agents and tools, in plain Python over a list of rows."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.analytics.oracle import CALLS, Question, grouped, passes, spend
from traces.row import Row


def in_windows(rows: Iterable[Row], question: Question, usual: set[str] | None) -> tuple[list[Row], list[Row]]:
    """Returns the rows of the window and of the one before. `usual`: their operations, unless a filter names some."""
    names = dict(question.filters)
    if usual:
        names.setdefault("operation", sorted(usual))
    passing = [row for row in rows if all(passes(row, name, values) for name, values in names.items())]
    earlier = question.start - (question.end - question.start)
    now = [row for row in passing if question.start <= row.timestamp < question.end]
    return now, [row for row in passing if earlier <= row.timestamp < question.start]


def failed(rows: Iterable[Row]) -> int:
    return sum(row.status != "success" for row in rows)


def average(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def change(now: float, before: float) -> float | None:
    return (now - before) / before * 100 if before else None


def users(rows: list[Row], question: Question) -> dict[str, dict[str, Any]]:
    now, before = in_windows(rows, question, CALLS)
    earlier = grouped(before, lambda row: row.user_id)
    return {
        user: {
            "user_id": user,
            "calls": len(calls),
            "errors": failed(calls),
            "error_rate": failed(calls) * 100 / len(calls),
            "cost_usd": spend(calls),
            "active_agents": len({row.agent_id for row in calls}),
            "last_seen": max(row.timestamp for row in calls),
            "change_from_previous": change(len(calls), len(earlier[user])),
        }
        for user, calls in grouped(now, lambda row: row.user_id).items()
        if user
    }


def agents(rows: list[Row], question: Question) -> dict[str, dict[str, Any]]:
    now, before = in_windows(rows, question, CALLS)
    earlier = grouped(before, lambda row: row.agent_id)
    return {
        agent: {
            "agent_id": agent,
            "calls": len(calls),
            "errors": failed(calls),
            "error_rate": failed(calls) * 100 / len(calls),
            "avg_latency_ms": average(row.latency_ms for row in calls),
            "input_tokens": sum(row.input_tokens or 0 for row in calls),
            "output_tokens": sum(row.output_tokens or 0 for row in calls),
            "cost_usd": spend(calls),
            "change_from_previous": change(len(calls), len(earlier[agent])),
        }
        for agent, calls in grouped(now, lambda row: row.agent_id).items()
    }


def tools(rows: list[Row], question: Question) -> dict[str, dict[str, Any]]:
    now, before = in_windows([row for row in rows if row.tool is not None], question, {"execute_tool"})
    earlier = grouped(before, lambda row: row.tool)
    return {
        tool: {
            "tool": tool,
            "calls": len(calls),
            "errors": failed(calls),
            "error_rate": failed(calls) * 100 / len(calls),
            "avg_latency_ms": average(row.latency_ms for row in calls),
            "agents": len({row.agent_id for row in calls}),
            "change_from_previous": change(len(calls), len(earlier[tool])),
        }
        for tool, calls in grouped(now, lambda row: row.tool).items()
    }


def sessions(rows: list[Row], question: Question) -> dict[str, dict[str, Any]]:
    now, _ = in_windows(rows, question, None)
    found = {}
    for session, spans in grouped(now, lambda row: row.session_id).items():
        calls = [row for row in spans if row.operation in CALLS]
        roots = [row for row in spans if row.parent_span_id is None]
        found[session] = {
            "session_id": session,
            "agents": sorted({row.agent_id for row in spans}),
            "started_at": min(row.timestamp for row in spans),
            "last_seen": max(row.timestamp for row in spans),
            "traces": len(roots),
            "calls": len(calls),
            "errors": failed(calls),
            "duration_ms": sum(row.latency_ms or 0 for row in roots),
            "tokens": sum((row.input_tokens or 0) + (row.output_tokens or 0) for row in calls),
            "cost_usd": spend(spans),
        }
    return {session: values for session, values in found.items() if session}


LISTS: dict[str, Callable[[list[Row], Question], dict[str, dict[str, Any]]]] = {
    "users": users,
    "agents": agents,
    "tools": tools,
    "sessions": sessions,
}
