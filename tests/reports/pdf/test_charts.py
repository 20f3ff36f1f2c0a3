"""Drawings of charts: straight, from zero, and with texts that do not touch."""

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from reports.document import Chart, Line, Series
from reports.pdf.charts import MUTED, Drawing, drawing, scale_of
from tests.reports.pdf.samples import DAYS, SCRIPTS, ZONE, charts

WIDTH = 240.0
SVG = "{http://www.w3.org/2000/svg}"


def drawn(form, values, **changes):
    series = changes.pop("series", [Series("One", values, "#5b54c9")])
    chart = Chart(form, "Chart", DAYS[: len(values)], series, "usd", granularity="daily")
    return drawing(chart._replace(**changes), ZONE, WIDTH)


def shapes(made: Drawing, name: str) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(made.svg)  # noqa: S314
    return [shape for shape in found if shape.tag == SVG + name]


def numbers(shape: ElementTree.Element, *names: str) -> list[float]:
    return [float(shape.attrib[name]) for name in names]


def texts(made: Drawing) -> list[str]:
    return [label.text for label in made.labels]


def test_amounts_begin_at_zero():
    made = drawn("lines", [90.0, 100, 95])
    assert {"$0", "$25", "$50", "$75", "$100"} <= set(texts(made))


def test_amounts_below_zero_have_ticks_too():
    assert scale_of((-30, 100), 100, "usd").ticks == [-50, 0, 50, 100]


def test_few_calls_have_whole_ticks():
    assert scale_of((0, 3), 100, "count").ticks == [0, 1, 2, 3]


def test_an_axis_without_calls_is_no_error():
    assert scale_of((0, 0), 100, "usd").ticks[0] == 0


def test_lines_are_straight_and_have_gaps():
    made = drawn("lines", [1.0, 2, None, 3, None, 4, 5])
    paths = [path.attrib["d"] for path in shapes(made, "path")]
    assert len(paths) == 2
    assert all(re.fullmatch(r"M[\d. ]+(L[\d. ]+)+", path) for path in paths)
    assert len(shapes(made, "circle")) == 1


def test_steps_stay_flat_over_a_bucket():
    [path] = shapes(drawn("stepped", [1.0, 2]), "path")
    points = [point.split(" ") for point in path.attrib["d"][1:].split("L")]
    assert [y for _, y in points[:2]] == [points[0][1]] * 2
    assert points[1][0] == points[2][0]


def test_stacked_bars_stand_on_each_other():
    series = [Series("One", [1.0], "#111111"), Series("Two", [3.0], "#222222")]
    low, high = shapes(drawn("stacked_bars", [1.0], series=series), "rect")
    (y, height), (other_y, other_height) = numbers(low, "y", "height"), numbers(high, "y", "height")
    assert other_y + other_height == pytest.approx(y, abs=0.02)
    assert other_height == pytest.approx(3 * height, abs=0.05)
    assert (low.attrib["fill"], high.attrib["fill"]) == ("#111111", "#222222")


def test_bars_of_two_series_stand_beside_each_other():
    series = [Series("One", [1.0], "#111111"), Series("Two", [3.0], "#222222")]
    (x, wide), (other_x, _) = (
        numbers(bar, "x", "width") for bar in shapes(drawn("bars", [1.0], series=series), "rect")
    )
    assert other_x == pytest.approx(x + wide, abs=0.02)


def test_the_window_before_is_dashed_and_pale():
    series = [Series("Now", [1.0, 2], "#111111"), Series("Before", [2.0, 1], "#222222", is_before=True)]
    [path] = shapes(drawn("bars", [1.0, 2], series=series), "path")
    assert path.attrib["stroke"] == MUTED
    assert path.attrib["stroke-dasharray"]
    assert float(path.attrib["stroke-opacity"]) < 1


def test_a_budget_is_a_line_with_its_name():
    assert "Budget $30.00" in texts(drawn("bars", [1.0], lines=[Line("Budget", 30)]))


def test_names_of_the_same_colour_have_patterns():
    series = [Series("One", [1.0], "#111111"), Series("Two", [3.0], "#111111", pattern=1)]
    fills = [bar.attrib["fill"] for bar in shapes(drawn("stacked_bars", [1.0], series=series), "rect")]
    assert fills == ["#111111", "#111111", "url(#p1)"]


def test_a_chart_without_values_says_so():
    assert texts(drawn("lines", [None, None])) == ["Nothing in this window."]
    assert texts(drawn("horizontal_bars", [], series=[])) == ["Nothing in this window."]


def test_a_colour_is_never_markup():
    made = drawn("bars", [1.0], series=[Series("One", [1.0], '"/><script>')])
    assert "<script>" not in made.svg
    ElementTree.fromstring(made.svg)  # noqa: S314


@pytest.mark.parametrize("chart", charts(), ids=lambda chart: chart.form)
@pytest.mark.parametrize("width", [240.0, 500.0])
def test_labels_stay_in_the_drawing_and_apart(chart, width):
    made = drawing(chart._replace(lines=[Line("Budget", 13), Line("Goal", 12.9)]), ZONE, width)
    for label in made.labels:
        assert label.x >= 0
        assert label.x + label.width <= made.width + 0.01
        assert -0.01 <= label.y <= made.height
    for one, other in combinations(made.labels, 2):
        if one.align == other.align == "center" or one.color == other.color != MUTED:
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            upright = min(one.y, other.y) + 9 - max(one.y, other.y)
            assert across < 0.01 or upright < 0.01


def test_a_year_of_hours_is_drawn():
    hours = [float(hour % 24) for hour in range(24 * 30)]
    axis = [DAYS[hour // 24] for hour in range(24 * 30)]
    chart = Chart("bars", "Calls", axis, [Series("Calls", hours, "#8884d8")], "count", granularity="hourly")
    assert len(texts(drawing(chart, ZONE, WIDTH))) < 20


def test_long_names_of_bars_lose_their_middle():
    chart = Chart("horizontal_bars", "C", ["a" * 200, *SCRIPTS], [Series("S", [1.0] * 11, "#111111")], "usd")
    assert re.fullmatch("a+…a+", texts(drawing(chart, ZONE, WIDTH))[0])
