import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from benchmarks.methods import forecasts
from benchmarks.methods.families import daily
from methods.daily_model import HISTORY_DAYS, fit, shift_start, without_peaks
from methods.forecast import PATHS, Exhaustion, Forecast, History, NoForecast, forecast, usual_amount

MONDAY = date(2026, 6, 1)
"""June 2026 begins on a Monday."""
JULY = date(2026, 7, 1)


def history(days: int, amount: Callable[[date], float] = lambda day: 10.0, until: date = JULY) -> History:
    first = until - timedelta(days=days)
    return [(first + timedelta(days=i), amount(first + timedelta(days=i))) for i in range(days)]


def of_july(past: History, spent: float = 0.0, **options: float) -> Forecast:
    found = forecast(past, JULY, date(2026, 8, 1), spent, **options)
    assert isinstance(found, Forecast)
    return found


def workdays(day: date) -> float:
    return 100.0 if day.weekday() < 5 else 0.0


def test_ten_dollars_every_day_make_310_in_july() -> None:
    found = of_july(history(84))
    assert found.expected == pytest.approx(310)
    assert found.low <= 310 <= found.high


def test_what_is_spent_is_part_of_the_forecast() -> None:
    past = history(94, until=date(2026, 7, 11))
    assert of_july(past, spent=500.0).expected == pytest.approx(500 + 21 * 10)


def test_the_rest_of_today_counts_by_its_share() -> None:
    assert of_july(history(84), spent=7.5, rest_of_today=0.25).expected == pytest.approx(7.5 + 2.5 + 300)


def test_weekends_without_traffic_stay_without_traffic() -> None:
    by_day = [day.expected for day in of_july(history(84, workdays)).days()]
    friday, saturday, sunday, monday = (by_day[i] for i in (2, 3, 4, 5))
    assert saturday - friday < 20
    assert sunday - saturday < 20
    assert monday - sunday > 80


def test_one_dear_day_does_not_make_the_others_dear() -> None:
    past = history(84, lambda day: 1000.0 if day == date(2026, 6, 20) else 10.0)
    # What was cut comes again as often as in the last 84 days, so 310 dollars and 31/84 of the peak.
    assert of_july(past).expected == pytest.approx(310 + 31 * 990 / 84, rel=0.1)


def test_the_forecast_follows_a_level_that_has_doubled() -> None:
    past = history(84, lambda day: 20.0 if day >= date(2026, 6, 15) else 10.0)
    assert of_july(past).expected == pytest.approx(620, rel=0.05)


def test_growth_goes_on_but_fades() -> None:
    past = history(84, lambda day: 10 * 1.01 ** (day - JULY).days)
    straight = sum(10 * 1.01**day for day in range(31))
    assert 310 * 1.05 < of_july(past).expected < straight


def test_growth_of_a_year_stays_bounded() -> None:
    past = history(84, lambda day: 10 * 1.03 ** (day - JULY).days)
    found = forecast(past, JULY, date(2027, 7, 1), 0.0)
    assert isinstance(found, Forecast)
    assert found.expected < 3650 * 2.1


def test_traffic_that_has_ended_costs_next_to_nothing() -> None:
    past = history(84, lambda day: 10.0 if day < date(2026, 5, 15) else 0.0)
    assert of_july(past).expected < 5


def test_the_same_question_has_the_same_answer() -> None:
    past = [(day, 10.0 + day.day) for day, _ in history(84)]
    assert of_july(past) == of_july(past)


def test_all_amounts_times_ten_make_a_forecast_times_ten() -> None:
    past = [(day, 10.0 + day.day) for day, _ in history(84)]
    one, ten = of_july(past), of_july([(day, 10 * amount) for day, amount in past])
    assert (ten.low, ten.expected, ten.high) == pytest.approx((10 * one.low, 10 * one.expected, 10 * one.high))


@pytest.mark.parametrize("days", [3, 9, 10, 27, 28, 35, 84, 400])
def test_expected_is_within_its_range_and_the_course_never_falls(days: int) -> None:
    found = of_july([(day, float(day.day % 9)) for day, _ in history(days)], spent=12.0)
    assert 12.0 <= found.low <= found.expected <= found.high
    for name in ("low", "expected", "high"):
        course = [getattr(day, name) for day in found.days()]
        assert course == sorted(course)
    last = found.days()[-1]
    assert (last.day, last.low, last.expected, last.high) == (
        date(2026, 7, 31),
        pytest.approx(found.low),
        found.expected,
        pytest.approx(found.high),
    )


def test_a_longer_history_makes_a_narrower_range() -> None:
    widths = [
        found.high - found.low
        for days in (3, 10, 28, 84)
        for found in [of_july([(day, 9.0 + day.day % 3) for day, _ in history(days)])]
    ]
    assert widths == sorted(widths, reverse=True)


