import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from benchmarks.methods import anomalies as measured
from benchmarks.methods.families import hourly
from methods.anomalies import Anomaly, Finding, Hour, Measure, anomalies, hourly_scores, narrowest_causes

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
NOW = MONDAY + timedelta(days=28)
"""A Monday too."""


def hours(value: Callable[[datetime], float | None], calls: int = 100, days: int = 29) -> list[Hour]:
    starts = (MONDAY + timedelta(hours=i) for i in range(24 * days))
    return [Hour(start, value(start), calls) for start in starts]


def at(hour: int) -> datetime:
    return NOW + timedelta(hours=hour)


def with_fault(usual: float, faulty: float, first: int, end: int) -> Callable[[datetime], float]:
    return lambda start: faulty if at(first) <= start < at(end) else usual


def test_hours_like_all_others_are_not_unusual() -> None:
    for measure in measured.MEASURES:
        assert anomalies(measure, hours(lambda start: 40.0), NOW) == []


def test_three_hours_of_three_times_the_calls_are_one_anomaly() -> None:
    series = [hour._replace(calls=int(hour.value or 0)) for hour in hours(with_fault(100, 300, 9, 12))]
    [found] = anomalies("calls", series, NOW)
    assert (found.start, found.end) == (at(9), at(12))
    assert (found.value, found.expected, found.impact) == (900, 300, 600)


def test_calls_that_stop_are_unusual_too() -> None:
    [found] = anomalies("calls", hours(with_fault(100, 0, 9, 12)), NOW)
    assert found.score < 0
    assert found.impact == -300


def test_spend_of_an_hour_that_costs_ten_times_as_much_is_found_at_once() -> None:
    [found] = anomalies("spend", hours(with_fault(5, 50, 9, 10)), NOW)
    assert found.impact == pytest.approx(45)


def test_a_slow_hour_is_found_and_its_value_is_the_mean() -> None:
    [found] = anomalies("latency", hours(with_fault(800, 2400, 9, 12)), NOW)
    assert (found.value, found.expected) == (2400, 800)


def test_latency_of_a_few_calls_says_nothing() -> None:
    assert anomalies("latency", hours(with_fault(800, 9000, 9, 12), calls=19), NOW) == []


def test_twenty_errors_instead_of_one_are_found_and_none_instead_of_one_is_not() -> None:
    [found] = anomalies("errors", hours(with_fault(1, 20, 9, 11)), NOW)
    assert found.impact == pytest.approx(38, abs=0.2)
    assert anomalies("errors", hours(with_fault(30, 0, 9, 11)), NOW) == []


def test_small_changes_are_not_told_however_steady_the_series_is() -> None:
    assert anomalies("calls", hours(with_fault(1000, 1290, 9, 12)), NOW) == []
    assert anomalies("calls", hours(with_fault(3, 12, 9, 12)), NOW) == []
    assert anomalies("errors", hours(with_fault(0, 2, 9, 12)), NOW) == []


def test_spend_below_a_twentieth_of_a_day_is_not_told() -> None:
    # A usual day costs 8 * 10 = 80 dollars, a twentieth of it is 4.
    def spend(start: datetime) -> float:
        return (3.5 if start >= NOW else 0.1) if start.hour < 8 else 5.0

    assert anomalies("spend", hours(spend), NOW) == []


def test_a_job_that_runs_away_at_night_is_found_although_nights_cost_nothing() -> None:
    def spend(start: datetime) -> float:
        return 50.0 if start == at(3) else 10.0 if 8 <= start.hour < 18 else 0.0

    series = [hour._replace(calls=100 if hour.value else 0) for hour in hours(spend)]
    [found] = anomalies("spend", series, NOW)
    assert (found.start, found.impact) == (at(3), 50)


def test_nights_are_compared_with_nights_and_weekends_with_weekends() -> None:
    def calls(start: datetime) -> float:
        return 500.0 if 8 <= start.hour < 18 and start.weekday() < 5 else 10.0

    series = hours(calls, days=35)
    assert anomalies("calls", series, NOW) == []
    saturday = at(24 * 5 + 12)
    unusual = [hour._replace(value=500.0) if hour.start == saturday else hour for hour in series]
    assert [found.start for found in anomalies("calls", unusual, NOW)] == [saturday]


