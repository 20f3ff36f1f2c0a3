"""The usage report: calls, users and agents over time, and who calls most."""

from analytics import usage
from reports.colours import LIGHT
from reports.document import Chart, Column, Document, Figure, Section, Series, Table
from reports.kinds import Kind, ReportRequest, register
from reports.kinds.asking import Data, metric, query
from reports.kinds.parts import (
    before_series,
    chart_by,
    chart_over_time,
    document_of,
    horizontal_bars,
    moment_of,
    no_call,
    settled,
    table_by,
    table_over_time,
    versus,
    when,
)
from web.number_text import count

USERS = 50
"""The most users that are listed."""
OVER_TIME = ("calls", "errors", "input_tokens", "output_tokens")
BY = ("calls", "errors", "error_rate", "avg_latency_ms", "cost_usd")


def build(request: ReportRequest) -> Document:
    request = settled(request)
    overview = metric(usage.overview, request)
    sections = [summary(request, overview)]
    if overview["total_calls"]:
        sections += [by_agent(request), by_model(request), top_users(request)]
    return document_of(request, "Usage", sentence(request, overview), sections)


def sentence(request: ReportRequest, overview: Data) -> str:
    calls = overview["total_calls"]
    if not calls:
        return no_call(request)
    change = versus(overview["change_from_previous"]["total_calls"], request)
    agents = counted(overview["active_agents"], "agent")
    users = counted(overview["unique_users"], "user")
    return f"{users} made {counted(calls, 'call')} with {agents} {when(request)}{change}."


def counted(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def summary(request: ReportRequest, overview: Data) -> Section:
    changes = overview["change_from_previous"]
    figures = [
        Figure("Calls", overview["total_calls"], "count", changes["total_calls"]),
        Figure("Users", overview["unique_users"], "count", changes["unique_users"]),
        Figure("Agents", overview["active_agents"], "count", changes["active_agents"]),
        Figure("Calls per user", overview["avg_calls_per_user"], "average", changes["avg_calls_per_user"]),
    ]
    charts = [calls_over_time(request)] if overview["total_calls"] else []
    tables = [table_over_time(request, OVER_TIME, "Calls over time")._replace(is_main=True)]
    return Section("Calls", figures=figures, charts=charts, tables=tables)


def calls_over_time(request: ReportRequest) -> Chart:
    points = query(request, ("calls", "errors"), is_series=True)["data"]
    series = [
        Series("Successful", [one["calls"] - one["errors"] for one in points], LIGHT["--primary-fill"]),
        Series("Failed", [one["errors"] for one in points], LIGHT["--error-fill"]),
        *before_series(request, "calls"),
    ]
    return chart_over_time(request, "stacked_bars", "Calls over time", series, "calls")


def by_agent(request: ReportRequest) -> Section:
    table = table_by(request, "agent_id", BY, "Calls by agent", share_of="calls")
    return Section("Agents", charts=[horizontal_bars(table, "The agents with the most calls", "calls")], tables=[table])


def by_model(request: ReportRequest) -> Section:
    table = table_by(request, "model", BY, "Calls by model", share_of="calls")
    return Section("Models", charts=[chart_by(request, "model", "calls", "Calls over time by model")], tables=[table])


TREND_WORDS = {"up": "more", "down": "fewer", "flat": "about the same", "new": "new"}


def top_users(request: ReportRequest) -> Section:
    columns = [
        Column("User", "text", "user_id"),
        Column("Calls", "count", "calls", has_share=True),
        Column("Cost", "usd", "cost_usd"),
        Column("Agents", "count", "active_agents"),
        Column("Against before", "text", "trend"),
        Column("Last call", "moment", "last_seen"),
    ]
    rows = [
        [
            *(one[name] for name in ("user_id", "calls", "cost_usd", "active_agents")),
            TREND_WORDS[one["trend"]],
            moment_of(one["last_seen"]),
        ]
        for one in metric(usage.top_users, request, limit=USERS)["data"]
    ]
    notes = [] if rows else ["No call names a user."]
    table = Table("Users with the most calls", columns, rows, note=f"The first {USERS} at most.")
    return Section("Users", tables=[table] if rows else [], notes=notes)


KIND = register(Kind("usage", "Usage", "Calls, users and agents over time, and who calls most.", build))
