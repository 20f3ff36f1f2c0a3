"""How reports write values and windows, and draw what happened over time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from reports.document import Chart, Line, Series, Unit, Value
from reports.figures import figure_of
from reports.periods import granularity_of
from reports.sheets import spellings
from reports.words import before, exactly, in_one_unit, window_title, within, written
from traces.buckets import bucket_starts
from traces.filters import Filters
from web.number_text import NOTHING

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "title", "in_sentence", "earlier"),
    [
        ((2026, 11, 1), (2026, 12, 1), "November 2026", "in November 2026", "the 30 days before"),
        ((2026, 12, 1), (2027, 1, 1), "December 2026", "in December 2026", "the 31 days before"),
        ((2026, 10, 25), (2026, 10, 26), "25 October 2026", "on 25 October 2026", "the day before"),
        ((2026, 11, 23), (2026, 11, 30), "23 to 29 November 2026", "from 23 to 29 November 2026", "the 7 days before"),
        (
            (2026, 10, 26),
            (2026, 11, 2),
            "26 October to 1 November 2026",
            "from 26 October to 1 November 2026",
            "the 7 days before",
        ),
        (
            (2026, 12, 28),
            (2027, 1, 4),
            "28 December 2026 to 3 January 2027",
            "from 28 December 2026 to 3 January 2027",
            "the 7 days before",
        ),
        (
            (2026, 11, 27),
            (2026, 11, 27, 13, 5),
            "27 November 2026, 00:00 to 13:05",
            "from 27 November 2026, 00:00 to 13:05",
            "the window before",
        ),
    ],
)
def test_a_window_has_the_name_that_people_give_it(
    start: tuple[int, ...], end: tuple[int, ...], title: str, in_sentence: str, earlier: str
) -> None:
    window = (berlin(*start).astimezone(UTC), berlin(*end).astimezone(UTC), BERLIN)
    assert (window_title(*window), within(*window), before(*window)) == (title, in_sentence, earlier)


def test_a_month_is_one_also_where_clocks_skip_midnight() -> None:
    zone = ZoneInfo("America/Santiago")  # 6 September 2026 begins at 1:00
    start, end = datetime(2026, 9, 6, 4, tzinfo=UTC), datetime(2026, 9, 7, 3, tzinfo=UTC)
    assert window_title(start, end, zone) == "6 September 2026"


@pytest.mark.parametrize(
    ("value", "unit", "text", "exact"),
    [
        (1234.5, "usd", "$1,234.50", "$1,234.50"),
        (0.00421, "usd", "$0.0042", "$0.00421"),
        (9812, "count", "9,812", "9,812"),
        (4.375, "average", "4.375", "4.375"),
        (3400.0, "ms", "3.4 s", "3,400 ms"),
        (12.3456, "percent", "12 %", "12.3456 %"),
        (0.018, "rate", "1.1 a minute", "1.1 a minute"),
        (None, "usd", NOTHING, NOTHING),
        (datetime(2026, 11, 1, tzinfo=UTC), "day", "1 Nov 2026", "1 Nov 2026"),
        (datetime(2026, 11, 1, tzinfo=UTC), "moment", "1 Nov 2026, 01:00", "1 Nov 2026, 01:00"),
        ("=1+1", "text", "=1+1", "=1+1"),
    ],
)
def test_values_are_written_for_people_and_in_full(value: Value, unit: Unit, text: str, exact: str) -> None:
    assert (written(value, unit, BERLIN), exactly(value, unit, BERLIN)) == (text, exact)


def test_a_column_has_one_unit_and_no_value_is_a_dash() -> None:
    assert in_one_unit([1.2, None, 3000.5, 0], "usd", BERLIN) == ["$1.20", NOTHING, "$3,000.50", "$0.00"]


def test_series_have_hours_days_or_months() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = [granularity_of(start, start + timedelta(days=days)) for days in (1, 2, 3, 31, 92, 93, 366)]
    assert found == ["hourly", "hourly", "daily", "daily", "daily", "monthly", "monthly"]


def test_sheets_have_names_that_differ() -> None:
    found = spellings("a" * 31)
    assert [next(found), next(found)] == ["a" * 31, "a" * 29 + " 2"]


def test_an_hour_that_comes_twice_has_two_bars() -> None:
    start, end = berlin(2026, 10, 25).astimezone(UTC), berlin(2026, 10, 26).astimezone(UTC)
    axis = bucket_starts(start, end, "hourly", BERLIN)
    filters = Filters(UUID(int=1), start, end, "hourly", zone=BERLIN)
    series = [Series("Calls", list(range(25)), "#736bc9"), Series("Before", [1] * 25, "#5a6374", is_before=True)]
    figure = figure_of(Chart("bars", "Calls", axis, series, "count", [Line("Goal", 3)], "hourly"), filters)
    assert len(set(figure["data"][0]["x"])) == 25
    assert figure["data"][0]["marker"]["color"] == "--c0"
    assert figure["data"][1]["line"]["dash"] == "dash"
    assert figure["data"][2]["y"] == [3] * 25


def test_a_chart_may_have_another_window_than_its_report() -> None:
    filters = Filters(UUID(int=1), berlin(2026, 10, 1), berlin(2026, 11, 1), "daily", zone=BERLIN)
    axis = [berlin(2026, 11, day).astimezone(UTC) for day in range(1, 31)]
    chart = Chart("stepped", "Spend", axis, [Series("Spent", [1.0] * 30, "#5b54c9")], "usd", granularity="daily")
    figure = figure_of(chart, filters)
    assert figure["data"][0]["x"][0] == "2026-11-01 00:00:00"
    assert figure["data"][0]["line"]["shape"] == "hvh"


def test_bars_with_names_show_durations_in_seconds() -> None:
    chart = Chart("horizontal_bars", "Slow", ["a" * 200, "b"], [Series("p95", [1500, None], "#8884d8")], "ms")
    [bars] = figure_of(chart, Filters(UUID(int=1), berlin(2026, 10, 1), berlin(2026, 11, 1), "daily"))["data"]
    assert bars["x"] == [1.5, None]
    assert bars["text"][0].endswith(": 1,500 ms")