def test_the_hour_of_the_workspace_counts_over_a_clock_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 3, 2, tzinfo=zone).astimezone(UTC)
    starts = [(first + timedelta(hours=i)).astimezone(zone) for i in range(24 * 35)]
    series = [Hour(start, 500.0 if 8 <= start.hour < 18 else 10.0, 100) for start in starts]
    assert anomalies("calls", series, starts[24 * 28]) == []


def test_an_hour_with_fewer_than_fifteen_comparable_hours_has_no_verdict() -> None:
    # Each working day has three comparable hours, so the sixth has fifteen.
    series = hours(lambda start: 100.0, days=10)
    assert {score.start.date() for score in hourly_scores("calls", series, MONDAY)} == {
        (MONDAY + timedelta(days=day)).date() for day in (7, 8, 9)
    }


def test_an_hour_that_is_left_out_is_neither_unusual_nor_a_reference() -> None:
    def calls(start: datetime) -> float | None:
        return None if start == at(9) else 100.0

    assert anomalies("calls", hours(calls), NOW) == []
    assert at(9) not in {score.start for score in hourly_scores("calls", hours(calls), NOW)}


def test_alarms_less_than_a_day_apart_are_one_anomaly() -> None:
    series = hours(lambda start: 300.0 if start in (at(3), at(4), at(15), at(16)) else 100.0, days=30)
    [found] = anomalies("calls", series, NOW)
    assert (found.start, found.end, found.impact) == (at(3), at(17), 800)


def test_alarms_a_day_apart_are_two_anomalies() -> None:
    series = hours(lambda start: 300.0 if start in (at(3), at(4), at(28), at(29)) else 100.0, days=30)
    assert [found.start for found in anomalies("calls", series, NOW)] == [at(3), at(28)]


@pytest.mark.parametrize(("calls", "noticed"), [(300, 9), (150, 10)])
def test_a_job_that_looks_every_hour_finds_an_anomaly_once(calls: int, noticed: int) -> None:
    series = hours(with_fault(100, calls, 9, 40), days=31)
    found = {}
    for hour in range(48):
        known = [other for other in series if other.start <= at(hour)]
        if starts := [anomaly.start for anomaly in anomalies("calls", known, at(hour))]:
            found[hour] = starts
    assert found == {noticed: [at(9)]}
    assert [anomaly.start for anomaly in anomalies("calls", series, NOW)] == [at(9)]


def test_an_hour_has_the_same_score_whatever_comes_after_it() -> None:
    series = hours(with_fault(100, 300, 9, 12))
    known = [hour for hour in series if hour.start < at(11)]
    assert hourly_scores("calls", known, NOW) == [s for s in hourly_scores("calls", series, NOW) if s.start < at(11)]


def finding(scope: dict[str, str | None], value: float, expected: float, first: int = 9, score: float = 8.0) -> Finding:
    return Finding("spend", scope, Anomaly(at(first), at(first + 3), value, expected, score))


def test_a_spike_of_one_agent_is_one_event_told_by_the_agent() -> None:
    workspace, agent = finding({}, 200, 100), finding({"agent_id": "support"}, 110, 10)
    model = finding({"model": "gpt-5"}, 150, 50)
    [event] = narrowest_causes([workspace, agent, model])
    assert event.cause == agent
    assert set(map(id, event.findings)) == {id(workspace), id(agent), id(model)}


def test_an_agent_that_explains_half_of_it_is_not_the_cause() -> None:
    workspace, agent = finding({}, 200, 100), finding({"agent_id": "support"}, 60, 10)
    [event] = narrowest_causes([workspace, agent])
    assert event.cause == workspace


def test_other_hours_another_direction_and_another_measure_are_other_events() -> None:
    first, later = finding({}, 200, 100), finding({}, 200, 100, first=15)
    drop = finding({"model": "gpt-5"}, 10, 50, score=-8.0)
    calls = Finding("calls", {}, first.anomaly)
    assert len(narrowest_causes([first, later, drop, calls])) == 4


def test_planted_faults_are_found_and_little_else() -> None:
    """Few series, for speed: tests/faults/test_methods.py has the figures of all."""
    rng = random.Random(10)
    results = [measured.found(hourly(rng)) for _ in range(8)]
    assert sum(result.is_found for result in results) >= 4
    assert sum(result.false_alarms for result in results) == 0


@pytest.mark.parametrize("measure", measured.MEASURES)
def test_an_empty_history_has_no_anomaly(measure: Measure) -> None:
    assert anomalies(measure, [], NOW) == []
    assert anomalies(measure, hours(lambda start: 0.0, calls=0), NOW) == []
