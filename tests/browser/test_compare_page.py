"""Two slices side by side and an experiment, by mouse, by keyboard and on a phone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from insights.experiments.models import Experiment
from insights.experiments.verdicts import evaluate
from tests.browser.steps import LONG_MS, cells, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.browser.test_phone import LONG_NAME, OVERHANGING
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def two_models(tenant: Tenant, large: str = "large") -> None:
    """Stores 150 calls of each model: those of the large one cost about twice as much."""
    now = datetime.now(UTC) - timedelta(hours=1)
    rows = [
        a_row(
            now - timedelta(seconds=place),
            model=model,
            cost_usd=Decimal(factor * (2 + place % 3)) / 100,
            input_tokens=100,
            output_tokens=20,
            latency_ms=float(factor * (100 + place % 50)),
            labels={"variant": model},
        )
        for model, factor in (("small", 1), (large, 2))
        for place in range(150)
    ]
    writer.store(tenant.workspace.id, rows)


def test_two_models_are_chosen_and_compared(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    two_models(tenant)
    open_page(page, live_server, tenant, "insights")
    page.get_by_role("navigation", name="Insights").get_by_role("link", name="Compare").click()
    page.wait_for_url("**/insights/compare?**")
    heading = page.locator("#panel-compare h2")
    expect(heading).to_contain_text("Cost per call of ", timeout=LONG_MS)
    page.get_by_text("Choose the slices").click()
    page.locator("[name=a_by]").fill("model")
    page.locator("[name=a_value]").fill("small")
    page.locator("[name=b_by]").fill("model")
    page.locator("[name=b_value]").fill("large")
    page.get_by_role("button", name="Show these").press("Enter")
    page.wait_for_url("**a=model%3Asmall**")
    expect(heading).to_contain_text("Cost per call of large is 100 % higher than that of small", timeout=LONG_MS)
    assert cells(page, "compare", "Calls")[:3] == ["Calls", "150", "150"]
    assert page.locator("#panel-compare .span").count() > 8
    page.locator("#panel-compare thead a").first.click()
    page.wait_for_url("**/dashboard/traces?**model=small**")
    assert complaints == []


def test_a_comparison_becomes_an_experiment_with_a_verdict(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    two_models(tenant)
    slices = "&a=label.variant:small&b=label.variant:large"
    open_page(page, live_server, tenant, "insights/compare", slices)
    link = page.get_by_role("link", name="make an experiment")
    expect(link).to_be_visible(timeout=LONG_MS)
    link.click()
    page.wait_for_url("**/experiments/new?**")
    page.get_by_label("Name", exact=True).fill("Large or small")
    page.get_by_label("Begins at").fill(
        (datetime.now(tenant.workspace.zone) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    )
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("h1")).to_have_text("Large or small")
    expect(page.locator("#verdict")).to_contain_text("Nothing is counted yet")
    evaluate(Experiment.objects.select_related("workspace").get(), datetime.now(UTC))
    page.reload()
    expect(page.locator("#verdict")).to_contain_text("Cost per call of large is 100 % higher than that of small")
    expect(page.get_by_text("It ended as there was a verdict.")).to_be_visible()
    page.get_by_text("Delete this experiment").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("There is no experiment.")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_the_pages_are_accessible_and_fit(
    page: Page, live_server: Any, tenant: Tenant, scheme: Any, viewport: ViewportSize
) -> None:
    two_models(tenant, LONG_NAME)
    start = datetime.now(UTC) - timedelta(hours=3)
    made = Experiment.objects.create(
        workspace=tenant.workspace,
        name=LONG_NAME,
        slices=[{"dimension": "label.variant", "value": "small"}, {"dimension": "label.variant", "value": LONG_NAME}],
        measures=["cost_per_call_usd", "error_rate"],
        started_at=start,
        filled_until=start,
    )
    evaluate(made, datetime.now(UTC))
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for name in ("compare", "experiments", f"experiments/{made.pk}", "experiments/new"):
        open_page(page, live_server, tenant, f"insights/{name}")
        wait_until_drawn(page)
        if name == "compare":
            expect(page.locator("#panel-compare tbody tr").first).to_be_visible(timeout=LONG_MS)
        assert violations(page) == [], name
        if viewport == PHONE:
            assert page.evaluate(OVERHANGING) == [], name
