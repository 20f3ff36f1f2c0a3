"""The page of a dashboard in a browser: reading it, and building it by mouse and by keyboard."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from dashboards.models import Dashboard
from tests.browser.steps import LONG_MS, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, fill, violations
from tests.browser.test_weight import SHIFTS
from tests.dashboards.boards import a_board, a_panel, every_kind
from tests.dashboards.dashboards import a_caller, a_link
from tests.tenant import Tenant
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def open_board(page: Page, live_server: Any, tenant: Tenant, board: Dashboard, query: str = "") -> None:
    page.goto(f"{live_server.url}/dashboard/dashboards/{board.pk}?workspace={tenant.workspace.id}{query}")


def calls_of_customers(tenant: Tenant) -> None:
    """Stores $3 of acme and $1 of globex by the agent sales, $2 of acme in the month before, and $50 of support."""
    now = datetime.now(UTC)
    for customer, agent, cost, days in (
        ("acme", "sales", "3", 1),
        ("globex", "sales", "1", 2),
        ("acme", "sales", "2", 40),
        ("acme", "support", "50", 1),
    ):
        tenant.calls(1, now - timedelta(days=days), agent_id=agent, cost_usd=cost, labels={"customer": customer})


class Counted:
    """Counts the clicks and keys that a person needs."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def click(self, selector: str, text: str | None = None) -> None:
        self.page.locator(selector, has_text=text).first.click(timeout=LONG_MS)
        self.count += 1

    def choose(self, selector: str, label: str) -> None:
        """Chooses from a list: a click opens it, and one chooses."""
        self.page.locator(selector).select_option(label=label)
        self.count += 2

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)
        self.count += times

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.count += len(text)


def expect_answer(page: Page) -> None:
    """Expects cost by customer of the agent sales in the last 30 days, beside the 30 days before."""
    lines = page.locator(".kind-horizontal_bars tbody tr")
    expect(lines.first).to_contain_text("$2.00", timeout=LONG_MS)
    texts = [" ".join(text.split()) for text in lines.all_inner_texts()]
    assert texts == ["acme $3.00 $2.00", "globex $1.00 $0.00"]


def test_twelve_clicks_show_the_cost_of_an_agents_customers_beside_last_month(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    calls_of_customers(tenant)
    board = a_board(tenant)
    open_board(page, live_server, tenant, board)
    mouse = Counted(page)
    mouse.click(".board-empty .button")
    mouse.click(".gallery label", "Horizontal bars")
    expect(page.locator("#panel-preview .ranking")).to_be_visible(timeout=LONG_MS)
    mouse.choose("#dimension-0", "customer")
    mouse.click("#filter-value-0")
    expect(page.locator("#filter-values-0 option[value=sales]")).to_be_attached(timeout=LONG_MS)
    page.locator("#filter-value-0").fill("sales")  # what a click on the offered value writes
    mouse.count += 1
    mouse.choose("#panel-compare", "the window before")
    mouse.click("[data-apply]")
    mouse.click("[data-do=save]:enabled")
    page.wait_for_url(lambda url: "edit" not in url)
    mouse.click("#time-range a", "30d")
    expect_answer(page)
    assert mouse.count <= 12
    board.refresh_from_db()
    assert board.revision == 2
    assert complaints == []


def test_forty_keys_do_the_same(page: Page, live_server: Any, tenant: Tenant, complaints: list[str]) -> None:
    calls_of_customers(tenant)
    open_board(page, live_server, tenant, a_board(tenant))
    keys = Counted(page)
    keys.press("a")
    expect(page.locator("[name=kind]:focus")).to_have_value("line", timeout=LONG_MS)
    keys.press("ArrowRight", 5)
    expect(page.locator("[name=kind]:focus")).to_have_value("horizontal_bars", timeout=LONG_MS)
    expect(page.locator("#dimension-0")).to_have_value("agent_id", timeout=LONG_MS)
    keys.press("Tab", 3)
    expect(page.locator("#dimension-0")).to_be_focused()
    keys.type("cu")
    expect(page.locator("#dimension-0")).to_have_value("label.customer")
    keys.press("Tab", 4)
    expect(page.locator("#filter-value-0")).to_be_focused()
    keys.type("sales")
    keys.press("Tab", 2)
    expect(page.locator("#panel-compare")).to_be_focused()
    keys.type("t")
    expect(page.locator("#panel-compare")).to_have_value("previous")
    keys.press("Enter")
    expect(page.locator("[data-do=save]")).to_be_enabled(timeout=LONG_MS)
    keys.press("Control+s")
    keys.count += 1
    page.wait_for_url(lambda url: "edit" not in url)
    wait_until_drawn(page)
    keys.press("4")
    expect_answer(page)
    assert keys.count <= 40
    assert complaints == []


def signed_in(page: Page, live_server: Any, tenant: Tenant) -> None:
    """Signs an editor in. The pages of an open workspace need no token against forged requests, those of members do."""
    editor = a_caller(Role.EDITOR, tenant.workspace)
    session = editor.client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])


