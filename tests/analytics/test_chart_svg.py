"""Tests the server's drawing of charts: its ticks are those that Plotly chose for the same axes, and its marks."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from analytics.axis_ticks import amount_step, amount_text, time_ticks
from analytics.chart_svg import svg_of, with_range

NOON = datetime.fromisoformat("2026-11-20 12:00")
# What Plotly 7.1.0 wrote for these axes.
TIMES = [
    ("2026-11-20 00:00", "2026-11-22 00:00", 5, "00:00 20 Nov,12:00,00:00 21 Nov,12:00,00:00 22 Nov"),
    ("2026-11-20 00:00", "2026-11-27 00:00", 6, "21 Nov,23 Nov,25 Nov,27 Nov"),
    ("2026-11-20 00:00", "2026-11-27 00:00", 10, "20 Nov,21 Nov,22 Nov,23 Nov,24 Nov,25 Nov,26 Nov,27 Nov"),
    ("2026-11-20 08:10", "2026-11-20 09:10", 5, "08:15 20 Nov,08:30,08:45,09:00"),
    ("2026-11-20 08:10", "2026-11-20 09:10", 10, "08:10 20 Nov,08:20,08:30,08:40,08:50,09:00,09:10"),
    ("2026-10-27 12:00", "2026-11-27 12:00", 7, "1 Nov,8 Nov,15 Nov,22 Nov"),
]
AMOUNTS = [
    (0.0042, ",~r", "0,0.001,0.002,0.003,0.004"),
    (0.0042, "~s", "0,1m,2m,3m,4m"),
    (0.7, ",~r", "0,0.2,0.4,0.6"),
    (0.7, "~s", "0,200m,400m,600m"),
    (12_345, ",~r", "0,5,000,10,000"),
    (12_345, "~s", "0,5k,10k"),
    (2e6, ",~r", "0,500,000,1,000,000,1,500,000,2,000,000"),
    (2e6, "~s", "0,500k,1M,1.5M,2M"),
]


@pytest.mark.parametrize(("first", "last", "about", "expected"), TIMES)
def test_times_are_those_of_plotly(first: str, last: str, about: int, expected: str) -> None:
    ticks = time_ticks(datetime.fromisoformat(first), datetime.fromisoformat(last), about)
    assert ticks
    assert ",".join(" ".join(tick.lines) for tick in ticks) == expected


@pytest.mark.parametrize(("largest", "form", "expected"), AMOUNTS)
def test_amounts_are_those_of_plotly(largest: float, form: str, expected: str) -> None:
    top = largest / 0.95
    step = amount_step(top, 6)
    ticks = [step * place for place in range(int(top / step) + 1)]
    assert ",".join(amount_text(tick, form) for tick in ticks) == expected


def figure(*series: dict[str, Any], **layout: Any) -> dict[str, Any]:
    axes = {
        "xaxis": {"type": "date", "range": ["2026-11-20 00:00:00", "2026-11-24 00:00:00"]},
        "yaxis": {"tickformat": ",~r"},
    }
    return with_range(
        {"data": list(series), "layout": axes | {"barmode": "stack", "shapes": [], "annotations": []} | layout}
    )


DAYS = [f"{NOON + timedelta(days=day):%Y-%m-%d %H:%M:%S}" for day in range(4)]


def bars(*y: float | None, **more: Any) -> dict[str, Any]:
    marker = {"color": "--c0", "opacity": [1, 1, 1, 0.5]} | more
    return {"type": "bar", "x": DAYS, "y": y, "width": 0.5 * 86_400_000, "marker": marker}


def line(*y: float | None, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": DAYS,
        "y": y,
        "line": {"color": "--c1", "width": 2},
        "marker": {"size": [6, 0, 0, 0]},
    } | more


def drawn_bars(svg: str) -> list[tuple[str, str, str]]:
    return re.findall(r'class="bars" fill="var\((.*?)\)" stroke=".*?" opacity="(.*?)"><path d="(.*?)"/>', svg)


def test_bars_stand_on_each_other_and_the_running_one_is_lighter() -> None:
    found = drawn_bars(svg_of(figure(bars(1, 2, 3, 4), bars(9, None, 0, 15, color="--c1"))))
    # The highest pile, 19, takes 95 of 100: one call is 50 high.
    assert found == [
        ("--c0", "1", "M62.5 1000V950h125V1000zM312.5 1000V900h125V1000zM562.5 1000V850h125V1000z"),
        ("--c0", "0.5", "M812.5 1000V800h125V1000z"),
        ("--c1", "1", "M62.5 950V500h125V950z"),
        ("--c1", "0.5", "M812.5 800V50h125V800z"),
    ]


def test_bars_that_may_be_lower_than_a_pixel_have_lines_at_their_edges() -> None:
    # The axis ends at 1000: of 226 pixels the bars take 0.2, 2.3 and 9, and the last stands on another one.
    svg = svg_of(figure(bars(1, 10, 40, 100), bars(0, 0, 0, 5, color="--c1"), line(950, 950, 950, 950)))
    edges = re.findall(r'class="thin" d="(.*?)"', svg)
    assert edges == ["M62.5 999.8h125M62.5 999.2h125M312.5 999.8h125", "M812.5 899.8h125M812.5 895.2h125"]
    assert [path for *_, path in drawn_bars(svg)][-1] == "M812.5 900V895h125V900z"


def test_bars_narrower_than_two_pixels_are_widened_by_the_width_of_the_chart() -> None:
    hours = [f"{NOON + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}" for hour in range(4)]
    svg = svg_of(figure(bars(1, 2, 3, 4) | {"x": hours, "width": 0.3 * 3_600_000}))
    assert 'class="bars narrow middle" ' in svg


def test_a_line_has_its_gaps_and_a_point_between_two_of_them_is_seen() -> None:
    svg = svg_of(figure(line(19, None, 9.5, 19)))
    assert 'd="M125 50M625 525L875 50"' in svg
    assert 'class="points" stroke="var(--c1)" opacity="1" d="M125 50h0"' in svg


def test_text_of_a_client_stays_text() -> None:
    mark = {"text": "<script>", "x": DAYS[0], "yref": "paper", "yshift": 0, "xanchor": "left"}
    svg = svg_of(figure(bars(1, 2, 3, 4), annotations=[mark]))
    assert "&lt;script&gt;" in svg
    assert "<script>" not in svg


def test_a_mark_over_days_and_one_of_a_moment_are_drawn() -> None:
    line_of = {"line": {"color": "--warning"}, "x0": DAYS[1], "x1": DAYS[1], "type": "line", "yref": "paper"}
    band = {"fillcolor": "--error", "opacity": 0.15, "x0": DAYS[0], "x1": DAYS[2], "type": "rect", "yref": "paper"}
    svg = svg_of(figure(bars(1, 2, 3, 4), shapes=[line_of, band]))
    assert 'stroke="var(--warning)" stroke-width="2" stroke-dasharray="3 3" d="M375 0V1000"' in svg
    assert 'fill="var(--error)" opacity="0.15" d="M125 0V1000H625V0z"' in svg


def test_a_negative_amount_beside_others_leaves_the_whole_chart_to_plotly() -> None:
    whole = figure(bars(1, 2, 3, 4), line(5, 6, 7, -1))
    assert svg_of(whole) == ""
    assert "range" not in whole["layout"]["yaxis"]


def test_a_chart_of_nothing_is_left_to_plotly() -> None:
    assert svg_of(figure()) == ""


def test_a_single_point_is_seen() -> None:
    day = {"xaxis": {"type": "date", "range": ["2026-11-20 00:00:00", "2026-11-21 00:00:00"]}}
    one = line(19) | {"x": DAYS[:1], "marker": {"size": [6]}}
    assert 'class="points" stroke="var(--c1)" opacity="1" d="M500 50h0"' in svg_of(figure(one, **day))
    bar = bars(19, opacity=[1]) | {"x": DAYS[:1]}
    assert drawn_bars(svg_of(figure(bar, **day))) == [("--c0", "1", "M250 1000V50h500V1000z")]


@pytest.mark.parametrize(
    ("largest", "form", "highest"),
    [(8.5e14, ",~r", "800,000,000,000,000"), (8.5e14, "~s", "800T"), (1.9e-8, "~s", "20n")],
)
def test_the_largest_and_the_smallest_amounts_have_their_texts(largest: float, form: str, highest: str) -> None:
    svg = svg_of(figure(line(0, 0, 0, largest), yaxis={"tickformat": form}))
    assert f">{highest}</text>" in svg


def test_a_threshold_which_may_be_above_all_amounts_is_left_to_plotly() -> None:
    threshold = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 900, "y1": 900, "line": {"color": "--error"}}
    whole = figure(bars(1, 2, 3, 4), shapes=[threshold])
    assert svg_of(whole) == ""
    assert "range" not in whole["layout"]["yaxis"]


@pytest.mark.parametrize(
    "series",
    [
        bars(1, 2, 3, 4, pattern={"shape": "/"}),
        line(1, 2, 3, 4, fill="tonexty"),
        line(1, 2, 3, 4, stackgroup="all"),
        line(1, 2, 3, 4, line={"color": "--c1", "width": 1, "shape": "hvh"}),
        bars(1, 2, 3, 4) | {"offset": 0},
        line(1, 2, 3, -4),
        line(-1, -2, None, -4),
        bars(3, -1, 2, 0),
        bars(0, 0, 0, 0),
        line(0, 0, None, 0),
        bars(None, None, None, None),
        line(None, None, None, None),
        line(1, float("nan"), 2, 3),
        line(float("nan"), 1, 2, 3),
        bars(1, 2, float("nan"), 3),
        line(1, float("inf"), 2, 3),
        bars(1, 2, 3, float("-inf")),
        bars(1e308, 1e308, 0, 0),
        line(1, 2, 3, 1e200),
        line(0, 0, 0, 5e-324),
    ],
)
def test_what_only_plotly_draws_is_left_to_it(series: dict[str, Any]) -> None:
    whole = figure(series)
    assert svg_of(whole) == ""
    assert "range" not in whole["layout"]["yaxis"]
