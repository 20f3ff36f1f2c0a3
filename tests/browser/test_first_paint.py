"""Tests what a page shows before its scripts run, and how Plotly takes the place of the server's drawings."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from analytics import first_view
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.tenant import Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

# No tick is so near that its text does not fit: Plotly hides it then, and the server does about there.
END = datetime(2026, 7, 22, 12, tzinfo=UTC)
CHARTS = "#panel-usage-calls-over-time .chart, #panel-usage-tokens .chart"
PLACES = """
() => [...document.querySelectorAll(".panel, .chart, .sentence, .card, #foot")].map((element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return [element.id || element.className, x, y + scrollY, width, height];
})
"""
# Plotly writes the two lines of a time as parts of one text.
TEXTS = """
() => [...document.querySelectorAll("#chart-calls-over-time :is(text:not(:has(tspan)), tspan)")]
  .filter((text) => text.checkVisibility() && text.textContent)
  .map((text) => [text.textContent, text.getBoundingClientRect()])
  .filter(([, { width }]) => width)
  .map(([text, { x, y, width, height }]) => [text, x + width / 2, y + scrollY + height / 2])
  .sort(([one, x], [other, otherX]) => x - otherX || (one < other ? -1 : 1))
"""
BARS = """
() => [...document.querySelectorAll("#chart-calls-over-time path")]
  .filter((path) => path.checkVisibility() && getComputedStyle(path).fill === "rgb(136, 132, 216)")
  .map((path) => path.getBoundingClientRect()).filter(({ height }) => height > 0.5)
  .reduce(([left, top, bottom], box) => [
    Math.min(left, box.x), Math.min(top, box.y + scrollY), Math.max(bottom, box.bottom + scrollY),
  ], [1e9, 1e9, 0])
"""


# Of each row of pixels of a picture of a chart, how many have the colour of bars; a picture is a data address.
ROWS = """
async (address) => {
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  const { width, height } = picture;
  const canvas = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);
  return [...Array(height).keys()].map((row) => {
    let count = 0;
    for (let at = row * width * 4; at < (row + 1) * width * 4; at += 4)
      count += data[at] === 136 && data[at + 1] === 132 && data[at + 2] === 216;
    return count;
  });
}
"""


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_view, "SECONDS", 60)


@pytest.fixture
def calls(tenant: Tenant) -> None:
    for hours in (1, 30, 80):
        at = datetime.now(UTC) - timedelta(hours=hours)
        tenant.calls(hours, at, user_id="ada", cost_usd="2", latency_ms=900.0, input_tokens=10, output_tokens=5)


def without_plotly(page: Page) -> list[str]:
    """Lets no browser have Plotly, and returns the list of requests for it."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/plotly.min*.js", refuse)
    return asked


