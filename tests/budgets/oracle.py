"""Computes what budgets have spent in plain Python, over a list of rows. It shares no code with the product."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from traces.row import Row

CALLS = {"chat", "text_completion", "generate_content", "embeddings"}


@dataclass
class Case:
    """A budget, its rows, and the moment of the question."""

    now: datetime
    zone: str
    period: str
    """A word, rolling:<days>, or fixed:<first day>:<first day after>."""
    amount: Decimal
    scope: dict[str, list[str]] = field(default_factory=dict)
    per: str = ""
    raises: list[tuple[Decimal, datetime, datetime]] = field(default_factory=list)
    """The amount, and from when until when it is added."""


@dataclass
class Expected:
    start: datetime
    end: datetime
    limit: Decimal
    spent: Decimal
    by_value: dict[str, Decimal] | None
    """Of a template."""

    def is_reached(self, percent: int, spent: Decimal) -> bool:
        return spent > 0 and spent * 100 >= self.limit * percent

    @property
    def reached(self) -> set[tuple[str, int]]:
        """Returns the thresholds of 50, 80 and 100 percent that are reached, each with the value of a template."""
        amounts = {"": self.spent} if self.by_value is None else self.by_value
        return {
            (value, percent)
            for value, spent in amounts.items()
            for percent in (50, 80, 100)
            if self.is_reached(percent, spent)
        }


def days_of(case: Case) -> tuple[date, date] | None:
    """Returns the first day of the period and the day after its last. None: it does not run."""
    today = case.now.astimezone(ZoneInfo(case.zone)).date()
    kind, _, rest = case.period.partition(":")
    if kind == "rolling":
        return today - timedelta(days=int(rest) - 1), today + timedelta(days=1)
    if kind == "fixed":
        first, until = map(date.fromisoformat, rest.split(":"))
        return (first, until) if first <= today < until else None
    if kind == "day":
        return today, today + timedelta(days=1)
    if kind == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[kind]
    first = date(today.year, today.month - (today.month - 1) % months, 1)
    following = first.month - 1 + months
    return first, date(first.year + following // 12, following % 12 + 1, 1)


def first_moment(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def expected(rows: list[Row], case: Case) -> Expected | None:
    days = days_of(case)
    if days is None:
        return None
    start, end = (first_moment(day, case.zone) for day in days)
    limit = case.amount + sum((amount for amount, since, until in case.raises if since <= case.now < until), Decimal(0))
    counted = [row for row in rows if start <= row.timestamp < end and is_in_scope(row, case)]
    by_value: dict[str, Decimal] = defaultdict(Decimal)
    for value, cost in valued(counted, case.per):
        by_value[value] += cost
    spent = sum((row.cost_usd or Decimal(0) for row in counted), Decimal(0))
    return Expected(start, end, limit, spent, dict(by_value) if case.per else None)


def is_in_scope(row: Row, case: Case) -> bool:
    return row.operation in CALLS and all(value_of(row, name) in values for name, values in case.scope.items())


def value_of(row: Row, name: str) -> Any:
    if name.startswith("label."):
        return (row.labels or {}).get(name.removeprefix("label."))
    return getattr(row, name)


def valued(rows: list[Row], per: str) -> Iterator[tuple[str, Decimal]]:
    name = {"agent": "agent_id", "user": "user_id"}.get(per, per)
    for row in rows:
        if per and (value := value_of(row, name)) is not None:
            yield value, row.cost_usd or Decimal(0)
