"""Says in sentences what was unusual."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.splits import in_sentence
from methods.anomalies import Measure
from web.number_text import count, dollars, ms

WHAT: dict[Measure, str] = {"spend": "Spend", "calls": "Calls", "latency": "p95 latency", "errors": "Failed calls"}
FORMATS = {"spend": dollars, "latency": ms}


def amount(measure: Measure, value: float) -> str:
    """Formats an amount of the measure, like $12.40, 3.4 s or 312."""
    return FORMATS[measure](value) if measure in FORMATS else count(round(value))


def sentence(
    measure: Measure, scope: Mapping[str, str | None], times: tuple[datetime, datetime], value: float, expected: float
) -> str:
    """Returns what was unusual when and how much, like: Spend of agent support was $52 on 21 Nov, 13:00 to 16:00, where
    $4 is usual. The times are in the workspace's zone."""
    verb = "was" if measure in ("spend", "latency") else "were"
    return (
        f"{WHAT[measure]}{scope_words(scope)} {verb} {amount(measure, value)} {time_words(*times)},"
        f" where {usual_words(measure, expected)} usual."
    )


def usual_words(measure: Measure, expected: float) -> str:
    text = amount(measure, expected)
    return f"{text} {'is' if measure in FORMATS or text == '1' else 'are'}"


def also_words(measure: Measure, value: float, expected: float) -> str:
    """Returns what else was unusual in the same hours, like: calls were 900 (300 usual)."""
    name, verb = WHAT[measure], "was" if measure in FORMATS else "were"
    lower = name if name.startswith("p") else name.lower()
    return f"{lower} {verb} {amount(measure, value)} ({amount(measure, expected)} usual)"


def scope_words(scope: Mapping[str, str | None]) -> str:
    return "".join(f" of {in_sentence(name)} {value}" for name, value in scope.items())


def time_words(start: datetime, end: datetime) -> str:
    """Formats hours, like: on 21 Nov, 13:00 to 16:00; from 21 Nov, 22:00 to 22 Nov, 03:00."""
    if start.date() == end.date():
        return f"on {start:%-d %b, %H:%M} to {end:%H:%M}"
    return f"from {start:%-d %b, %H:%M} to {end:%-d %b, %H:%M}"


def in_zone(times: tuple[datetime, datetime], zone: ZoneInfo) -> tuple[datetime, datetime]:
    return times[0].astimezone(zone), times[1].astimezone(zone)
