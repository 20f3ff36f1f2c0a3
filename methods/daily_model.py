"""Learns from a series of daily amounts: the pattern of the week, the level, its trend, and how far it was off before.

docs/methods.md explains each step. The last 84 days are used, since that is how long spend keeps its pattern.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from methods.robust import spread, theil_sen_line

HISTORY_DAYS, WEEK = 84, 7

# A peak of one or two days does not change what an ordinary day costs.
PEAK_WINDOW_DAYS, PEAK_SPREADS, PEAK_SHARE, PEAK_LONGEST_DAYS = 15, 4, 0.25, 2
# Older weeks say less about the pattern of a week. One made-up week without a pattern keeps a short history calm.
FACTOR_WEEKS, FACTOR_DECAY = 8, 0.88
# A level has shifted when nearly all newest days lie on one side of nearly all days before them.
SHIFT_NEWEST_DAYS, SHIFT_COMPARED_DAYS, SHIFT_OLD_DAYS = range(5, 43), 14, 28
SHIFT_SIDE, SHIFT_UP, SHIFT_DOWN = 0.93, 1.3, 0.77
HALF_LIVES = (3, 7, 14, 35)
TREND_WEEKS, TREND_FEWEST_WEEKS, TREND_DAMPING = 12, 4, 0.97
MIX_DAYS, MIX_HALF_LIFE_DAYS, MIX_POWER, MIX_FEWEST = 63, 10, 5, 7
MIX_EQUAL = (0.0, 0.0, 0.5, 0.5, 0.0)
"""Without past errors to compare, the two slowest levels count half each."""
RESIDUAL_WEEKS = 12


class Line(NamedTuple):
    """The trend: the level at the start of the next day, and its growth a day, which fades."""

    level: float
    slope: float

    def level_after(self, days: int) -> float:
        return max(self.level + self.slope * damped_days(days), 0.0)

    def week(self) -> float:
        return sum(self.level_after(day) for day in range(1, WEEK + 1))


class WeekError(NamedTuple):
    """What one past week differed from the model, in units of the level."""

    by_day: tuple[float, ...]
    cleaned_total: float
    """Without its peaks: what the level moved by."""


class DailyModel(NamedTuple):
    factors: tuple[float, ...]
    """What the next seven days cost, in units of the level. The first is that of the day after the history."""
    line: Line
    """The mix of all levels, as a line with the share of the trend in the mix."""
    peaks_per_day: float
    """The peaks that were cut, spread over all days, since peaks will come again."""
    gain: float
    """The share of a week's error by which the level follows it."""
    level_days: int
    """The days from which the level is known: since its last shift."""
    errors: tuple[WeekError, ...]
    """Of past weeks, the newest first. Each begins on the weekday on which the days ahead begin."""

    def day_ahead(self, day: int) -> float:
        """Returns the amount to expect `day` days after the history's end; 0 is the day that follows it."""
        return self.line.level_after(day + 1) * self.factors[day % WEEK] + self.peaks_per_day


def fit(amounts: Sequence[float]) -> DailyModel:
    """Learns from complete, consecutive days, the newest last: at least seven, with an amount above 0."""
    recent = list(amounts[-HISTORY_DAYS:])
    cleaned, cut = without_peaks(recent)
    factors, start = weekday_factors(cleaned), shift_start(cleaned)
    levels = levels_by_day(cleaned, factors, start)
    lines = {day: trend(cleaned, start if day >= start else 0, day, levels[day]) for day in compared_days(cleaned)}
    mix = mix_of_levels(cleaned, start, levels, lines)
    mixed = mixed_line(mix, levels[-1], lines[len(cleaned)])
    errors = week_errors(recent, cleaned, factors, mix, levels, lines)
    gain = sum(share * (1 - 0.5 ** (WEEK / days)) for share, days in zip(mix, (*HALF_LIVES, 14), strict=True))
    return DailyModel(factors, mixed, cut / HISTORY_DAYS, gain, len(cleaned) - start, errors)