def test_there_is_no_forecast_below_three_days_of_history() -> None:
    assert forecast(history(2), JULY, date(2026, 8, 1), 0.0) == NoForecast("too_little_history")
    assert forecast([], JULY, date(2026, 8, 1), 0.0) == NoForecast("too_little_history")


def test_there_is_no_forecast_for_a_period_under_seven_days() -> None:
    assert forecast(history(84), JULY, date(2026, 7, 7), 0.0) == NoForecast("period_too_short")
    assert isinstance(forecast(history(84), JULY, date(2026, 7, 8), 0.0), Forecast)


def test_there_is_no_forecast_without_traffic() -> None:
    assert forecast(history(84, lambda day: 0.0), JULY, date(2026, 8, 1), 0.0) == NoForecast("no_traffic")


def test_weeks_before_the_first_call_are_no_history() -> None:
    begun = date(2026, 6, 30)
    past = history(84, lambda day: 10.0 if day >= begun else 0.0)
    assert forecast(past, JULY, date(2026, 8, 1), 0.0) == NoForecast("too_little_history")


def test_a_missing_day_is_an_error() -> None:
    past = history(84)
    with pytest.raises(ValueError, match="every day once"):
        forecast([*past[:40], *past[41:]], JULY, date(2026, 8, 1), 0.0)


def test_a_period_that_is_over_has_cost_what_it_has_cost() -> None:
    found = forecast(history(84, until=date(2026, 8, 1)), JULY, date(2026, 8, 1), 300.0)
    assert isinstance(found, Forecast)
    assert (found.low, found.expected, found.high, found.days()) == (300.0, 300.0, 300.0, [])
    assert found.exhaustion(400) == Exhaustion(None, None, None, 0.0)


def test_ten_dollars_a_day_reach_a_limit_of_100_on_the_tenth() -> None:
    found = of_july(history(84)).exhaustion(100)
    assert found.expected == date(2026, 7, 10)
    assert found.earliest <= found.expected <= found.latest
    assert found.probability == 1.0


def test_a_limit_beyond_the_period_is_not_reached() -> None:
    found = of_july(history(84)).exhaustion(1000)
    assert found == Exhaustion(None, None, None, 0.0)


def test_a_limit_that_may_be_reached_has_a_first_day_and_no_last() -> None:
    past = [(day, float(day.day)) for day, _ in history(84)]
    forecast_of_july = of_july(past)
    found = forecast_of_july.exhaustion((forecast_of_july.expected + forecast_of_july.high) / 2)
    assert found.expected is None
    assert found.earliest
    assert found.latest is None
    assert 0.1 < found.probability < 0.5


def test_a_limit_that_is_reached_already_is_reached_today() -> None:
    found = of_july(history(84), spent=100.0).exhaustion(100)
    assert found == Exhaustion(JULY, JULY, JULY, 1.0)


def test_a_planned_day_is_replaced_by_its_weekday() -> None:
    past = history(28, lambda day: 500.0 if day == date(2026, 6, 22) else float(day.weekday()))
    assert usual_amount(past, date(2026, 6, 22)) == 0.0
    assert usual_amount(past, date(2026, 6, 23)) == 1.0


def test_peaks_of_one_and_two_days_are_cut_and_longer_ones_stay() -> None:
    amounts = [10.0] * 30
    amounts[10] = amounts[20] = amounts[21] = 100.0
    cleaned, cut = without_peaks(amounts)
    assert max(cleaned) < 50
    assert cut == pytest.approx(270 - sum(cleaned[i] - 10 for i in (10, 20, 21)))
    amounts[5:8] = [100.0] * 3
    assert without_peaks(amounts)[0][5:8] == [100.0] * 3


def test_a_shift_begins_at_the_day_it_happened() -> None:
    assert shift_start([10.0 + i % 3 for i in range(60)] + [20.0 + i % 3 for i in range(10)]) == 60
    assert shift_start([10.0 + i % 3 for i in range(70)]) == 0


def test_only_the_last_84_days_count() -> None:
    recent = [float(i % 7) for i in range(HISTORY_DAYS)]
    assert fit([1000.0, *recent]) == fit(recent)


def test_a_forecast_holds_few_numbers() -> None:
    found = forecast(history(84), JULY, date(2027, 7, 1), 0.0)
    assert isinstance(found, Forecast)
    assert sum(map(len, found.paths)) <= PATHS * 53


def test_full_histories_are_forecast_better_than_by_simpler_ways() -> None:
    cases = (case for case in forecasts.cases(seed=1) if case.days == forecasts.FULL_HISTORY)
    figures = forecasts.figures([found for case in cases if (found := forecasts.result(case))])
    assert figures.wape < 0.24
    assert figures.wape <= 0.9 * min(figures.pace, figures.average_day, figures.last_week)
    assert 0.75 <= figures.coverage <= 0.93


def test_the_made_up_series_are_those_of_their_seed() -> None:
    series = daily("weekly", random.Random(1))
    assert len(series) == 150
    assert series == daily("weekly", random.Random(1))
