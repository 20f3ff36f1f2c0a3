"""Makes series that look like those of the product, from seeds.

`daily(kind, rng)`: 150 days of spend. The rest of the month (days 120 to 149) is forecast at `ORIGINS`.
`hourly(rng)`: five weeks of one measure. The last week is scored, and half of the series have a planted fault in it.
"""

import math
import random
from collections.abc import Callable
from typing import NamedTuple

KINDS = ("weekly", "trend", "regime", "spikes", "zeros")
ORIGINS = (123, 128, 135, 142)
SHORT_HISTORIES = (3, 7, 10, 21)


def daily(kind: str, rng: random.Random, days: int = 150) -> list[float]:
    base, weekend = math.exp(rng.uniform(0.5, 7)), rng.uniform(0.05, 0.9)
    week = [1 + rng.uniform(-0.15, 0.15) for _ in range(5)] + [weekend, weekend * rng.uniform(0.8, 1.2)]
    sd, phase, phi = rng.uniform(0.08, 0.35), rng.randrange(7), rng.uniform(0, 0.6)
    growth = rng.choice([-1, 1, 1]) * rng.uniform(0.004, 0.015) if kind == "trend" else 0.0
    cut, factor, share_of_zeros = (
        rng.randrange(85, 125),
        math.exp(rng.choice([-1, 1]) * rng.uniform(0.5, 1.4)),
        rng.uniform(0.3, 0.6),
    )
    noise, series = 0.0, []
    for day in range(days):
        noise = phi * noise + rng.gauss(0, sd * math.sqrt(1 - phi * phi))
        value = base * week[(day + phase) % 7] * math.exp(growth * day + noise - sd * sd / 2)
        if kind == "regime" and day >= cut:
            value *= factor
        if kind == "spikes" and rng.random() < 0.04:
            value *= rng.uniform(3, 8)
        if kind == "zeros" and (rng.random() < share_of_zeros or ((day + phase) % 7 > 4 and weekend < 0.5)):
            value = 0.0
        series.append(round(value, 4))
    return series


def poisson(mean: float, rng: random.Random) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, 1.0
    while True:
        product *= rng.random()
        if product < limit:
            return count
        count += 1


class Hourly(NamedTuple):
    measure: str
    """calls, spend, latency or errors"""
    values: list[float | None]
    calls: list[int]
    fault: tuple[int, int] | None
    """The hours of the planted fault, half-open; None where nothing happened."""


def hourly(rng: random.Random, hours: int = 24 * 35) -> Hourly:
    base, weekend = math.exp(rng.uniform(math.log(0.3), math.log(3000))), rng.uniform(0.1, 1)
    phase, swing, sd, growth = (
        rng.uniform(0, 24),
        rng.uniform(0.2, 0.95),
        rng.uniform(0.05, 0.3),
        rng.uniform(-0.004, 0.008),
    )
    cost, error_rate, latency = (
        math.exp(rng.uniform(-6, -2)),
        rng.choice([0.002, 0.01, 0.03]),
        math.exp(rng.uniform(6, 8)),
    )
    measure = rng.choice(["calls", "spend", "latency", "errors"])
    begin, length, happens = (
        hours - 24 * 7 + rng.randrange(6, 24 * 7 - 14),
        rng.choice([1, 2, 3, 6, 12]),
        rng.random() < 0.5,
    )
    size: dict[str, list[float]] = {
        "calls": [0.1, 3, 5, 10],
        "spend": [0.1, 3, 5, 10],
        "latency": [2, 3, 5],
        "errors": [8, 15, 30],
    }
    factor = rng.choice(size[measure])
    noise, values, calls = 0.0, [], []
    value: Callable[[int, bool], float | None] = {
        "calls": lambda n, _: float(n),
        "spend": lambda n, faulty: (
            sum(cost * math.exp(rng.gauss(0, 1.2)) for _ in range(min(n, 400)))
            * max(1, n / 400)
            * (factor if faulty else 1)
        ),
        "latency": lambda n, faulty: (
            None
            if n < 1
            else latency * math.exp(rng.gauss(0, 0.1) + rng.gauss(0, 0.9 / math.sqrt(n))) * (factor if faulty else 1)
        ),
        "errors": lambda n, faulty: float(poisson(n * min(0.9, error_rate * (factor if faulty else 1)), rng)),
    }[measure]
    for hour in range(hours):
        noise = 0.7 * noise + rng.gauss(0, sd * 0.7)
        rhythm = (1 + swing * math.sin((hour - phase) / 24 * 2 * math.pi)) * (weekend if (hour // 24) % 7 > 4 else 1)
        faulty = happens and begin <= hour < begin + length
        count = poisson(
            (base * rhythm * math.exp(growth * hour / 24 + noise) + 0.01)
            * (factor if faulty and measure == "calls" else 1),
            rng,
        )
        calls.append(count)
        values.append(value(count, faulty))
    return Hourly(measure, values, calls, (begin, begin + length) if happens else None)