def test_an_editor_who_is_signed_in_adds_a_panel_and_saves_it(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    signed_in(page, live_server, tenant)
    board = a_board(tenant, a_panel("number"))
    open_board(page, live_server, tenant, board, "&edit=1")
    page.locator("[data-do=add]").click()
    page.locator("[data-apply]").click(timeout=LONG_MS)
    page.locator("[data-do=save]:enabled").click(timeout=LONG_MS)
    page.wait_for_url(lambda url: "edit" not in url)
    board.refresh_from_db()
    assert [(one["kind"], one["place"]["x"]) for one in board.document["panels"]] == [("number", 0), ("line", 6)]
    assert complaints == []


def test_arrow_keys_move_and_resize_a_panel_and_undo_takes_it_back(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    board = a_board(tenant, a_panel("number"), a_panel("number", "p2", y=6))
    open_board(page, live_server, tenant, board, "&edit=1")
    page.locator("[data-panel=p1] [data-move]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#said")).to_have_text("Calls: column 2, row 2, 7 wide, 6 high", timeout=LONG_MS)
    page.locator("[data-do=undo]").click()
    page.locator("[data-do=save]").click()
    page.wait_for_url(lambda url: "edit" not in url)
    board.refresh_from_db()
    assert [one["place"] for one in board.document["panels"]] == [
        {"x": 1, "y": 0, "width": 7, "height": 6},
        {"x": 0, "y": 6, "width": 6, "height": 6},
    ]


def test_a_drag_moves_a_panel_and_pushes_others_down(page: Page, live_server: Any, tenant: Tenant) -> None:
    board = a_board(tenant, a_panel("number"), a_panel("number", "p2", y=6))
    open_board(page, live_server, tenant, board, "&edit=1")
    handle = page.locator("[data-panel=p2] [data-move]")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] - 4 * 56, steps=5)
    page.mouse.up()
    page.locator("[data-do=save]").click()
    page.wait_for_url(lambda url: "edit" not in url)
    board.refresh_from_db()
    assert {one["id"]: one["place"]["y"] for one in board.document["panels"]} == {"p1": 8, "p2": 2}


def test_of_two_editors_the_second_hears_who_was_first_and_saves_a_copy(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    board = a_board(tenant, a_panel("number"))
    open_board(page, live_server, tenant, board, "&edit=1")
    Dashboard.objects.filter(pk=board.pk).update(revision=7, changed_by="grace")
    page.locator("[data-panel=p1] [data-move]").focus()
    page.keyboard.press("ArrowRight")
    page.locator("[data-do=save]").click()
    expect(page.locator("#conflict")).to_contain_text("grace has changed this dashboard", timeout=LONG_MS)
    page.locator("[data-do=copy]").click()
    page.wait_for_url(lambda url: str(board.pk) not in url)
    expect(page.locator("h1")).to_have_text("On call (mine)")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_every_kind_is_drawn_without_a_serious_violation_and_moves_nothing(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: ViewportSize
) -> None:
    fill(tenant)
    board = a_board(tenant, *every_kind())
    page.add_init_script(SHIFTS)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    open_board(page, live_server, tenant, board)
    wait_until_drawn(page)
    assert page.evaluate("window.shifted") == []
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    open_board(page, live_server, tenant, board, "&edit=1&panel=line")
    wait_until_drawn(page)
    expect(page.locator("#panel-preview .main-svg").first).to_be_visible(timeout=LONG_MS)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_a_click_on_a_value_narrows_the_page_and_a_variable_is_chosen_from_a_list(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    now = datetime.now(UTC)
    tenant.calls(3, now, agent_id="sales", labels={"customer": "acme"})
    tenant.calls(1, now, agent_id="support", labels={"customer": "globex"})
    variables = [{"name": "customer", "dimension": "label.customer", "title": "Customer"}]
    panels = [a_panel("number", title="Calls of $customer"), a_panel("horizontal_bars", "p2", y=6, by=["agent_id"])]
    open_board(page, live_server, tenant, a_board(tenant, *panels, variables=variables))
    figure = page.locator(".kind-number .value")
    expect(figure).to_have_text("4", timeout=LONG_MS)
    page.locator(".ranking a", has_text="sales").click()
    expect(figure).to_have_text("3", timeout=LONG_MS)
    page.locator("#variable-customer summary").click()
    page.locator("#variable-customer .choice", has_text="acme").click()
    expect(page.locator(".kind-number h2")).to_have_text("Calls of acme", timeout=LONG_MS)
    expect(figure).to_have_text("3", timeout=LONG_MS)
    assert "var.customer=acme" in page.url
    assert "agent_id=sales" in page.url


def test_the_full_screen_has_only_panels_and_escape_leaves_it(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(2, datetime.now(UTC))
    open_board(page, live_server, tenant, a_board(tenant, a_panel("number")), "&screen=full&theme=dark")
    expect(page.locator(".kind-number .value")).to_have_text("2", timeout=LONG_MS)
    expect(page.locator(".nav")).to_be_hidden()
    expect(page.locator(".bar")).to_be_hidden()
    assert page.evaluate("[getComputedStyle(document.body).cursor, document.documentElement.dataset.theme]") == [
        "none",
        "dark",
    ]
    page.keyboard.press("Escape")
    expect(page.locator(".nav")).to_be_visible(timeout=LONG_MS)


def test_a_public_link_draws_the_panels(page: Page, live_server: Any, tenant: Tenant, complaints: list[str]) -> None:
    tenant.calls(2, datetime.now(UTC))
    board = a_board(tenant, a_panel("number"), a_panel("line", "p2", y=6))
    link = a_link(a_caller(Role.OWNER, tenant.workspace), {"id": board.pk})
    page.goto(live_server.url + link["url"][link["url"].index("/d/") :])
    expect(page.locator(".kind-number .value")).to_have_text("2", timeout=LONG_MS)
    expect(page.locator(".main-svg").first).to_be_visible(timeout=LONG_MS)
    assert complaints == []
