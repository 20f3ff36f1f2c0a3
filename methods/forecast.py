"""Forecasts what a period will cost, and when a limit will be reached, each with a range.

`forecast` takes amounts by day and needs no unit: dollars, calls and tokens are all the same to it. docs/methods.md
explains the method, what its range means and how far it was off.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from statistics import NormalDist, fmean, median, variance
from typing import Literal, NamedTuple

from methods.daily_model import WEEK, DailyModel, fit
from methods.robust import quantile

Reason = Literal["no_traffic", "too_little_history", "period_too_short"]
REASONS: dict[Reason, str] = {
    "no_traffic": "The history has no amount above 0.",
    "too_little_history": "There are fewer than 3 days of history.",
    "period_too_short": "A period of less than 7 days has no forecast.",
}
FEWEST_DAYS, FEWEST_PERIOD_DAYS = 3, 7
MEAN_BELOW_DAYS, WEEKS_FROM_DAYS = 10, 28
"""Below the first the mean is the forecast; from the second on past weeks show how far it may be off."""
NOT_BEGUN_DAYS = 7
"""After so many days without an amount, the first one is the beginning."""

LOW, HIGH = 0.1, 0.9
"""The range holds the truth in eight of ten cases."""
PATHS, SEED = 400, 20
LEVEL_SIGMA = 0.30
"""How far a level may be off that one week shows, as the standard deviation of its logarithm."""
ERROR_SCALE = 1.1
SHORT_SIGMA, SHORT_NOISE, WIDEST_SIGMA = 0.20, 1.0, 1.5

History = Sequence[tuple[date, float]]
"""Amounts by day of the workspace's zone, oldest first: complete, consecutive days, 0 where nothing happened."""


class NoForecast(NamedTuple):
    reason: Reason


class Day(NamedTuple):
    """What the period will have cost by the end of this day."""

    day: date
    expected: float
    low: float
    high: float


class Exhaustion(NamedTuple):
    """The day on which a limit is reached. None: not within the period."""

    expected: date | None
    earliest: date | None
    """In one of ten cases the limit is reached on this day or before."""
    latest: date | None
    """In nine of ten cases the limit is reached on this day or before."""
    probability: float
    """That the limit is reached within the period, from 0 to 1."""


