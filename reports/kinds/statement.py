"""The statement of one customer, agent or user: what its calls cost, by day and model, as an invoice has it beside."""

from analytics import cost, usage
from analytics.query_string import bucket_count
from analytics.splits import dimension_label, in_sentence
from reports.document import Column, Document, Figure, Section, Table
from reports.kinds import Kind, ReportRequest, register
from reports.kinds.asking import Data, metric, query
from reports.kinds.parts import (
    ALL_OTHERS,
    bucket_column,
    chart_by,
    columns_of,
    document_of,
    rest_note,
    settled,
    start_of,
    table_by,
    table_over_time,
    unpriced_words,
    value_name,
    when,
)
from reports.words import amount
from traces.filters import LABEL_PREFIX, Filters
from web.number_text import count
from web.problems import FieldError, Problem

SUBJECTS = ("user_id", "agent_id")
"""What a statement may be about, beside a label."""
CUSTOMER = f"{LABEL_PREFIX}customer"
MOST_LINES = 10_000
"""Of the table by day and model."""
MOST_MODELS = 100
MEASURES = ("calls", "input_tokens", "output_tokens", "cost_usd", "unpriced_calls")
NO_SUBJECT = "a statement is about one customer, agent or user: filter by exactly one, like label.customer=acme"
ROUNDED = "Amounts are sums of exact costs, and rounded only where they are written."


def possible_subjects(filters: Filters) -> list[str]:
    """Names the filters that a statement may be about: those of labels, of a user and of an agent with one value."""
    labels = [name for name in filters.active_names if name.startswith(LABEL_PREFIX)]
    labels.sort(key=lambda name: name != CUSTOMER)
    known = (name for name in (*labels, *SUBJECTS) if name in filters.values)
    return [name for name in known if len(filters.values[name].included) == 1]


def subject_of(filters: Filters, chosen: str = "") -> str | None:
    """Names the filter that the statement is about: the chosen one, else a label, the customer first, else a user."""
    found = possible_subjects(filters)
    return chosen if chosen in found else next(iter(found), None)


def errors(filters: Filters) -> list[FieldError]:
    return [] if subject_of(filters) else [{"loc": ["query", "label.<name>"], "msg": NO_SUBJECT}]


def build(request: ReportRequest) -> Document:
    request = settled(request)
    name = subject_of(request.filters, request.subject)
    if name is None:
        raise Problem(422, f"{NO_SUBJECT.capitalize()}.", errors(request.filters))
    value = request.filters.values[name].included[0]
    calls = metric(usage.overview, request)["total_calls"]
    spend = metric(cost.overview, request)
    subject = f"{in_sentence(name)} {value}"
    sections = [total(request, spend, calls)]
    if calls:
        sections += [by_day(request), by_model(request), *([] if name == "agent_id" else [by_agent(request)])]
    sections.append(lines(request))
    title = f"Statement for {value}"
    words = sentence(request, spend, calls) if calls else f"No call of {subject} {when(request)}."
    document = document_of(request, title, words, sections, subject)
    return document._replace(filters=[one for one in document.filters if one != (dimension_label(name), value)])


def sentence(request: ReportRequest, spend: Data, calls: int) -> str:
    whole = spend["total_spend_usd"]
    of_calls = f"{count(calls)} call{'' if calls == 1 else 's'}"
    if whole is None:
        return f"{of_calls} {when(request)}; none has a price, so the total is unknown."
    return " ".join(
        filter(None, (f"{of_calls} {when(request)} cost {amount(whole)}.", unpriced_words(spend["unpriced_calls"])))
    )


def total(request: ReportRequest, spend: Data, calls: int) -> Section:
    tokens = query(request, ("input_tokens", "output_tokens"))["totals"]
    figures = [
        Figure("Total", spend["total_spend_usd"], "usd"),
        Figure("Calls", calls, "count"),
        Figure("Input tokens", tokens["input_tokens"], "count"),
        Figure("Output tokens", tokens["output_tokens"], "count"),
        Figure("Calls without a price", spend["unpriced_calls"], "count"),
    ]
    return Section("Total", figures=figures, notes=[ROUNDED] if calls else [])


def by_day(request: ReportRequest) -> Section:
    title = bucket_column(request.filters).title.lower()
    table = table_over_time(request, MEASURES, f"Cost by {title}")
    return Section(
        f"By {title}", charts=[chart_by(request, "model", "cost_usd", "Cost over time by model")], tables=[table]
    )


def by_model(request: ReportRequest) -> Section:
    return Section(
        "By model",
        tables=[table_by(request, "model", MEASURES, "Cost by model", order="-cost_usd", share_of="cost_usd")],
    )


def by_agent(request: ReportRequest) -> Section:
    return Section(
        "By agent",
        tables=[table_by(request, "agent_id", MEASURES, "Cost by agent", order="-cost_usd", share_of="cost_usd")],
    )


def lines(request: ReportRequest) -> Section:
    """Lists each bucket and model with calls: the rows that add up to the total."""
    filters = request.filters
    limit = max(min(MOST_LINES // bucket_count(filters, filters.granularity), MOST_MODELS), 1)
    data = query(request, MEASURES, ("model",), limit, "-cost_usd", is_series=True)
    points = [(value_name(point["model"], "model"), point) for point in data["data"]]
    points += [(ALL_OTHERS, point) for point in (data["rest"] or {}).get("data", ())]
    rows = [[start_of(point), model, *(point[name] for name in MEASURES)] for model, point in points if point["calls"]]
    rows.sort(key=lambda row: row[0])
    bucket = bucket_column(filters)
    table = Table(
        f"Lines by {bucket.title.lower()} and model",
        [bucket, Column(dimension_label("model"), "text", "model"), *columns_of(MEASURES)],
        rows,
        ["Total", None, *(data["totals"][name] for name in MEASURES)],
        note=rest_note(limit) if data["rest"] else "",
        is_main=True,
    )
    return Section("Lines", tables=[table])


KIND = register(
    Kind(
        "statement",
        "Statement",
        "What one customer, agent or user cost, with a line for each day and model.",
        build,
        errors,
    )
)
