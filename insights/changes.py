"""Answers `/api/v1/insights/changes`: splits a change between two windows into its causes, to the last digit.

Each window is read once, as sums by the dimension and by agent, provider and model. `methods/decomposition.py` splits
the difference of these groups. docs/methods.md explains the kinds of causes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from typing_extensions import TypedDict

from analytics import query_parameters
from analytics import query_sources as sources
from analytics.query_sources import Source, columns_of
from insights.change_parameters import Measure, Parameters
from methods.decomposition import (
    DECIMAL_PLACES,
    Average,
    Contribution,
    Kind,
    Part,
    Spend,
    TokenClass,
    by_kind,
    by_value,
    explain_rate,
    explain_spend,
)
from traces.db import rows
from traces.filters import LABEL_PREFIX, Filters
from traces.row import COST_COLUMN_OF, COST_COLUMNS
from workspaces.annotations import about, annotations_between

MOST_ANNOTATIONS = 10
MOST_GROUPS = 300
"""So many groups are explained one by one: those with the largest amount in one of the windows. The rest is one."""
SIGNIFICANT_DIGITS = 15
"""A JSON number with so many is read and written by every client without loss."""
BESIDE = ("agent_id", "provider", "model")
"""Calls are grouped by these too: an agent that changes its model changes the mix."""
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
UNSPLIT = "unsplit"
"""Costs that cannot be split by class of token: a client reported them, or they are summed by user."""

Group = tuple[Any, ...]
"""The values of the dimension and of BESIDE; empty: all groups that are not explained one by one."""
Value = tuple[str | None, ...]
"""The value of the dimension, None for calls without one; empty: the values that are not listed."""
Figures = Mapping[str, Any]


class Step(TypedDict):
    kind: Kind
    """new, gone: values with calls in one window only. volume: all calls. mix: other shares of agents and models.
    tokens: per call. price: per token. within: the average, or the cost per call, of a group itself."""
    token_class: str | None
    """Of the kinds tokens and price."""
    contribution: float


class ChangePart(TypedDict):
    dimension: str
    value: str | None
    """Null: calls without a value; with the kind others: all values that are not listed."""
    kind: Kind
    token_class: str | None
    contribution: float


class ChangeWindow(TypedDict):
    start: datetime
    end: datetime
    calls: int
    unpriced_calls: int | None
    """Calls without a price, whose cost cannot be explained; null where the measure is no cost."""


class Happened(TypedDict):
    id: UUID
    kind: str
    label: str
    start: datetime
    end: datetime | None


class ChangeParts(TypedDict):
    measure: Measure
    by: str
    before: float | None
    """Null without calls, for an average."""
    after: float | None
    change: float | None
    """After less before; for the error rate in percent of the calls."""
    steps: list[Step]
    """The change by kind, the largest first. They add up to `change`."""
    contributions: list[ChangePart]
    """The change by value and kind, the value that changed most first. They add up to `change` too."""
    before_window: ChangeWindow
    after_window: ChangeWindow


class ChangeAnswer(ChangeParts):
    annotations: list[Happened]
    """What happened between the start of the earlier window and the end of the later one, the newest first."""


# --- Groups ---

PAIRS = """
WITH windows AS (
    SELECT false AS is_after, {names}, {columns}
    FROM ({before}) AS before_window
    UNION ALL
    SELECT true, {names}, {columns}
    FROM ({after}) AS after_window
), pairs AS (
    SELECT {names}, {sums}
    FROM windows
    GROUP BY {names}
), ranked AS (
    SELECT
        *,
        row_number() OVER (ORDER BY greatest(before_{total}, after_{total}) DESC, {names}) <= %(most)s AS is_listed
    FROM pairs
)
SELECT is_listed, {listed_names}, {totals}
FROM ranked
GROUP BY {column_numbers}
"""


class Explained(NamedTuple):
    """What a measure needs of a window, and how its change is split."""

    columns: tuple[str, ...]
    """Its sums, beside calls."""
    total: str
    """The column by which groups are ranked."""
    parts: Callable[[Mapping[Group, Figures], Mapping[Group, Figures]], list[Part[Group]] | None]


def pairs(parameters: Parameters, filters: Filters) -> list[dict[str, Any]]:
    """Returns a row for each group, with its sums in both windows: `before_calls`, `after_calls` and so on."""
    explained = EXPLAINED[parameters.measure]
    columns = tuple(dict.fromkeys(("calls", *known_columns(parameters, explained))))
    grouped = query_parameters.Parameters(("calls",), by=dimensions(parameters.by))
    names = columns_of(grouped)
    before = prefixed(sources.summed_calls(grouped, parameters.before(filters), columns), "before_")
    after = sources.summed_calls(grouped, filters, columns)
    both = [(f"{window}_{name}", name, window) for window in ("before", "after") for name in columns]
    condition = {"before": "NOT is_after", "after": "is_after"}
    return rows(
        PAIRS,
        before.params | after.params | {"most": MOST_GROUPS},
        names=", ".join(names),
        columns=", ".join(columns),
        before=before.sql,
        after=after.sql,
        sums=", ".join(f"coalesce(sum({n}) FILTER (WHERE {condition[w]}), 0) AS {alias}" for alias, n, w in both),
        total=explained.total,
        listed_names=", ".join(f"CASE WHEN is_listed THEN {name} END AS {name}" for name in names),
        totals=", ".join(f"sum({alias}) AS {alias}" for alias, *_ in both),
        column_numbers=", ".join(str(number) for number in range(1, len(names) + 2)),
    )


def dimensions(by: str) -> tuple[str, ...]:
    """Returns what tells groups apart. The small sums of users and labels know nothing else."""
    return (by,) if by == "user_id" or by.startswith(LABEL_PREFIX) else tuple(dict.fromkeys((by, *BESIDE)))


def known_columns(parameters: Parameters, explained: Explained) -> tuple[str, ...]:
    """Returns the columns to ask for. The sums of users have no parts of costs."""
    if parameters.by != "user_id":
        return explained.columns
    return tuple(name for name in explained.columns if name in ("priced_calls", "cost_usd"))


def prefixed(source: Source, prefix: str) -> Source:
    """Returns the source with other names for its parameters, so that it stands beside one of another window."""
    sql = source.sql
    for name in source.params:
        sql = sql.replace(f"%({name})s", f"%({prefix}{name})s")
    return Source(sql, {f"{prefix}{name}": value for name, value in source.params.items()})


def groups_of(found: Sequence[Mapping[str, Any]], window: str) -> dict[Group, Figures]:
    """Returns the sums of each group in one window."""
    return {
        group_of(row): {name.removeprefix(f"{window}_"): row[name] for name in row if name.startswith(f"{window}_")}
        for row in found
    }


def group_of(row: Mapping[str, Any]) -> Group:
    return tuple(row[name] for name in row if name.startswith("dimension_")) if row["is_listed"] else ()


# --- Parts ---


def spends(groups: Mapping[Group, Figures]) -> dict[Group, Spend]:
    return {group: spend_of(figures) for group, figures in groups.items()}


def spend_of(figures: Figures) -> Spend:
    """Returns the costs by what they are for. A cost that is not split goes with the calls, and so do fees per call."""
    calls = int(figures["priced_calls"])
    tokens = token_counts(figures)
    costs = {name: Decimal(figures.get(column, 0)) for name, column in COST_COLUMN_OF.items()}
    classes = {name: TokenClass(tokens.get(name, calls), cost) for name, cost in costs.items() if cost}
    unsplit = Decimal(figures["cost_usd"]) - sum(costs.values())
    return Spend(calls, classes | ({UNSPLIT: TokenClass(calls, unsplit)} if unsplit else {}))


def token_counts(figures: Figures) -> dict[str, int]:
    """Returns the tokens of each class: input without what a cache read and wrote."""
    counts = {name: int(figures.get(name, 0)) for name in TOKENS}
    cached = counts["cache_read_tokens"] + counts["cache_write_tokens"]
    return {
        "input": max(counts["input_tokens"] - cached, 0),
        "output": counts["output_tokens"],
        "cache_read": counts["cache_read_tokens"],
        "cache_write": counts["cache_write_tokens"],
    }


def cost_parts(before: Mapping[Group, Figures], after: Mapping[Group, Figures]) -> list[Part[Group]]:
    return [without_price(part) for part in explain_spend(spends(before), spends(after))]


def without_price(part: Part[Group]) -> Part[Group]:
    """Names what goes with the calls as it is: nobody knows whether it is the price or what a call used."""
    goes_with_calls = part.kind == "price" and part.token_class not in token_counts({})
    return part._replace(kind="within", token_class=None) if goes_with_calls else part


def count_parts(before: Mapping[Group, Figures], after: Mapping[Group, Figures]) -> list[Part[Group]]:
    """Splits calls: each costs one call."""
    return explain_spend(*({group: of_calls(sums) for group, sums in window.items()} for window in (before, after)))


def of_calls(figures: Figures) -> Spend:
    calls = int(figures["calls"])
    return Spend(calls, {"calls": TokenClass(calls, Decimal(calls))})


def token_parts(before: Mapping[Group, Figures], after: Mapping[Group, Figures]) -> list[Part[Group]]:
    """Splits tokens: each costs one token."""
    return explain_spend(*({group: of_tokens(sums) for group, sums in window.items()} for window in (before, after)))


def of_tokens(figures: Figures) -> Spend:
    counts = token_counts(figures)
    # A client may report a cache that is larger than the input.
    counts["input"] = int(figures["input_tokens"]) - counts["cache_read"] - counts["cache_write"]
    return Spend(int(figures["calls"]), {name: TokenClass(count, Decimal(count)) for name, count in counts.items()})


def average_parts(
    total: str, calls: str, factor: int = 1
) -> Callable[[Mapping[Group, Figures], Mapping[Group, Figures]], list[Part[Group]] | None]:
    """Makes the function that splits the average of the column `total` over the calls in the column `calls`."""

    def parts(before: Mapping[Group, Figures], after: Mapping[Group, Figures]) -> list[Part[Group]] | None:
        windows = (
            {group: Average(int(sums[calls]), Decimal(sums[total])) for group, sums in window.items()}
            for window in (before, after)
        )
        found = explain_rate(*windows)
        return found and [part._replace(amount=part.amount * factor) for part in found]

    return parts


EXPLAINED: dict[Measure, Explained] = {
    "cost_usd": Explained(("priced_calls", "cost_usd", *COST_COLUMNS, *TOKENS), "cost_usd", cost_parts),
    "calls": Explained(("calls",), "calls", count_parts),
    "tokens": Explained(TOKENS, "input_tokens", token_parts),
    "avg_latency_ms": Explained(
        ("timed_calls", "latency_ms"), "latency_ms", average_parts("latency_ms", "timed_calls")
    ),
    "error_rate": Explained(("errors",), "calls", average_parts("errors", "calls", 100)),
    "cost_per_call_usd": Explained(("priced_calls", "cost_usd"), "cost_usd", average_parts("cost_usd", "priced_calls")),
}


def amount_of(measure: Measure, groups: Mapping[Group, Figures]) -> Fraction | None:
    """Returns the measure of the whole window; None for the average of nothing."""

    def total(name: str) -> Fraction:
        return sum((Fraction(figures[name]) for figures in groups.values()), Fraction(0))

    if measure in ("cost_usd", "calls"):
        return total(measure)
    if measure == "tokens":
        return total("input_tokens") + total("output_tokens")
    name, calls, factor = AVERAGES[measure]
    return total(name) * factor / total(calls) if total(calls) else None


AVERAGES = {
    "avg_latency_ms": ("latency_ms", "timed_calls", 1),
    "error_rate": ("errors", "calls", 100),
    "cost_per_call_usd": ("cost_usd", "priced_calls", 1),
}
"""The sums that an average is made from, and its factor: rates are in percent."""


# --- The answer ---


def answer(parameters: Parameters, filters: Filters) -> ChangeAnswer:
    return {**changes(parameters, filters), "annotations": happened(parameters.before(filters), filters)}


def changes(parameters: Parameters, filters: Filters) -> ChangeParts:
    found = pairs(parameters, filters)
    before, after = (groups_of(found, window) for window in ("before", "after"))
    amounts = [amount_of(parameters.measure, window) for window in (before, after)]
    parts = EXPLAINED[parameters.measure].parts(before, after) or []
    places = decimal_places([*(float(amount or 0) for amount in amounts), sum(abs(float(p.amount)) for p in parts)])
    has_change = None not in amounts
    change = rounded(sum((part.amount for part in parts), Fraction(0)), places) if has_change else None
    last = None if amounts[1] is None else rounded(amounts[1], places)
    first = last - change if last is not None and change is not None else rounded_or_none(amounts[0], places)
    return {
        "measure": parameters.measure,
        "by": parameters.by,
        "before": as_number(first),
        "after": as_number(last),
        "change": as_number(change),
        "steps": [step(line) for line in by_kind(parts, places) if line.amount],
        "contributions": [
            change_part(parameters.by, line) for line in by_dimension(parts, before, after, filters.limit, places)
        ],
        "before_window": window_of(parameters, parameters.before(filters), before),
        "after_window": window_of(parameters, filters, after),
    }


def happened(before: Filters, after: Filters) -> list[Happened]:
    """Returns the annotations that may explain the change, for calls that pass the filters."""
    start, end = min(before.start, after.start), max(before.end, after.end)
    included = {name: values.included for name, values in after.values.items()}
    found = about(annotations_between(after.workspace_id, start, end), included)
    return [
        {"id": one.pk, "kind": one.kind, "label": one.label, "start": one.starts_at, "end": one.ends_at}
        for one in reversed(found[-MOST_ANNOTATIONS:])
    ]


def by_dimension(
    parts: Sequence[Part[Group]],
    before: Mapping[Group, Figures],
    after: Mapping[Group, Figures],
    limit: int,
    places: int,
) -> list[Contribution[Value]]:
    """Returns the lines of the values that changed most, and one for all others."""
    called = [{group[:1] for group, figures in window.items() if figures["calls"]} for window in (before, after)]
    lines = by_value(parts, lambda group: group[:1], called[0] & called[1], limit, places)
    listed = [line for line in lines if line.value and line.amount]
    others = sum((line.amount for line in lines if not line.value), Decimal(0))
    return [*listed, *([Contribution[Value]((), "others", None, others)] if others else [])]


def step(line: Contribution[Any]) -> Step:
    return {"kind": line.kind, "token_class": line.token_class, "contribution": float(line.amount)}


def change_part(dimension: str, line: Contribution[Value]) -> ChangePart:
    return {
        "dimension": dimension,
        "value": line.value[0] if line.value else None,
        "kind": line.kind,
        "token_class": line.token_class,
        "contribution": float(line.amount),
    }


def window_of(parameters: Parameters, filters: Filters, groups: Mapping[Group, Figures]) -> ChangeWindow:
    calls = sum(int(figures["calls"]) for figures in groups.values())
    has_prices = "priced_calls" in EXPLAINED[parameters.measure].columns
    priced = sum(int(figures.get("priced_calls", 0)) for figures in groups.values())
    return {
        "start": filters.start,
        "end": filters.end,
        "calls": calls,
        "unpriced_calls": calls - priced if has_prices else None,
    }


def decimal_places(amounts: Sequence[float]) -> int:
    """Returns how many decimals JSON numbers up to the largest amount keep. Parts that cancel may be larger than both
    windows."""
    return max(min(DECIMAL_PLACES, SIGNIFICANT_DIGITS - 1 - len(str(int(max(amounts))))), 0)


def rounded(amount: Fraction, places: int) -> Decimal:
    return Decimal(round(amount * 10**places)).scaleb(-places)


def rounded_or_none(amount: Fraction | None, places: int) -> Decimal | None:
    return None if amount is None else rounded(amount, places)


def as_number(amount: Decimal | None) -> Any:
    return None if amount is None else float(amount)