@dataclass(frozen=True)
class Forecast:
    today: date
    by_day: tuple[float, ...]
    """What the period will have cost by the end of today and of each day after, as expected."""
    spent: float
    checkpoints: tuple[int, ...]
    """Numbers of days from today on, after which `paths` are known."""
    paths: tuple[tuple[float, ...], ...]
    """Possible courses: what the period will have cost at each checkpoint."""

    @property
    def expected(self) -> float:
        """The amount of the whole period."""
        return self.by_day[-1] if self.by_day else self.spent

    @property
    def low(self) -> float:
        return min(self.range_at(len(self.checkpoints) - 1)[0], self.expected) if self.checkpoints else self.spent

    @property
    def high(self) -> float:
        return max(self.range_at(len(self.checkpoints) - 1)[1], self.expected) if self.checkpoints else self.spent

    def range_at(self, checkpoint: int) -> tuple[float, float]:
        amounts = sorted(path[checkpoint] for path in self.paths)
        return quantile(amounts, LOW), quantile(amounts, HIGH)

    def days(self) -> list[Day]:
        """Returns the expected course with its range, for a chart."""
        ranges = [self.range_at(checkpoint) for checkpoint in range(len(self.checkpoints))]
        lows, highs = self.spread_over_days([low for low, _ in ranges]), self.spread_over_days([up for _, up in ranges])
        return [
            Day(self.today + timedelta(days=i), amount, min(low, amount), max(high, amount))
            for i, (amount, low, high) in enumerate(zip(self.by_day, lows, highs, strict=True))
        ]

    def exhaustion(self, limit: float) -> Exhaustion:
        """Returns when the period's amount reaches `limit`: today, where it has been reached already."""
        days = sorted(self.day_reached(path, limit) for path in self.paths)
        expected = next((i for i, amount in enumerate(self.by_day) if amount >= limit), len(self.by_day))
        if self.spent >= limit:
            return Exhaustion(self.today, self.today, self.today, 1.0)
        if not days:
            return Exhaustion(None, None, None, 0.0)
        reached = sum(day < len(self.by_day) for day in days)
        earliest, latest = days[round(LOW * (len(days) - 1))], days[round(HIGH * (len(days) - 1))]
        return Exhaustion(
            self.date_of(expected),
            self.date_of(min(earliest, expected)),
            self.date_of(max(latest, expected)),
            reached / len(days),
        )

    def date_of(self, day: int) -> date | None:
        return self.today + timedelta(days=day) if day < len(self.by_day) else None

    def day_reached(self, path: Sequence[float], limit: float) -> int:
        """Returns the number of the day on which the path reaches the limit, or the number of days if it does not."""
        checkpoint = next((i for i, amount in enumerate(path) if amount >= limit), None)
        if checkpoint is None:
            return len(self.by_day)
        days = range(self.checkpoints[checkpoint - 1] if checkpoint else 0, self.checkpoints[checkpoint])
        amounts = self.course_between(path, checkpoint)
        return next((day for day, amount in zip(days, amounts, strict=True) if amount >= limit), days[-1])

    def spread_over_days(self, path: Sequence[float]) -> list[float]:
        return [amount for i in range(len(self.checkpoints)) for amount in self.course_between(path, i)]

    def course_between(self, path: Sequence[float], checkpoint: int) -> list[float]:
        """Returns the path's amounts by the days up to a checkpoint, which share its growth like the expected ones."""
        first, end = self.checkpoints[checkpoint - 1] if checkpoint else 0, self.checkpoints[checkpoint]
        start = path[checkpoint - 1] if checkpoint else self.spent
        before = self.by_day[first - 1] if first else self.spent
        growth = self.by_day[end - 1] - before
        shares = [
            (amount - before) / growth if growth else (i + 1) / (end - first)
            for i, amount in enumerate(self.by_day[first:end])
        ]
        return [start + share * (path[checkpoint] - start) for share in shares]


def forecast(
    history: History, period_start: date, period_end: date, spent: float, rest_of_today: float = 1.0
) -> Forecast | NoForecast:
    """Forecasts the amount of the period `[period_start, period_end)`, whose first part has passed.

    `spent` is the period's amount so far, with that of today. Today is the day after the history's last, and
    `rest_of_today` is the share of it that is still to come: 0.25 at six in the evening. Days that an annotation calls
    planned are given to the history as their weekday's usual amount (`usual_amount`).
    """
    if (period_end - period_start).days < FEWEST_PERIOD_DAYS:
        return NoForecast("period_too_short")
    amounts = since_beginning(history)
    if len(amounts) < FEWEST_DAYS:
        return NoForecast("too_little_history")
    if not any(amounts):
        return NoForecast("no_traffic")
    today = history[-1][0] + timedelta(days=1)
    shares = [rest_of_today, *([1.0] * ((period_end - today).days - 1))] if today < period_end else []
    if len(amounts) < WEEKS_FROM_DAYS:
        return from_days(amounts, today, spent, shares)
    return from_weeks(amounts, today, spent, shares)


def since_beginning(history: History) -> list[float]:
    """Returns the amounts without the weeks before the first call: those say nothing about what a day costs."""
    days, amounts = [day for day, _ in history], [amount for _, amount in history]
    if any((after - before).days != 1 for before, after in pairwise(days)):
        raise ValueError("The history must have every day once, oldest first.")
    first = next((i for i, amount in enumerate(amounts) if amount > 0), 0)
    return amounts[first:] if first >= NOT_BEGUN_DAYS else amounts


def usual_amount(history: History, day: date) -> float:
    """Returns the median of the same weekday, in place of a day that an annotation leaves out; 0 without such days."""
    amounts = [amount for other, amount in history if other != day and other.weekday() == day.weekday()]
    return median(amounts) if amounts else 0.0


