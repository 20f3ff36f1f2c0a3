from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from statistics import fmean
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from budgets.forecasts import HISTORY_DAYS, history_before
from budgets.periods import DAY, Days, calendar_days, earlier_periods, today
from budgets.spending import spend_by_day
from methods.past_error import PastForecast, past_error
from workspaces.models import Workspace

MAX_MONTHS, DEFAULT_MONTHS = 24, 12
DAYS_BEFORE_END = (25, 20, 15, 10, 5)
RECENT_DAYS = 28
ByDay = Mapping[date, float]


class Command(BaseCommand):
    help = (
        "Repeats the forecasts of past months from what was known then, and prints how far they were off, beside "
        "simpler ways to forecast. `python -m benchmarks.methods --only forecast` does so on made-up series."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID)
        parser.add_argument("--months", type=int, default=DEFAULT_MONTHS, help=f"at most {MAX_MONTHS}")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(pk=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        if not 1 <= options["months"] <= MAX_MONTHS:
            raise CommandError(f"--months must be 1 to {MAX_MONTHS}.")
        this_day = today(timezone.now(), workspace.zone)
        months = earlier_periods("month", calendar_days("month", this_day), options["months"])
        by_day = spend_by_day(workspace, Days(months[0].first - HISTORY_DAYS * DAY, months[-1].until))
        for line in report(by_day, months):
            self.stdout.write(line)


def report(by_day: Mapping[date, Decimal], months: Sequence[Days]) -> Iterator[str]:
    known = history_before(by_day, months[-1].until)
    first = next((day for day, amount in known if amount > 0), None)
    whole = [month for month in months if first and month.first >= first]
    found = past_error(known, whole, DAYS_BEFORE_END)
    if found is None:
        yield "No past month can be forecast again: there is too little history."
        return
    amounts = dict(known)
    actual = sum(past.actual for past in found.forecasts) or 1.0
    within = found.within_range / len(found.forecasts)
    yield f"{len(found.forecasts)} forecasts of {len(whole)} months, {', '.join(map(str, DAYS_BEFORE_END))} days early"
    yield f"{within:.0%} of the months ended in their range; 80 % should"
    yield f"{'':20}  error of the month's spend (WAPE)"
    for way, forecast in WAYS.items():
        error = sum(abs(forecast(past, amounts) - past.actual) for past in found.forecasts) / actual
        yield f"{way:20}  {error:.3f}"


def rest_of(past: PastForecast) -> int:
    return (past.period_end - past.forecast_on).days


def spent_before(past: PastForecast, amounts: ByDay) -> float:
    return sum(amounts[past.period_start + i * DAY] for i in range((past.forecast_on - past.period_start).days))


def pace_of_month(past: PastForecast, amounts: ByDay) -> float:
    days = (past.forecast_on - past.period_start).days
    return spent_before(past, amounts) * (past.period_end - past.period_start).days / days


def average_day(past: PastForecast, amounts: ByDay) -> float:
    recent = [amounts.get(past.forecast_on - age * DAY, 0.0) for age in range(1, RECENT_DAYS + 1)]
    return spent_before(past, amounts) + fmean(recent) * rest_of(past)


def same_day_last_week(past: PastForecast, amounts: ByDay) -> float:
    week = [amounts.get(past.forecast_on - (7 - i) * DAY, 0.0) for i in range(7)]
    return spent_before(past, amounts) + sum(week[i % 7] for i in range(rest_of(past)))


WAYS: dict[str, Callable[[PastForecast, ByDay], float]] = {
    "forecast": lambda past, _: past.expected,
    "month's pace": pace_of_month,
    "average day": average_day,
    "same day last week": same_day_last_week,
}
