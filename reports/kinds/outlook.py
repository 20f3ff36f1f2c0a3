"""The parts of the cost report that need more than the window: budgets, forecast, what changed, and savings."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import orjson

from analytics.forecasts import cached_forecast
from budgets.items import BudgetState, PeriodItem, items, period_item
from budgets.models import Budget
from budgets.states import past_periods, raises_in_force
from insights.change_parameters import Parameters
from insights.change_view import cached_answer
from insights.templatetags.why import kind_words, value_words, why_sentence
from reports.colours import LIGHT
from reports.document import Chart, Column, Figure, Line, Section, Series, Table, Value
from reports.kinds import ReportRequest
from reports.kinds.asking import Data
from reports.words import amount, written
from traces.buckets import midnight

BUDGETS, PERIODS, CAUSES, SAVINGS = 50, 12, 12, 10
"""The most that are listed: budgets, past periods of each, causes of a change, and savings."""
BUDGETS_NOTE = "Each period that overlaps the window, as it stands now: late calls and new prices change it."
STATUS_WORDS = {
    "unset": "no limit",
    "ok": "within its limit",
    "warning": "warning",
    "critical": "critical",
    "exceeded": "over its limit",
    "unknown": "unknown",
}


# --- Budgets ---


def budgets(request: ReportRequest) -> Section | None:
    """Returns the periods of the budgets that overlap the window, with what they had spent."""
    found = Budget.objects.filter(workspace=request.workspace).select_related("workspace")
    now = datetime.now(UTC)
    listed = list(
        found.prefetch_related(raises_in_force(now)).order_by("-is_workspace_budget", "created_at", "pk")[:BUDGETS]
    )
    rows = [row for budget in listed for row in budget_rows(request, budget, now)]
    if not rows:
        return None
    columns = [
        Column("Budget", "text", "budget"),
        Column("Period from", "day", "period_start"),
        Column("Spent", "usd", "spent_usd"),
        Column("Limit", "usd", "limit_usd"),
        Column("Used", "percent", "used_percentage"),
        Column("State", "text", "state"),
        Column("Expected", "usd", "expected_usd"),
    ]
    return Section("Budgets", tables=[Table("Budgets", columns, rows, note=BUDGETS_NOTE)])


def budget_rows(request: ReportRequest, budget: Budget, now: datetime) -> Iterator[list[Value]]:
    filters = request.filters
    for past in past_periods(budget, now, PERIODS):
        if past.start < filters.end and past.end > filters.start:
            item = period_item(budget, past)
            yield budget_row(request, budget, item, item["limit_usd"], None)
    running = items([budget], now)[0]
    state = running["state"]
    if state and state["period_start"] < filters.end and state["period_end"] > filters.start:
        yield budget_row(request, budget, state, running["limit_usd"], state["expected_usd"])


def budget_row(
    request: ReportRequest, budget: Budget, state: PeriodItem | BudgetState, limit: float | None, expected: float | None
) -> list[Value]:
    name = f"{budget.name} (each {budget.per})" if budget.per else budget.name
    words = "a limit for each" if budget.per and state["status"] == "unset" else STATUS_WORDS[state["status"]]
    # The day is that of the workspace, also in a report in another zone.
    first = midnight(state["period_start"].astimezone(request.workspace.zone).date(), request.filters.zone)
    return [name, first, state["spent_usd"], limit, state["used_percentage"], words, expected]


# --- Forecast ---


def forecast(request: ReportRequest) -> Section | None:
    """Returns the forecast of the running month, unless the window ended before it began."""
    workspace = request.workspace
    found: Data = orjson.loads(cached_forecast(workspace, dict(request.filters.values), "month").body)
    start = datetime.fromisoformat(found["period_start"])
    if request.filters.end < start:
        return None
    month = f"{start.astimezone(workspace.zone):%B %Y}"
    title = f"Forecast of {month}"
    if found["expected_usd"] is None:
        return Section(title, notes=[f"There is no forecast of {month}: {REASONS[found['reason']]}."])
    figures = [
        Figure("Spent so far", found["spent_usd"], "usd"),
        Figure("Expected at the end", found["expected_usd"], "usd", note=range_words(found)),
        *limit_figures(found),
    ]
    return Section(
        title,
        sentence=f"{month} is expected to end at {amount(found['expected_usd'])}.",
        figures=figures,
        charts=[forecast_chart(request, found)],
    )


REASONS = {
    "no_traffic": "nothing was spent in the days before",
    "too_little_history": "it needs three days of spend",
    "period_too_short": "the period is too short",
}


def range_words(found: Data) -> str:
    return f"In eight of ten cases between {amount(found['low_usd'])} and {amount(found['high_usd'])}."


def limit_figures(found: Data) -> list[Figure]:
    limit = found["limit"]
    if not limit:
        return []
    reached = limit["expected"]
    note = (
        f"Expected to be reached on {date.fromisoformat(reached):%-d %B %Y}."
        if reached
        else "Not expected to be reached."
    )
    return [Figure("Budget of the month", limit["limit_usd"], "usd", note=note)]


def forecast_chart(request: ReportRequest, found: Data) -> Chart:
    """Draws what the month had cost by the end of each day, and what is expected."""
    spent, total = {}, 0.0
    for one in found["spent"]:
        total += one["spend_usd"]
        spent[one["day"]] = total
    expected = {one["day"]: one for one in found["days"]}
    days = sorted({*spent, *expected})
    axis = [midnight(date.fromisoformat(day), request.filters.zone) for day in days]
    series = [
        Series("Spent", [spent.get(day) for day in days], LIGHT["--primary"]),
        *(
            Series(
                name,
                [expected[day][field] if day in expected else None for day in days],
                LIGHT["--muted"],
                is_before=is_edge,
            )
            for name, field, is_edge in (
                ("Expected", "expected_usd", False),
                ("Low", "low_usd", True),
                ("High", "high_usd", True),
            )
        ),
    ]
    lines = [Line("Budget", found["limit"]["limit_usd"])] if found["limit"] else []
    return Chart("lines", "Spend of the month, summed", axis, series, "usd", lines, "daily")


# --- What changed ---


def what_changed(request: ReportRequest) -> Section | None:
    """Returns the largest parts of the change of spend since the window before, by agent."""
    parameters = Parameters("cost_usd", "agent_id", "previous", None, None)
    found: Data = orjson.loads(cached_answer(parameters, request.filters, request.workspace).body)
    if not found["change"]:
        return None
    columns = [
        Column("Agent", "text", "agent_id"),
        Column("Cause", "text", "cause"),
        Column("Contribution", "usd", "contribution_usd"),
    ]
    largest = sorted(found["contributions"], key=lambda line: -abs(line["contribution"]))[:CAUSES]
    rows: list[list[Value]] = [
        [value_words(line).removeprefix("agent "), kind_words(line, "cost_usd"), line["contribution"]]
        for line in largest
    ]
    rest = [line["contribution"] for line in found["contributions"] if line not in largest]
    rows += [["others", "all smaller parts together", sum(rest)]] if rest else []
    table = Table(
        "What changed", columns, rows, ["Change", None, found["change"]], "The parts add up to the change exactly."
    )
    return Section("What changed", sentence=why_sentence(found), tables=[table])


# --- Savings ---


def savings(request: ReportRequest) -> Section | None:
    """Returns the largest of the savings that are known now, of the whole workspace."""
    from insights.savings.items import savings as open_savings  # imports the price list, which idle workers do not hold

    found = open_savings(request.workspace, "open", datetime.now(UTC))
    if not found["data"]:
        return None
    columns = [
        Column("What could cost less", "text", "saving"),
        Column("A month", "usd", "usd_per_month"),
        Column("At least", "usd", "low_usd_per_month"),
    ]
    rows: list[list[Value]] = [
        [one["text"], one["usd_per_month"], one["low_usd_per_month"]] for one in found["data"][:SAVINGS]
    ]
    at = written(found["computed_at"], "moment", request.filters.zone)
    note = f"As of {at}, from the four weeks before. Each is computed by itself: together they may save less."
    return Section("Savings", tables=[Table("Savings", columns, rows, note=note)])