def from_days(amounts: Sequence[float], today: date, spent: float, shares: Sequence[float]) -> Forecast:
    """Forecasts from less than four weeks: a log-normal range that depends on how much the days differ."""
    model = fit(amounts) if len(amounts) >= MEAN_BELOW_DAYS else None
    mean = fmean(amounts)
    expected = [share * (model.day_ahead(i) if model else mean) for i, share in enumerate(shares)]
    by_day = tuple(accumulate(expected, initial=spent))[1:]
    if not shares:
        return Forecast(today, (), spent, (), ())
    sigma = short_history_sigma(amounts, sum(shares))
    normal, rest = NormalDist(), by_day[-1] - spent
    factors = (math.exp(sigma * normal.inv_cdf((i + 0.5) / PATHS)) for i in range(PATHS))
    return Forecast(today, by_day, spent, (len(shares),), tuple((spent + rest * factor,) for factor in factors))


def short_history_sigma(amounts: Sequence[float], days_ahead: float) -> float:
    days, squared_cv = len(amounts), variance(amounts) / fmean(amounts) ** 2
    noise = SHORT_NOISE * squared_cv * (1 / days + 1 / max(days_ahead, 1.0))
    return min(math.sqrt(noise + SHORT_SIGMA**2 * WEEK / days), WIDEST_SIGMA)


def from_weeks(amounts: Sequence[float], today: date, spent: float, shares: Sequence[float]) -> Forecast:
    """Forecasts from two weeks or more: the range comes from what past weeks differed from the model."""
    model = fit(amounts)
    by_day = tuple(accumulate((share * model.day_ahead(i) for i, share in enumerate(shares)), initial=spent))[1:]
    checkpoints = tuple(min(first + WEEK, len(shares)) for first in range(0, len(shares), WEEK))
    weeks = [week_ahead(model, first, shares[first : first + WEEK]) for first in range(0, len(shares), WEEK)]
    moves = level_moves(model)
    source = random.Random(SEED)  # noqa: S311 (the same question has the same answer)
    paths = tuple(tuple(path(model, weeks, moves, spent, source)) for _ in range(PATHS)) if weeks else ()
    return Forecast(today, by_day, spent, checkpoints, paths)


class WeekAhead(NamedTuple):
    expected: float
    """Without peaks."""
    peaks: float
    differences: tuple[float, ...]
    """What the week may differ from the expectation, from past weeks' errors."""


def week_ahead(model: DailyModel, first: int, shares: Sequence[float]) -> WeekAhead:
    peaks = model.peaks_per_day * sum(shares)
    expected = sum(share * model.day_ahead(first + i) for i, share in enumerate(shares)) - peaks
    level = model.line.level_after(first + 1)
    errors = [sum(share * error for share, error in zip(shares, week.by_day, strict=False)) for week in model.errors]
    center, scale = (fmean(errors), few_weeks_scale(len(errors))) if errors else (0.0, 1.0)
    return WeekAhead(expected, peaks, tuple(level * scale * (error - center) for error in errors) or (0.0,))


def few_weeks_scale(weeks: int) -> float:
    """Makes up for what the errors lose when their mean is subtracted, and a tenth more for what no week has shown."""
    return ERROR_SCALE * math.sqrt(weeks / max(weeks - 1, 1))


def level_moves(model: DailyModel) -> tuple[float, ...]:
    """Returns the factors by which the level follows each of the past weeks' errors."""
    errors = [week.cleaned_total / WEEK for week in model.errors] or [0.0]
    center = fmean(errors)
    return tuple(max(1 + model.gain * (error - center), 0.2) for error in errors)


def path(
    model: DailyModel, weeks: Sequence[WeekAhead], moves: Sequence[float], spent: float, source: random.Random
) -> list[float]:
    """Draws one possible course: an uncertain level, then for each week the error of a past one, which moves it."""
    level, amount, amounts = math.exp(source.gauss(0, LEVEL_SIGMA / math.sqrt(model.level_days / WEEK))), spent, []
    for week in weeks:
        drawn = int(source.random() * len(moves))
        amount += max(level * (week.expected + week.differences[drawn]), 0.0) + week.peaks
        amounts.append(amount)
        level *= moves[drawn]
    return amounts
