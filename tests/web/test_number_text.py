"""Numbers read rightly at the borders of their units, and what is not 0 never reads 0."""

from decimal import Decimal

import pytest

from web import number_text

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "0"),
        (9812, "9,812"),
        (999_999, "999,999"),
        (1_000_000, "1.0 M"),
        (999_940_000, "999.9 M"),
        (999_960_000, "1.0 B"),
        (999_960_000_000, "1.0 T"),
        (1_234_000_000_000_000, "1,234.0 T"),
        (-999_960_000, "\u22121.0 B"),
        (999_999.7, "1.0 M"),
    ],
)
def test_counts(value: float | None, text: str) -> None:
    assert number_text.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "$0.00"),
        (0.0000002, "<$0.0001"),
        (0.0000999, "<$0.0001"),
        (-0.0000002, ">\u2212$0.0001"),
        (0.0001, "$0.0001"),
        (0.0042, "$0.0042"),
        (0.09994, "$0.0999"),
        (0.09996, "$0.10"),
        (0.1, "$0.10"),
        (12.4, "$12.40"),
        (999.994, "$999.99"),
        (999.996, "$1.0k"),
        (1234, "$1.2k"),
        (999_940, "$999.9k"),
        (999_960, "$1.0M"),
        (999_960_000, "$1.0B"),
        (999_960_000_000, "$1.0T"),
        (-999_960, "\u2212$1.0M"),
        (Decimal("0.42"), "$0.42"),
    ],
)
def test_amounts(value: float | Decimal | None, text: str) -> None:
    assert number_text.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0.00"),
        (0.0000002, "<$0.0001"),
        (99.994, "$99.99"),
        (99.996, "$100"),
        (1730.4, "$1,730"),
        (999_999.4, "$999,999"),
        (999_999.6, "$1.0M"),
        (-412, "\u2212$412"),
    ],
)
def test_amounts_in_sentences(value: float, text: str) -> None:
    assert number_text.dollars(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "unknown"), (0, "$0.00"), (0.0000002, "<$0.01"), (1730.25, "$1,730.25"), (999_960, "$999,960.00")],
)
def test_amounts_to_the_cent(value: float | None, text: str) -> None:
    assert number_text.cents(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (0.0000002, "$0.0000002"),
        (2e-13, "$0.0000000000002"),
        (0.02348625, "$0.02348625"),
        (0.1 + 0.2, "$0.30"),
        (12.4, "$12.40"),
        (1234.5678, "$1,234.5678"),
        (-0.5, "\u2212$0.50"),
        (Decimal("2E-7"), "$0.0000002"),
    ],
)
def test_exact_amounts(value: float | Decimal | None, text: str) -> None:
    assert number_text.usd_exact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "0 ms"),
        (0.4, "<1 ms"),
        (840, "840 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (3400, "3.4 s"),
        (119_940, "119.9 s"),
        (119_960, "2 min"),
        (150_000, "2.5 min"),
        (9.96 * MINUTE, "10 min"),
        (HOUR, "60 min"),
        (119.6 * MINUTE, "2 h"),
        (2.5 * HOUR, "2.5 h"),
        (23.94 * HOUR, "23.9 h"),
        (23.96 * HOUR, "1 d"),
        (DAY, "1 d"),
        (1.5 * DAY, "1.5 d"),
        (12_000 * DAY, "12,000 d"),
        (-3400, "\u22123.4 s"),
    ],
)
def test_durations(value: float | None, text: str) -> None:
    assert number_text.ms(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "0 %"),
        (0.04, "<0.1 %"),
        (-0.04, ">\u22120.1 %"),
        (3.24, "3.2 %"),
        (9.94, "9.9 %"),
        (9.96, "10 %"),
        (98.6, "99 %"),
        (99.6, "99.6 %"),
        (99.96, ">99.9 %"),
        (-99.96, "<\u221299.9 %"),
        (100, "100 %"),
        (250.4, "250 %"),
        (12_345, "12,345 %"),
    ],
)
def test_percentages(value: float | None, text: str) -> None:
    assert number_text.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "0 %"),
        (0.04, "<0.1 %"),
        (79.99, "79.9 %"),
        (80, "80 %"),
        (99.96, "99.9 %"),
        (100, "100 %"),
        (Decimal("142.05"), "142 %"),
    ],
)
def test_percentages_that_are_reached(value: float | Decimal | None, text: str) -> None:
    assert number_text.percent_reached(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0000004, "<0.001"),
        (0.0012, "0.0012"),
        (0.031, "0.031"),
        (0.5, "0.5"),
        (0.996, "1.0"),
        (12.4, "12.4"),
        (99.96, "100"),
        (2_000_000, "2.0 M"),
    ],
)
def test_rates(value: float, text: str) -> None:
    assert number_text.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "0"),
        (0.0002, "0.0002"),
        (0.00001, "<0.0001"),
        (-0.00001, ">\u22120.0001"),
        (0.25, "0.25"),
        (4.375, "4.375"),
        (-4.5, "\u22124.5"),
        (9.9996, "10"),
        (12.405, "12.41"),
        (99.996, "100"),
        (123456.7, "123,457"),
        (2_000_000, "2.0 M"),
    ],
)
def test_averages(value: float | None, text: str) -> None:
    assert number_text.average(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, number_text.NOTHING),
        (0, "0.0"),
        (0.04, "<0.1"),
        (12.44, "12.4"),
        (999.94, "999.9"),
        (999.96, "1,000"),
        (1e6, "1.0 M"),
    ],
)
def test_numbers_with_a_decimal(value: float | None, text: str) -> None:
    assert number_text.decimal(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (0, "0"),
        (1_234_567, "1,234,567"),
        (12.3333333333, "12.333333"),
        (0.0000004, "0.0000004"),
        (0.1 + 0.2, "0.3"),
        (-0.5, "\u22120.5"),
        (-0.0, "0"),
    ],
)
def test_exact_numbers(value: float | None, text: str) -> None:
    assert number_text.exact(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (80, "80.00"), (1730.5, "1730.50"), (Decimal("200"), "200.00"), (2e-7, "0.0000002")]
)
def test_numbers_for_form_fields(value: float | Decimal | None, text: str) -> None:
    assert number_text.unlocalized(value) == text


