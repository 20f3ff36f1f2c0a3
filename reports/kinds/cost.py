"""The cost report: spend, its parts, budgets, forecast, what changed, and what could cost less."""

from collections.abc import Callable

from analytics import cost, usage
from analytics.change import change
from analytics.page_questions import LABEL_NAMES, choices_of
from reports.document import Column, Document, Figure, Section, Table
from reports.kinds import Kind, ReportRequest, register
from reports.kinds.asking import Data, metric, query
from reports.kinds.outlook import budgets, forecast, savings, what_changed
from reports.kinds.parts import (
    ROWS,
    before_series,
    chart_by,
    document_of,
    no_call,
    rest_note,
    settled,
    table_by,
    table_over_time,
    unpriced_words,
    versus,
    when,
)
from reports.words import amount
from traces.filters import LABEL_PREFIX
from web.number_text import percent

LABELS = 3
"""How many labels have a table of their own: customers, then the most frequent ones."""
BY = ("cost_usd", "calls", "cost_per_call_usd", "unpriced_calls")
OVER_TIME = ("cost_usd", "calls", "unpriced_calls")


def build(request: ReportRequest) -> Document:
    request = settled(request)
    spend = metric(cost.overview, request)
    models = metric(cost.by_model, request, limit=ROWS)
    calls = metric(usage.overview, request)["total_calls"]
    sections = [summary(request, spend, calls, models), by_model(models)]
    if calls:
        sections += [by_agent(request), *by_labels(request)]
    sections += [found for make in outlooks(request) if (found := make(request))]
    return document_of(request, "Cost", sentence(request, spend, calls, models), sections)


def outlooks(request: ReportRequest) -> list[Callable[[ReportRequest], Section | None]]:
    """Budgets and savings are of the whole workspace: a report about a part of it may be for its customer."""
    return [forecast, what_changed] if request.filters.values else [budgets, forecast, what_changed, savings]


def sentence(request: ReportRequest, spend: Data, calls: int, models: Data) -> str:
    if not calls:
        return no_call(request)
    total = spend["total_spend_usd"]
    if total is None:
        return f"The spend {when(request)} is unknown: no call has a price."
    words = f"Spend was {amount(total)} {when(request)}{versus(spend['change_from_previous'], request)}."
    return " ".join(filter(None, (words, dearest(models), unpriced_words(spend["unpriced_calls"]))))


def dearest(models: Data) -> str:
    """Names the model with the largest share."""
    first = models["data"][0]
    if first["model"] is None or not first["percentage"]:
        return ""
    return f"{first['model']} is {percent(first['percentage'])} of it."


def summary(request: ReportRequest, spend: Data, calls: int, models: Data) -> Section:
    previous_calls = metric(usage.overview, request)["change_from_previous"]["total_calls"]
    figures = [
        Figure("Spend", spend["total_spend_usd"], "usd", spend["change_from_previous"]),
        Figure("Calls", calls, "count", previous_calls),
        Figure("Cost per call", spend["avg_cost_per_call_usd"], "usd", per_call_change(request, spend)),
        Figure("Calls without a price", spend["unpriced_calls"], "count", note="They are in no total."),
    ]
    if not calls:
        return Section("Spend", figures=figures)
    chart = chart_by(request, "model", "cost_usd", "Cost over time by model")
    chart = chart._replace(series=[*chart.series, *before_series(request, "cost_usd")])
    notes = [words] if (words := unpriced_models(models)) else []
    return Section(
        "Spend",
        figures=figures,
        charts=[chart],
        tables=[table_over_time(request, OVER_TIME, "Cost over time")],
        notes=notes,
    )


def per_call_change(request: ReportRequest, spend: Data) -> float | None:
    before = query(request, ("cost_per_call_usd",), compare="previous")["totals"]["previous"]
    return change(spend["avg_cost_per_call_usd"], before["cost_per_call_usd"])


def unpriced_models(models: Data) -> str:
    """Names the models whose calls have no price."""
    without = [one for one in models["data"] if one["unpriced_calls"]]
    named = [f"{one['model'] or 'others'} ({one['unpriced_calls']:,})" for one in without]
    return f"Calls without a price, by model: {', '.join(named)}." if named else ""


def by_model(models: Data) -> Section:
    columns = [
        Column("Model", "text", "model"),
        Column("Provider", "text", "provider"),
        Column("Cost", "usd", "cost_usd", has_share=True),
        Column("Share", "percent", "percentage"),
        Column("Calls", "count", "calls"),
        Column("Per call", "usd", "avg_cost_per_call_usd"),
        Column("Input tokens", "count", "input_tokens"),
        Column("Output tokens", "count", "output_tokens"),
        Column("Unpriced calls", "count", "unpriced_calls"),
    ]
    names = [column.name for column in columns]
    rows = [
        ["others, or not named" if one["model"] is None else one["model"], *(one[n] for n in names[1:])]
        for one in models["data"]
    ]
    note = rest_note(ROWS) if len(rows) > ROWS else ""
    return Section("By model", tables=[Table("Cost by model", columns, rows, totals_of(models), note, is_main=True)])


def totals_of(models: Data) -> list[str | int | float | None]:
    def total(name: str) -> int:
        return sum(one[name] for one in models["data"])

    priced = total("calls") - total("unpriced_calls")
    whole = models["total_cost_usd"]
    per_call = whole / priced if whole is not None and priced else None
    share = 100.0 if whole else None
    tokens = (total("input_tokens"), total("output_tokens"))
    return ["Total", None, whole, share, total("calls"), per_call, *tokens, total("unpriced_calls")]


def by_agent(request: ReportRequest) -> Section:
    table = table_by(request, "agent_id", BY, "Cost by agent", share_of="cost_usd")
    return Section(
        "By agent", charts=[chart_by(request, "agent_id", "cost_usd", "Cost over time by agent")], tables=[table]
    )


def by_labels(request: ReportRequest) -> list[Section]:
    found = [choice["value"] for choice in metric(choices_of(LABEL_NAMES), request)["data"]]
    found.sort(key=lambda name: name != "customer")
    return [by_label(request, name) for name in found[:LABELS]]


def by_label(request: ReportRequest, name: str) -> Section:
    table = table_by(request, f"{LABEL_PREFIX}{name}", BY, f"Cost by {name}", share_of="cost_usd")
    return Section(f"By {name}", tables=[table])


KIND = register(
    Kind("cost", "Cost", "Spend over time, by model, agent and label; budgets, forecast, what changed, savings.", build)
)
