"""The performance report: latency, throughput, errors, and what is slow."""

from analytics import performance
from reports.colours import LIGHT
from reports.document import Chart, Column, Document, Figure, Section, Series, Table
from reports.kinds import Kind, ReportRequest, register
from reports.kinds.asking import Data, metric, query
from reports.kinds.parts import (
    bucket_column,
    chart_over_time,
    columns_of,
    document_of,
    moment_of,
    no_call,
    settled,
    start_of,
    table_by,
    when,
)
from web.number_text import ms, percent

LISTED = 50
"""The most types of errors, models and tools that are listed."""
LINES = {"p50": "--success", "p95": "--primary", "p99": "--error"}
STATUSES = {
    "success": ("Successful", "--success-fill"),
    "error": ("Failed", "--error-fill"),
    "timeout": ("Timed out", "--warning-fill"),
}
OVER_TIME = ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "avg_latency_ms")
BY_MODEL = ("calls", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "avg_latency_ms", "error_rate")


def build(request: ReportRequest) -> Document:
    request = settled(request)
    overview = metric(performance.overview, request)
    sections = [summary(request, overview)]
    if overview["total_requests"]:
        sections += [throughput(request), errors(request), models(request)]
    sections += [found] if (found := tools(request)) else []
    return document_of(request, "Performance", sentence(request, overview), sections)


def sentence(request: ReportRequest, overview: Data) -> str:
    if not overview["total_requests"]:
        return no_call(request)
    failed = f"{percent(overview['error_rate'])} of the calls failed"
    if overview["p95_latency_ms"] is None:
        return f"No call {when(request)} has a latency; {failed}."
    return f"95 % of the calls {when(request)} took at most {ms(overview['p95_latency_ms'])}; {failed}."


def summary(request: ReportRequest, overview: Data) -> Section:
    changes = overview["change_from_previous"]
    names = ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms")
    figures = [
        *(Figure(f"{name[:3]} latency", overview[name], "ms", changes[name]) for name in names),
        Figure("Error rate", overview["error_rate"], "percent", changes["error_rate"]),
        Figure("Calls", overview["total_requests"], "count"),
        Figure("Throughput", overview["requests_per_second"], "rate"),
    ]
    points = metric(performance.latency, request)["data"]
    charts = [latency_chart(request, points)] if overview["total_requests"] else []
    notes = [ESTIMATED] if overview["percentile_method"] == "histogram" else []
    return Section("Latency", figures=figures, charts=charts, tables=[latency_table(request, points)], notes=notes)


ESTIMATED = "Percentiles of so many calls are estimated from a histogram, at most 1.5 % off."


def latency_chart(request: ReportRequest, points: list[Data]) -> Chart:
    series = [
        Series(name, [point[f"{name}_latency_ms"] for point in points], LIGHT[token]) for name, token in LINES.items()
    ]
    return chart_over_time(request, "lines", "Latency over time", series, "p95_latency_ms")


def latency_table(request: ReportRequest, points: list[Data]) -> Table:
    names = ("calls", *OVER_TIME)
    rows = [[start_of(point), *(point[name] for name in names)] for point in points]
    return Table("Latency over time", [bucket_column(request.filters), *columns_of(names)], rows, is_main=True)


def throughput(request: ReportRequest) -> Section:
    points = metric(performance.throughput, request)["data"]
    series = [
        Series(words, [point[status] for point in points], LIGHT[token]) for status, (words, token) in STATUSES.items()
    ]
    names = [*STATUSES, "total"]
    columns = [*(Column(STATUSES[name][0], "count", name) for name in STATUSES), Column("Calls", "count", "total")]
    rows = [[start_of(point), *(point[name] for name in names)] for point in points]
    totals = ["Total", *(sum(point[name] for point in points) for name in names)]
    table = Table("Calls by status over time", [bucket_column(request.filters), *columns], rows, totals)
    chart = chart_over_time(request, "stacked_bars", "Calls by status over time", series, "calls")
    return Section("Throughput", charts=[chart], tables=[table])


def errors(request: ReportRequest) -> Section:
    found = metric(performance.errors, request, limit=LISTED)
    if not found["total_errors"]:
        return Section("Errors", sentence=f"No call failed {when(request)}.")
    columns = [
        Column("Type", "text", "error_type"),
        Column("Status", "text", "status"),
        Column("Failed calls", "count", "calls", has_share=True),
        Column("Of all errors", "percent", "percentage"),
        Column("Of all calls", "percent", "error_rate"),
        Column("Agents", "count", "agents"),
        Column("Users", "count", "users_affected"),
        Column("Last", "moment", "last_seen"),
    ]
    names = [column.name for column in columns[1:-1]]
    rows = [
        [one["error_type"] or "no type", *(one[name] for name in names), moment_of(one["last_seen"])]
        for one in found["data"]
    ]
    return Section(
        "Errors",
        charts=[error_rate_chart(request)],
        tables=[Table("Errors by type", columns, rows, note=f"The {LISTED} most frequent at most.")],
    )


def error_rate_chart(request: ReportRequest) -> Chart:
    points = query(request, ("error_rate",), is_series=True)["data"]
    series = [Series("Error rate", [point["error_rate"] for point in points], LIGHT["--error"])]
    return chart_over_time(request, "lines", "Error rate over time", series, "error_rate")


def models(request: ReportRequest) -> Section:
    table = table_by(request, "model", BY_MODEL, "Models, the slowest first", limit=LISTED, order="-p95_latency_ms")
    return Section("Slowest models", tables=[table])


def tools(request: ReportRequest) -> Section | None:
    found = metric(performance.tools, request, limit=LISTED)
    if not found["total_calls"]:
        return None
    columns = [
        Column("Tool", "text", "tool"),
        Column("Calls", "count", "calls", has_share=True),
        Column("Failed", "count", "errors"),
        Column("Error rate", "percent", "error_rate"),
        Column("Average latency", "ms", "avg_latency_ms"),
        Column("p95", "ms", "p95_latency_ms"),
    ]
    names = [column.name for column in columns[1:]]
    rows = [[one["tool"] or "others, or not named", *(one[name] for name in names)] for one in found["data"]]
    return Section("Tools", tables=[Table("Calls of tools", columns, rows)])


KIND = register(
    Kind(
        "performance",
        "Performance",
        "Percentiles of latency over time, errors by type, slow models, throughput.",
        build,
    )
)
