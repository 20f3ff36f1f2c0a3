from datetime import date, timedelta

import pytest

from methods.past_error import past_error

MONTHS = [
    (date(2026, 3, 1), date(2026, 4, 1)),
    (date(2026, 4, 1), date(2026, 5, 1)),
    (date(2026, 5, 1), date(2026, 6, 1)),
]


def history(days: int = 151, last_days: float = 10.0) -> list[tuple[date, float]]:
    """Ten dollars on each day from January 2026 on, and others in the last ten days of May."""
    first = date(2026, 1, 1)
    days_of_history = (first + timedelta(days=i) for i in range(days))
    return [(day, last_days if day >= date(2026, 5, 22) else 10.0) for day in days_of_history]


def test_equal_days_are_foretold_without_error() -> None:
    found = past_error(history(), MONTHS)
    assert found
    assert [past.forecast_on for past in found.forecasts] == [date(2026, 3, 22), date(2026, 4, 21), date(2026, 5, 22)]
    assert (found.median_error, found.within_range) == (pytest.approx(0), 3)


def test_a_month_whose_last_days_cost_twice_as_much_was_off_by_a_quarter() -> None:
    found = past_error(history(last_days=20.0), MONTHS[2:])
    assert found
    assert found.forecasts[0].actual == 410
    assert found.median_error == pytest.approx(100 / 410)
    assert found.within_range == 0


def test_a_forecast_of_the_past_does_not_know_what_came_after() -> None:
    one, other = past_error(history(last_days=20.0), MONTHS), past_error(history(last_days=90.0), MONTHS)
    assert one
    assert other
    assert [past.expected for past in one.forecasts] == [past.expected for past in other.forecasts]


def test_months_that_the_history_does_not_hold_whole_are_left_out() -> None:
    found = past_error(history(days=130), MONTHS)
    assert found
    assert [past.period_start for past in found.forecasts] == [date(2026, 3, 1), date(2026, 4, 1)]


def test_without_any_past_forecast_there_is_no_error() -> None:
    assert past_error(history(days=40), MONTHS) is None
    assert past_error([(day, 0.0) for day, _ in history()], MONTHS) is None


def test_each_month_can_be_repeated_at_several_days() -> None:
    found = past_error(history(), MONTHS, days_before_end=(20, 10, 5))
    assert found
    assert len(found.forecasts) == 9