def without_peaks(amounts: Sequence[float]) -> tuple[list[float], float]:
    """Lowers peaks of one or two days to the highest ordinary amount. Returns the days, and the sum that was cut."""
    limits = [peak_limit(amounts, day) for day in range(len(amounts))]
    cleaned, run = list(amounts), 0
    for day in range(len(amounts) + 1):
        if day < len(amounts) and amounts[day] > limits[day]:
            run += 1
            continue
        if run <= PEAK_LONGEST_DAYS:
            cleaned[day - run : day] = limits[day - run : day]
        run = 0
    return cleaned, sum(amounts) - sum(cleaned)


def peak_limit(amounts: Sequence[float], day: int) -> float:
    first = max(0, min(day - PEAK_WINDOW_DAYS // 2, len(amounts) - PEAK_WINDOW_DAYS))
    # Days without any traffic say nothing about the size of the others.
    days = [amount for amount in amounts[first : first + PEAK_WINDOW_DAYS] if amount > 0] or [0.0]
    middle = median(days)
    return middle + PEAK_SPREADS * max(spread(days, middle), PEAK_SHARE * middle)


def weekday_factors(amounts: Sequence[float]) -> tuple[float, ...]:
    """Returns the shares of the weekdays, 1 for an average one, beginning with the weekday after the history."""
    sums, weights = [1.0] * WEEK, 1.0
    for age in range(min(FACTOR_WEEKS, len(amounts) // WEEK)):
        week = weeks_ago(amounts, age)
        if average := fmean(week):
            weight = FACTOR_DECAY**age
            weights += weight
            sums = [total + weight * amount / average for total, amount in zip(sums, week, strict=True)]
    return tuple(total / weights for total in sums)


def weeks_ago(amounts: Sequence[float], age: int) -> Sequence[float]:
    end = len(amounts) - WEEK * age
    return amounts[end - WEEK : end]


def shift_start(amounts: Sequence[float]) -> int:
    """Returns the day from which the present level holds; 0 where it holds since the history's start."""
    starts = [start for days in SHIFT_NEWEST_DAYS if (start := len(amounts) - days) >= SHIFT_OLD_DAYS]
    if not starts or len(amounts) < SHIFT_OLD_DAYS + WEEK:
        return 0
    separations = {start: separation(amounts, start) for start in starts}
    best = max(starts, key=lambda start: separations[start])
    return best if separations[best] >= SHIFT_SIDE else 0


def separation(amounts: Sequence[float], start: int) -> float:
    """Returns the share of pairs of an old and a new day that lie on the same side; 0 if the levels are close."""
    old, new = amounts[start - SHIFT_OLD_DAYS : start], amounts[start : start + SHIFT_COMPARED_DAYS]
    ordered, before, after = sorted(old), median(old), median(new)
    if SHIFT_DOWN * before <= after <= SHIFT_UP * before:
        return 0.0
    above = sum(bisect_left(ordered, amount) for amount in new)
    below = sum(len(ordered) - bisect_right(ordered, amount) for amount in new)
    return max(above, below) / (len(old) * len(new))


def levels_by_day(amounts: Sequence[float], factors: Sequence[float], start: int) -> list[tuple[float, ...]]:
    """Returns the levels known at the start of each day and at the end of the last, one for each half-life."""
    decays = [0.5 ** (1 / days) for days in HALF_LIVES]
    sums, weights = [0.0] * len(decays), [0.0] * len(decays)
    levels = [tuple(sums)]
    for day, amount in enumerate(amounts):
        if day == start:
            sums, weights = [0.0] * len(decays), [0.0] * len(decays)
        factor = factors[(day - len(amounts)) % WEEK]
        sums = [total * decay + amount for total, decay in zip(sums, decays, strict=True)]
        weights = [weight * decay + factor for weight, decay in zip(weights, decays, strict=True)]
        levels.append(tuple(total / weight if weight else 0.0 for total, weight in zip(sums, weights, strict=True)))
    return levels


def compared_days(amounts: Sequence[float]) -> list[int]:
    """Returns the days at whose start a level is needed: those of the mix and of the errors, and the present."""
    days = len(amounts)
    weeks = {days - WEEK * age for age in range(RESIDUAL_WEEKS + 1)}
    return [day for day in range(WEEK, days + 1) if day >= days - MIX_DAYS or day in weeks]


def trend(amounts: Sequence[float], start: int, end: int, levels: Sequence[float]) -> Line:
    """Returns the line through the weeks from `start` to `end`; a level of 14 days where there are too few weeks."""
    weeks = min(TREND_WEEKS, (end - start) // WEEK)
    means = [fmean(amounts[end - WEEK * age : end - WEEK * (age - 1)]) for age in range(weeks, 0, -1)]
    if weeks < TREND_FEWEST_WEEKS:
        return Line(levels[2], 0.0)
    if min(means) > 0:  # growth is a share of the level, as long as there is a level
        level, slope = theil_sen_line([math.log(mean) for mean in means])
        at_end = math.exp(level + slope / 2)
        return Line(at_end, at_end * slope / WEEK)
    level, slope = theil_sen_line(means)
    return Line(max(level + slope / 2, 0.0), slope / WEEK)


def damped_days(days: int) -> float:
    """Returns the days of growth that `days` days bring: a growth fades, and makes 32 days of it in the end."""
    return TREND_DAMPING * (1 - TREND_DAMPING**days) / (1 - TREND_DAMPING)


def mix_of_levels(
    amounts: Sequence[float], start: int, levels: Sequence[Sequence[float]], lines: dict[int, Line]
) -> tuple[float, ...]:
    """Returns the shares of the four levels and the trend: the better each foretold past weeks, the larger."""
    days, errors, origins = len(amounts), [0.0] * len(MIX_EQUAL), 0
    for day in range(max(WEEK, days - MIX_DAYS), days - WEEK + 1):
        if start - WEEK <= day < start + 5 <= days - WEEK:
            continue  # no level can foresee a shift
        origins += 1
        actual, weight = sum(amounts[day : day + WEEK]), 0.5 ** ((days - WEEK - day) / MIX_HALF_LIFE_DAYS)
        guesses = (*(WEEK * level for level in levels[day]), lines[day].week())
        errors = [error + weight * abs(guess - actual) for error, guess in zip(errors, guesses, strict=True)]
    return shares_by_error(errors) if origins >= MIX_FEWEST else MIX_EQUAL


def shares_by_error(errors: Sequence[float]) -> tuple[float, ...]:
    largest = max(errors) or 1.0
    weights = [max(error / largest, 0.001) ** -MIX_POWER for error in errors]
    return tuple(weight / sum(weights) for weight in weights)


def mixed_line(mix: Sequence[float], levels: Sequence[float], line: Line) -> Line:
    *shares, trend_share = mix
    level = sum(share * value for share, value in zip(shares, levels, strict=True))
    return Line(level + trend_share * line.level, trend_share * line.slope)


def week_errors(
    amounts: Sequence[float],
    cleaned: Sequence[float],
    factors: Sequence[float],
    mix: Sequence[float],
    levels: Sequence[Sequence[float]],
    lines: dict[int, Line],
) -> tuple[WeekError, ...]:
    errors = []
    for age in range(1, min(RESIDUAL_WEEKS, len(amounts) // WEEK - 1) + 1):
        day = len(amounts) - WEEK * age
        if level := mixed_line(mix, levels[day], lines[day]).week() / WEEK:
            by_day = tuple(amounts[day + i] / level - factors[i] for i in range(WEEK))
            errors.append(WeekError(by_day, sum(cleaned[day : day + WEEK]) / level - WEEK))
    return tuple(errors)