@pytest.mark.parametrize("value_ms", [0.0, 0.3, 999.6, 12_345.4])
def test_whole_milliseconds(value_ms: float) -> None:
    texts = {0.0: "0 ms", 0.3: "<1 ms", 999.6: "1,000 ms", 12_345.4: "12,345 ms"}
    assert number_text.whole_ms(value_ms) == texts[value_ms]


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [
        *((0, "0 a second"), (12.4, "12.4 a second"), (1, "1.0 a second"), (0.018, "1.1 a minute")),
        *((0.000012, "1.0 a day"), (0.0009, "3.2 an hour"), (0.0000001, "<0.1 a day")),
    ],
)
def test_a_pace_has_the_smallest_time_in_which_it_reaches_1(per_second: float, shown: str) -> None:
    assert number_text.pace(per_second) == shown


def test_the_durations_of_a_column_have_one_unit() -> None:
    unit = number_text.column_unit("latency_ms", [84.0, None, 3400.0])
    assert [number_text.in_column(value, unit) for value in (84.0, None, 3400.0, 0)] == [
        "0.08 s",
        "\u2013",
        "3.40 s",
        "0 s",
    ]


@pytest.mark.parametrize(
    ("field", "values", "texts"),
    [
        ("cost_usd", [12.4, 0.0042, 1234.5, None, 0], ["$12.40", "<$0.01", "$1,234.50", number_text.NOTHING, "$0.00"]),
        ("cost_usd", [0.0042, 3.5], ["$0.0042", "$3.5000"]),
        ("cost_usd", [0.5, 3.5], ["$0.50", "$3.50"]),
        ("cost_usd", [250_000.4, 12.0], ["$250,000", "$12"]),
        ("input_tokens", [9_812, 1_200_000], ["9,812", "1,200,000"]),
        ("input_tokens", [9_812, 12_000_000], ["<0.1 M", "12.0 M"]),
        ("latency_ms", [0.4, 900.0], ["<1 ms", "900 ms"]),
    ],
)
def test_all_numbers_of_a_column_have_one_unit(field: str, values: list[float], texts: list[str]) -> None:
    unit = number_text.column_unit(field, values)
    assert [number_text.in_column(value, unit) for value in values] == texts