def test_without_scripts_a_page_has_its_figures_and_charts(
    browser: Browser, live_server: Any, tenant: Tenant, calls: None
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(LONG_MS)
    page = context.new_page()
    open_page(page, live_server, tenant, "usage")
    expect(page.locator(".card", has_text="Total calls").locator(".value")).to_have_text("1")
    expect(page.locator("#panel-usage-top-users tbody tr")).to_have_count(1)
    expect(page.locator(CHARTS).locator("svg .bars").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    context.close()


def without_scripts(page: Page, live_server: Any, tenant: Tenant) -> Callable[[], None]:
    """Opens a page whose scripts do not run before the function that is returned is called."""
    held: list[Route] = []
    page.route("**/htmx-2*.js", lambda route: held.append(route))
    with page.expect_response("**/early*.js"):
        page.goto(f"{live_server.url}/dashboard/usage?workspace={tenant.workspace.id}", wait_until="commit")

    def run() -> None:
        assert len(held) == 1
        held[0].continue_()

    return run


def test_a_menu_that_is_opened_before_the_scripts_run_gets_its_values(
    page: Page, live_server: Any, tenant: Tenant, calls: None
) -> None:
    run_scripts = without_scripts(page, live_server, tenant)
    menu = page.locator(".filter", has=page.locator("summary", has_text="Model"))
    menu.locator("summary").click()
    expect(menu.locator(".choices")).to_have_text("Loading")
    expect(menu.locator("input")).not_to_be_focused()
    run_scripts()
    expect(menu.locator(".choices a", has_text="gpt-4o")).to_be_visible(timeout=LONG_MS)
    expect(menu.locator("input")).to_be_focused()


def test_a_button_that_is_clicked_before_the_scripts_run_does_its_work_then(
    page: Page, live_server: Any, tenant: Tenant, calls: None
) -> None:
    run_scripts = without_scripts(page, live_server, tenant)
    pause = page.locator("[data-pause]")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "false")
    run_scripts()
    expect(pause).to_have_attribute("aria-pressed", "true", timeout=LONG_MS)


def test_the_panels_of_a_page_are_not_asked_for_again_before_they_are_due(
    page: Page, live_server: Any, tenant: Tenant, calls: None
) -> None:
    page.add_init_script("window.setInterval = () => 0;")  # nothing is ever due
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    expect(page.locator(".live [data-age]")).to_contain_text("updated", timeout=LONG_MS)
    assert asked == []
    page.locator("[data-refresh]").click()
    page.wait_for_load_state("networkidle")
    assert any("/usage/overview" in url for url in asked)


def test_a_poll_renews_a_chart_that_plotly_has_not_drawn(
    page: Page, live_server: Any, tenant: Tenant, calls: None, always_renewed: None
) -> None:
    without_plotly(page)
    open_page(page, live_server, tenant, "usage", "&range=7d")
    ticks = page.locator("#chart-calls-over-time .amounts text")
    expect(ticks.last).to_have_text("80")
    tenant.calls(500, datetime.now(UTC) - timedelta(hours=80))
    page.locator("[data-refresh]").click()
    expect(ticks.last).to_have_text("600", timeout=LONG_MS)


def test_plotly_is_loaded_when_somebody_comes_near_a_chart_or_the_page_has_time(
    page: Page, live_server: Any, tenant: Tenant, calls: None
) -> None:
    # Else the page has time at once.
    page.add_init_script("window.requestIdleCallback = (work) => { window.whenIdle = work; };")
    open_page(page, live_server, tenant, "usage")
    expect(page.locator(CHARTS).locator(".drawn")).to_have_count(2)
    page.wait_for_function("() => window.whenIdle")
    assert page.evaluate("typeof window.Plotly") == "undefined"
    page.locator(CHARTS).first.hover()
    expect(page.locator(CHARTS).first.locator(".main-svg").first).to_be_visible(timeout=LONG_MS)
    expect(page.locator(CHARTS).first.locator(".drawn")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("days", [30, 7, 1])
def test_nothing_moves_when_plotly_takes_over(
    page: Page, live_server: Any, tenant: Tenant, width: int, days: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for hours in (1, 30, 80):
        tenant.calls(hours, END - timedelta(hours=hours), cost_usd="2", input_tokens=10, output_tokens=5)
    asked = without_plotly(page)
    window = {"start": iso(END - timedelta(days=days)), "end": iso(END)}
    open_page(page, live_server, tenant, "usage", f"&{urlencode(window)}")
    expect(page.locator(CHARTS).locator(".drawn")).to_have_count(2, timeout=LONG_MS)
    page.wait_for_load_state("networkidle")
    places, texts, bars = page.evaluate(PLACES), page.evaluate(TEXTS), page.evaluate(BARS)
    assert asked
    page.unroute("**/plotly.min*.js")
    page.evaluate("loadPlotly()")
    wait_until_drawn(page)
    expect(page.locator(".drawn")).to_have_count(0, timeout=LONG_MS)
    assert page.evaluate(PLACES) == places
    assert page.evaluate(BARS) == pytest.approx(bars, abs=1)
    later = page.evaluate(TEXTS)
    assert [text for text, *_ in later] == [text for text, *_ in texts]
    for (_, *place), (_, *before) in zip(later, texts, strict=True):
        assert place == pytest.approx(before, abs=1)


def coloured_rows(page: Page) -> list[int]:
    """Returns of each row of pixels of the chart of calls how many have the colour of its bars."""
    picture = b64encode(page.locator("#chart-calls-over-time").screenshot()).decode()
    rows: list[int] = page.evaluate(ROWS, f"data:image/png;base64,{picture}")
    return rows


def test_bars_that_are_lower_than_a_pixel_are_seen_where_plotly_draws_them(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    for days, count in enumerate((1, 1, 1, 1, 1, 1000)):
        tenant.calls(count, END - timedelta(days=days, hours=1), input_tokens=10, output_tokens=5)
    without_plotly(page)
    window = {"start": iso(END - timedelta(days=7)), "end": iso(END), "granularity": "daily"}
    open_page(page, live_server, tenant, "usage", f"&{urlencode(window)}")
    expect(page.locator(CHARTS).locator(".drawn")).to_have_count(2, timeout=LONG_MS)
    page.wait_for_load_state("networkidle")
    before = coloured_rows(page)
    page.unroute("**/plotly.min*.js")
    page.evaluate("loadPlotly()")
    wait_until_drawn(page)
    assert coloured_rows(page) == pytest.approx(before, abs=10)  # the sides of bars are not on whole pixels
    assert max(before) > 3 * sorted(before)[-2]


def test_a_reader_who_has_chosen_lines_sees_lines(page: Page, live_server: Any, tenant: Tenant, calls: None) -> None:
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    page.evaluate("localStorage.setItem('charts panel-usage-tokens', JSON.stringify({ kind: 'lines' }))")
    page.reload()
    wait_until_drawn(page)
    kinds = page.evaluate("document.querySelector('#panel-usage-tokens .chart').data.map(({ type }) => type)")
    assert set(kinds) == {"scatter"}


def test_a_picture_is_taken_of_a_chart_that_plotly_has_not_drawn(
    page: Page, live_server: Any, tenant: Tenant, calls: None
) -> None:
    page.add_init_script("window.requestIdleCallback = () => 0;")
    open_page(page, live_server, tenant, "usage")
    page.locator("#panel-usage-tokens .take summary").click()
    with page.expect_download() as download:
        page.locator("#panel-usage-tokens [data-picture=svg]").click()
    assert "Tokens over time" in download.value.path().read_text()


def test_a_picture_that_cannot_be_taken_says_so_and_the_next_one_is_taken(
    page: Page, live_server: Any, tenant: Tenant, calls: None
) -> None:
    asked = without_plotly(page)
    open_page(page, live_server, tenant, "usage")
    panel = page.locator("#panel-usage-tokens")
    panel.locator(".take summary").click()
    panel.locator("[data-picture=svg]").click()
    expect(panel.locator(".panel-error")).to_contain_text("The picture cannot be made right now.")
    assert asked
    page.unroute("**/plotly.min*.js")
    panel.locator(".take summary").click()
    with page.expect_download() as download:
        panel.locator("[data-picture=svg]").click()
    assert "Tokens over time" in download.value.path().read_text()
