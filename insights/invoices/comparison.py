"""Lays an invoice beside the ledger: by day and model ours, theirs, the difference, and its reasons."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from insights.invoices.importing import window_of
from insights.invoices.models import Invoice, InvoiceLine
from insights.invoices.sentences import sentence
from insights.ledger import LedgerLine, ledger_lines
from methods.reconciliation import Cell, Kind, Reason, reconcile
from traces import sums
from traces.bucket_series import bucket_sql
from traces.buckets import UTC_ZONE
from traces.db import rows
from traces.filters import Filters, FilterValues

MOST_MODELS = 300
"""Of ours; the others are one."""
MOST_DECIMALS = 6
"""With more decimals than these, a file does not round."""
SHIFTS = range(-14, 13)
"""The hours by which a day may begin later than in UTC."""
FEWEST_DAYS_TO_SHIFT = 3
MUCH_BETTER = Decimal("0.2")
"""A shift is found if it leaves at most this share of the daily differences."""
WORTH_A_SHIFT = Decimal("0.01")
"""Of the amount billed: smaller daily differences need no shift."""
ZERO = Decimal(0)


class ReasonAnswer(TypedDict):
    kind: Kind
    """zone_shift: their days begin at another hour. missing_days: the file has no line on days with calls. not_billed:
    a model has no line on such days. untraced_days, untraced_model, untraced: billed, and no trace came. credits:
    amounts below 0. cached: cached tokens that we priced in full. factor: the same factor on most days, like a
    discount. unpriced: calls without a price. price: another price. rounding. unexplained: the rest."""
    model: str | None
    """Null: all models."""
    amount_usd: float
    """Its part of the difference. All parts add up to it."""
    sentence: str
    days: list[date]
    ours_usd: float
    theirs_usd: float
    """The amounts of both sides on the days and models concerned."""
    calls: int
    unpriced_calls: int
    lines: int
    """Of the file."""
    factor: float | None
    """Theirs for one of our dollars; of cached, the price of a cached token for one of an input token."""
    fitting_days: int | None
    compared_days: int | None


class ModelDifference(TypedDict):
    model: str
    """Ours; empty for lines without a model."""
    named: list[str]
    """As the provider names it."""
    ours_usd: float
    theirs_usd: float
    difference_usd: float
    """Theirs less ours."""
    difference_percentage: float | None
    """Of ours."""
    calls: int
    unpriced_calls: int


class DayDifference(TypedDict):
    day: date | None
    """Null: credits for no day."""
    model: str
    ours_usd: float
    theirs_usd: float | None
    """Null: the file has no line."""
    difference_usd: float
    calls: int
    unpriced_calls: int


class Comparison(TypedDict):
    day_begins_utc: str
    """The hour at which their days begin, like 00:00: found where it makes most of the daily differences vanish."""
    ours_usd: float
    theirs_usd: float
    difference_usd: float
    unpriced_calls: int
    reasons: list[ReasonAnswer]
    models: list[ModelDifference]
    """The largest difference first."""
    days: list[DayDifference]


# --- What both sides have ---


def filters_of(invoice: Invoice, zone: ZoneInfo = UTC_ZONE) -> Filters:
    start, end = window_of(invoice.first_day, invoice.last_day, zone)
    return Filters(
        invoice.workspace_id,
        start,
        end,
        granularity="daily",
        limit=MOST_MODELS,
        values={"provider": FilterValues((invoice.provider,))},
        zone=zone,
    )


def comparison(invoice: Invoice) -> Comparison:
    theirs = list(invoice.lines.all())
    shift = shift_of(invoice, theirs)
    zone = shifted_zone(shift)
    cells = cells_of(ledger_lines(filters_of(invoice, zone), has_prices=False), theirs, zone)
    reasons = reconcile(cells, rounding_of(invoice))
    ours_usd = sum((cell.ours_usd for cell in cells), ZERO)
    if shift:
        unshifted = total_of(ledger_lines(filters_of(invoice), has_prices=False))
        reasons = [Reason("zone_shift", None, ours_usd - unshifted, unshifted, ours_usd), *reasons]
        ours_usd = unshifted
    return answer(invoice, theirs, cells, reasons, ours_usd, shift)


def rounding_of(invoice: Invoice) -> Decimal:
    return Decimal(1).scaleb(-invoice.decimals) if invoice.decimals <= MOST_DECIMALS else ZERO


def total_of(lines: Iterable[LedgerLine]) -> Decimal:
    return sum((money(line["cost_usd"]) for line in lines), ZERO)


def money(value: Any) -> Decimal:
    return ZERO if value is None else Decimal(value)


class Side(NamedTuple):
    """What one side has of a day and model, by class of tokens."""

    tokens: dict[str, Decimal]
    costs: dict[str, Decimal]


Key = tuple[str, date | None]


def cells_of(ours: Sequence[LedgerLine], theirs: Sequence[InvoiceLine], zone: ZoneInfo) -> list[Cell]:
    our_lines: dict[Key, list[LedgerLine]] = defaultdict(list)
    for line in ours:
        day = line["timestamp"].astimezone(zone).date()
        our_lines[line["model"] or "", day].append(line)
    their_lines: dict[Key, list[InvoiceLine]] = defaultdict(list)
    for own in theirs:
        their_lines[own.model, own.day].append(own)
    keys = sorted({*our_lines, *their_lines}, key=lambda key: (key[1] or date.min, key[0]))
    return [cell_of(key, our_lines.get(key, []), their_lines.get(key, [])) for key in keys]


def cell_of(key: Key, ours: Sequence[LedgerLine], theirs: Sequence[InvoiceLine]) -> Cell:
    model, day = key
    our_side, their_side = our_side_of(ours), their_side_of(theirs)
    return Cell(
        model,
        day,
        calls=max((line["calls"] for line in ours), default=0),
        unpriced_calls=max((line["unpriced_calls"] for line in ours), default=0),
        ours_usd=total_of(ours),
        theirs_usd=sum((line.amount_usd for line in theirs), ZERO) if theirs else None,
        lines=sum(line.line_count for line in theirs),
        our_tokens=our_side.tokens,
        our_costs=our_side.costs,
        their_tokens=their_side.tokens,
        their_costs=their_side.costs,
    )


def our_side_of(lines: Sequence[LedgerLine]) -> Side:
    tokens = {str(line["token_class"]): Decimal(line["tokens"]) for line in lines if line["tokens"]}
    return Side(tokens, {str(line["token_class"]): money(line["cost_usd"]) for line in lines})


def their_side_of(lines: Sequence[InvoiceLine]) -> Side:
    tokens: dict[str, Decimal] = defaultdict(Decimal)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        costs[line.token_class] += line.amount_usd
        if line.quantity is not None and line.token_class:
            tokens[line.token_class] += line.quantity
    return Side(dict(tokens), dict(costs))


# --- Where their days begin ---


def shifted_zone(shift: int) -> ZoneInfo:
    """Returns the zone in which days begin `shift` hours after those of UTC. Its name has the opposite sign."""
    return ZoneInfo(f"Etc/GMT{shift:+d}") if shift else UTC_ZONE


def shift_of(invoice: Invoice, theirs: Sequence[InvoiceLine]) -> int:
    """Returns by how many hours their days begin after those of UTC; 0 where no other hour is much better."""
    billed: dict[date, Decimal] = defaultdict(Decimal)
    for line in theirs:
        if line.day:
            billed[line.day] += line.amount_usd
    if len(billed) < FEWEST_DAYS_TO_SHIFT:
        return 0
    hours = hourly_costs(invoice)
    misses = {shift: daily_miss(billed, hours, shift) for shift in SHIFTS}
    best = min(SHIFTS, key=lambda shift: (misses[shift], abs(shift)))
    is_worth_it = misses[0] > WORTH_A_SHIFT * sum(billed.values(), ZERO)
    return best if is_worth_it and misses[best] <= MUCH_BETTER * misses[0] else 0


def hourly_costs(invoice: Invoice) -> dict[datetime, Decimal]:
    day = timedelta(days=1)
    filters = filters_of(invoice)
    filters = replace(filters, start=filters.start - day, end=filters.end + day, granularity="hourly")
    found = rows(
        """
        SELECT {bucket} AS hour, sum(cost_usd) AS cost_usd
        FROM {calls} AS calls
        GROUP BY 1
        """,
        filters.params,
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "provider", "cost_usd", by_bucket=True),
    )
    return {one["hour"].astimezone(UTC): one["cost_usd"] for one in found}


def daily_miss(billed: Mapping[date, Decimal], hours: Mapping[datetime, Decimal], shift: int) -> Decimal:
    """Returns the sum of the daily differences, of amounts with the same total: so a discount does not matter."""
    ours: dict[date, Decimal] = defaultdict(Decimal)
    for hour, cost_usd in hours.items():
        day = (hour - timedelta(hours=shift)).date()
        if day in billed:
            ours[day] += cost_usd
    total = sum(ours.values(), ZERO)
    scale = sum(billed.values(), ZERO) / total if total else ZERO
    return sum((abs(amount - scale * ours[day]) for day, amount in billed.items()), ZERO)


# --- The answer ---


def answer(
    invoice: Invoice,
    theirs: Sequence[InvoiceLine],
    cells: Sequence[Cell],
    reasons: Sequence[Reason],
    ours_usd: Decimal,
    shift: int,
) -> Comparison:
    return {
        "day_begins_utc": f"{shift % 24:02d}:00",
        "ours_usd": number(ours_usd),
        "theirs_usd": number(invoice.total_usd),
        "difference_usd": number(invoice.total_usd - ours_usd),
        "unpriced_calls": sum(cell.unpriced_calls for cell in cells),
        "reasons": [reason_answer(reason, shift) for reason in reasons],
        "models": model_differences(cells, theirs),
        "days": [day_difference(cell) for cell in cells],
    }


def number(value: Any) -> Any:
    """Returns the amount without the zeros of its column."""
    return Decimal(value).normalize()


def reason_answer(reason: Reason, shift: int) -> ReasonAnswer:
    return {
        "kind": reason.kind,
        "model": reason.model,
        "amount_usd": number(reason.amount_usd),
        "sentence": sentence(reason, shift),
        "days": sorted(reason.days),
        "ours_usd": number(reason.ours_usd),
        "theirs_usd": number(reason.theirs_usd),
        "calls": reason.calls,
        "unpriced_calls": reason.unpriced_calls,
        "lines": reason.lines,
        "factor": None if reason.factor is None else number(reason.factor),
        "fitting_days": reason.fitting_days,
        "compared_days": reason.compared_days,
    }


def model_differences(cells: Sequence[Cell], theirs: Sequence[InvoiceLine]) -> list[ModelDifference]:
    named: dict[str, set[str]] = defaultdict(set)
    for line in theirs:
        named[line.model].add(line.model_named)
    by_model: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_model[cell.model].append(cell)
    found = [model_difference(model, own, sorted(named[model])) for model, own in by_model.items()]
    return sorted(found, key=lambda one: (-abs(one["difference_usd"]), one["model"]))


def model_difference(model: str, cells: Sequence[Cell], named: list[str]) -> ModelDifference:
    ours, theirs = (sum(amounts, ZERO) for amounts in zip(*((one.ours_usd, one.theirs) for one in cells), strict=True))
    return {
        "model": model,
        "named": named,
        "ours_usd": number(ours),
        "theirs_usd": number(theirs),
        "difference_usd": number(theirs - ours),
        "difference_percentage": float((theirs - ours) / ours * 100) if ours else None,
        "calls": sum(cell.calls for cell in cells),
        "unpriced_calls": sum(cell.unpriced_calls for cell in cells),
    }


def day_difference(cell: Cell) -> DayDifference:
    return {
        "day": cell.day,
        "model": cell.model,
        "ours_usd": number(cell.ours_usd),
        "theirs_usd": None if cell.theirs_usd is None else number(cell.theirs_usd),
        "difference_usd": number(cell.theirs - cell.ours_usd),
        "calls": cell.calls,
        "unpriced_calls": cell.unpriced_calls,
    }
