"""The panels of dashboards: what each asks, what it shows, and what it says when it cannot."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from dashboards.models import Dashboard
from dashboards.panels import kinds
from dashboards.templatetags.dashboards import ends
from tests.alerts.rules import a_rule
from tests.dashboards.boards import a_board, a_panel, panel_path
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
NEEDS = {
    "donut": {"by": ["model"]},
    "horizontal_bars": {"by": ["model"]},
    "text": {"text": "Runbook: https://example.com/run, then call."},
}


def ask(tenant: Tenant, dashboard: Dashboard, panel_id: str = "p1", expect: int = 200, **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(panel_path(dashboard, panel_id), WINDOW | query)
    assert response.status_code == expect, response.content
    return response.json()


def html(tenant: Tenant, dashboard: Dashboard, panel_id: str = "p1", expect: int = 200, **query: Any) -> str:
    cache.clear()
    address = f"http://testserver/dashboard/dashboards/{dashboard.pk}?workspace={tenant.workspace.id}"
    headers = {"HX-Request": "true", "HX-Current-URL": address}
    response = tenant.client.get(panel_path(dashboard, panel_id), WINDOW | query, headers=headers)
    assert response.status_code == expect, response.content
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("kind", kinds())
def test_each_kind_shows_its_answer_with_and_without_calls(tenant: Tenant, kind: str) -> None:
    board = a_board(tenant, a_panel(kind, **NEEDS.get(kind, {})))
    empty = ("no budget", "has none yet") if kind == "budget" else ("No call", "No trace", "Runbook", "No rule", ">0<")
    assert any(words in html(tenant, board, expect=422 if kind == "budget" else 200) for words in empty)
    tenant.calls(3, latency_ms=900.0, cost_usd="0.5")
    if kind != "budget":
        assert html(tenant, board)
        assert ask(tenant, board)


def test_a_panel_answers_as_the_query_does(tenant: Tenant) -> None:
    tenant.calls(3, model="a", cost_usd="1")
    tenant.calls(1, model="b", cost_usd="5")
    board = a_board(tenant, a_panel("table", measures=["cost_usd", "calls"], by=["model"]))
    found = ask(tenant, board)
    assert [(row["model"], row["cost_usd"], row["calls"]) for row in found["data"]] == [("b", 5, 1), ("a", 3, 3)]
    assert found == tenant.ask("query", measures="cost_usd,calls", by="model")


def test_panels_with_equal_questions_share_one_answer(tenant: Tenant) -> None:
    """A number and a line ask for the same buckets; neither the limit nor the order matters without a dimension."""
    tenant.calls(3, cost_usd="1")
    board = a_board(
        tenant,
        a_panel("number", measures=["cost_usd"], limit=3),
        a_panel("stepped", "p2", y=6, measures=["cost_usd"], order="cost_usd", limit=50, title="Other words"),
    )
    cache.clear()
    first, second = (tenant.client.get(panel_path(board, name), {"range": "7d"}) for name in ("p1", "p2"))
    assert (first["X-Cache"], second["X-Cache"]) == ("miss", "hit")
    assert first.json() == second.json()


def test_the_page_and_the_panel_filter_together(tenant: Tenant) -> None:
    tenant.calls(1, agent_id="sales", model="a")
    tenant.calls(2, agent_id="sales", model="b")
    tenant.calls(4, agent_id="support", model="a")
    board = a_board(tenant, a_panel("number", filters={"agent_id": ["sales"]}))
    assert ask(tenant, board)["totals"]["calls"] == 3
    assert ask(tenant, board, model="a")["totals"]["calls"] == 1
    assert ask(tenant, board, agent_id="support")["totals"]["calls"] == 0


def test_a_variable_narrows_every_panel_and_stands_in_titles(tenant: Tenant) -> None:
    tenant.calls(1, labels={"customer": "acme"})
    tenant.calls(2, labels={"customer": "globex"})
    variables = [{"name": "customer", "dimension": "label.customer", "default": ["acme"]}]
    board = a_board(tenant, a_panel("number", title="Calls of $customer, $5"), variables=variables)
    assert ask(tenant, board)["totals"]["calls"] == 1
    assert ask(tenant, board, **{"var.customer": "globex"})["totals"]["calls"] == 2
    assert ask(tenant, board, **{"var.customer": ""})["totals"]["calls"] == 3
    for query, title in (("", "acme"), ("&var.customer=globex", "globex"), ("&var.customer=", "all")):
        assert f"Calls of {title}, $5" in page(tenant, board, query)


def page(tenant: Tenant, dashboard: Dashboard, query: str = "") -> str:
    path = f"/dashboard/dashboards/{dashboard.pk}?workspace={tenant.workspace.id}{query}"
    return tenant.client.get(path).content.decode()


def test_one_failing_panel_says_why_and_harms_no_other(tenant: Tenant) -> None:
    tenant.calls(3)
    good, bad, gone = a_panel("number"), a_panel(panel_id="p2", y=6), a_panel("budget", "p3", y=12)
    board = a_board(tenant, good, bad, gone | {"budget_id": "00000000-0000-4000-8000-000000000000"})
    board.document["panels"][1]["measures"] = ["callls"]
    board.save()
    assert "This panel cannot be drawn. measures[0]: unknown measure" in page(tenant, board)
    assert ask(tenant, board, "p2", expect=422)["detail"].startswith("This panel cannot be drawn. measures[0]: unknown")
    assert "There is no such budget in this workspace." in html(tenant, board, "p3", expect=422)
    assert ask(tenant, board)["totals"]["calls"] == 3


def test_a_chart_of_two_units_says_so_in_its_place(tenant: Tenant) -> None:
    board = a_board(tenant, a_panel(measures=["cost_usd", "calls"]))
    assert "one chart shows one unit, and these are different: Cost USD (USD) and Calls (count)" in html(
        tenant, board, expect=422
    )


def test_percentiles_are_not_stacked(tenant: Tenant) -> None:
    board = a_board(tenant, a_panel("stacked_bars", measures=["p95_latency_ms"], by=["model"]))
    assert "P95 latency does not add up over groups" in html(tenant, board, expect=422)


def figure(text: str) -> Any:
    return json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])


def test_a_line_has_the_earlier_window_dashed_and_its_thresholds_named(tenant: Tenant) -> None:
    tenant.calls(1, NOON, latency_ms=4000.0)
    tenant.calls(1, NOON - timedelta(days=1), latency_ms=2000.0)
    limit = {"value": 3000, "title": "goal", "severity": "critical"}
    board = a_board(tenant, a_panel(measures=["p95_latency_ms"], compare="previous", thresholds=[limit]))
    drawn = figure(html(tenant, board))
    now, before = drawn["data"]
    assert ([y for y in now["y"] if y], [y for y in before["y"] if y]) == ([4], [2])
    assert (before["line"]["dash"], before["opacity"]) == ("dash", 0.5)
    assert [(one["y0"], one["line"]["color"]) for one in drawn["layout"]["shapes"]] == [(3, "--error")]
    assert [one["text"] for one in drawn["layout"]["annotations"]] == ["goal"]


def test_bars_stand_beside_each_other_and_stacked_bars_on_top(tenant: Tenant) -> None:
    tenant.calls(1, model="a")
    tenant.calls(2, model="b")
    beside = figure(html(tenant, a_board(tenant, a_panel("bars", by=["model"]))))
    assert beside["layout"]["barmode"] == "group"
    assert beside["data"][0]["offset"] < 0 <= beside["data"][1]["offset"] + beside["data"][1]["width"]
    stacked = figure(html(tenant, a_board(tenant, a_panel("stacked_bars", by=["model"]))))
    assert (stacked["layout"]["barmode"], [one["name"] for one in stacked["data"]]) == ("stack", ["b", "a", "Total"])


def test_areas_are_stepped_and_never_smoothed(tenant: Tenant) -> None:
    tenant.calls(1)
    for kind in ("stepped", "stacked_area"):
        [area] = figure(html(tenant, a_board(tenant, a_panel(kind))))["data"]
        assert area["line"]["shape"] == "hvh"


def test_units_and_decimals_of_a_panel_replace_those_of_the_measure(tenant: Tenant) -> None:
    tenant.calls(1, cost_usd="1234.5")
    board = a_board(tenant, a_panel("number", measures=["cost_usd"], decimals=3))
    assert "$1,234.500" in html(tenant, board)
    board = a_board(tenant, a_panel("number", measures=["cost_usd"], unit="ms", decimals=1))
    assert "1.2 s" in html(tenant, board)


def test_a_heat_map_counts_calls_by_the_time_they_took(tenant: Tenant) -> None:
    tenant.calls(3, latency_ms=1500.0)
    tenant.calls(2, latency_ms=0.2)
    tenant.calls(1, latency_ms=9000.0)
    found = ask(tenant, a_board(tenant, a_panel("heat_map")))
    counts = [sum(column) for column in zip(*(row["calls"] for row in found["data"]), strict=True)]
    assert dict(zip(found["from_ms"], counts, strict=True)) == {0: 2, 1024: 3, 8192: 1} | {
        2**octave: 0 for octave in (*range(10), 11, 12)
    }


def test_a_ranking_narrows_the_page_by_a_click(tenant: Tenant) -> None:
    tenant.calls(1, labels={"customer": "acme"}, cost_usd="1")
    shown = html(tenant, a_board(tenant, a_panel("horizontal_bars", measures=["cost_usd"], by=["label.customer"])))
    assert "label.customer=acme" in shown
    assert "$1.00" in shown


def test_links_to_other_pages_have_the_filters_of_the_panel(tenant: Tenant) -> None:
    tenant.calls(1, agent_id="sales")
    shown = html(tenant, a_board(tenant, a_panel("bars", filters={"agent_id": ["sales"]})), model="gpt-4o")
    link = shown.partition('class="to-traces" href="')[2].partition('"')[0]
    assert link.startswith("/dashboard/traces?")
    assert "agent_id=sales" in link
    assert "model=gpt-4o" in link


SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind not in ("budget", "alerts")])
def test_no_text_of_people_or_clients_becomes_markup(tenant: Tenant, kind: str) -> None:
    names = {"model": SCRIPT, "agent_id": SCRIPT, "error_type": SCRIPT, "error_message": SCRIPT, "name": SCRIPT}
    tenant.calls(2, status="error", labels={SCRIPT: SCRIPT}, latency_ms=9.0, cost_usd="1", **names)
    fields: dict[str, Any] = {"title": f"{SCRIPT} $v", "text": f"{SCRIPT} https://x.y/{SCRIPT}"}
    if kind in ("line", "bars", "stacked_bars", "horizontal_bars", "donut", "table"):
        fields["by"] = [f"label.{SCRIPT}"]
    if kind in ("line", "number"):
        fields["thresholds"] = [{"value": 1, "title": SCRIPT}]
    variables = [{"name": "v", "dimension": "model", "title": SCRIPT, "default": [SCRIPT]}]
    board = a_board(tenant, a_panel(kind, **fields), variables=variables, description=SCRIPT, name=SCRIPT)
    for shown in (html(tenant, board), page(tenant, board), page(tenant, board, "&edit=1&panel=p1")):
        assert "<img src=x" not in shown.lower()


def test_only_http_addresses_of_a_text_are_links(tenant: Tenant) -> None:
    text = "See https://example.com/a?b=1&c=2. Not javascript:alert(1) nor data:text/html,x."
    shown = html(tenant, a_board(tenant, a_panel("text", text=text)))
    assert shown.count("<a ") == 1
    assert '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow"' in shown


def test_a_panel_is_csv_too(tenant: Tenant) -> None:
    tenant.calls(2, model="a")
    board = a_board(tenant, a_panel("table", by=["model"], title="By model"))
    response = tenant.client.get(panel_path(board), WINDOW | {"format": "csv"})
    assert response.content.decode().splitlines() == ["model,calls", "a,2"]
    assert 'filename="by-model' in response["Content-Disposition"]


def test_alert_rules_are_shown_the_worst_first_and_the_muted_last(tenant: Tenant) -> None:
    now = timezone.now()
    for name, state in (("fine", "ok"), ("bad", "critical"), ("muted", "critical")):
        rule = a_rule(
            tenant, name=name, evaluated_at=now, muted_until=now + timedelta(days=1) if name == "muted" else None
        )
        rule.states.create(state=state, since=now, value=12.5)
    a_rule(tenant, name="off", is_active=False)
    board = a_board(tenant, a_panel("alerts"), a_panel("alerts", "p2", y=6, rule_id=str(rule.pk)))
    assert [one["name"] for one in ask(tenant, board)["data"]] == ["bad", "fine", "muted"]
    assert [one["name"] for one in ask(tenant, board, "p2")["data"]] == ["muted"]
    shown = html(tenant, board)
    assert "$12.50" in shown
    assert '<span class="badge error">critical</span>' in shown


@pytest.mark.parametrize("name", ["rang", "var.other", "measures", "limit"])
def test_a_panel_refuses_parameters_that_it_does_not_take(tenant: Tenant, name: str) -> None:
    [error] = ask(tenant, a_board(tenant, a_panel()), expect=422, **{name: "7d"})["errors"]
    assert error["loc"] == ["query", name]
    assert error["msg"].startswith("unknown parameter")


@pytest.mark.parametrize(("name", "value"), [("granularity", "fortnightly"), ("format", "xml"), ("zone", "Mars")])
def test_a_panel_refuses_values_that_do_not_exist(tenant: Tenant, name: str, value: str) -> None:
    for kind in ("line", "number", "heat_map", "text"):
        if kind != "text" or name != "granularity":
            errors = ask(tenant, a_board(tenant, a_panel(kind, **NEEDS.get(kind, {}))), expect=422, **{name: value})
            assert [error["loc"] for error in errors["errors"]] == [["query", name]]


def test_an_address_with_a_variable_that_is_gone_still_shows_the_panels(tenant: Tenant) -> None:
    shown = page(tenant, a_board(tenant, a_panel()), "&var.gone=x&range=30d")
    assert "/panels/p1?range=30d" in shown


def test_a_chart_of_percentiles_has_the_values_with_the_most_calls(tenant: Tenant) -> None:
    tenant.calls(1, model="rare", latency_ms=90_000.0)
    tenant.calls(3, model="usual", latency_ms=900.0)
    tenant.calls(2, model="second", latency_ms=2_000.0)
    chart = {"measures": ["p95_latency_ms"], "by": ["model"], "limit": 2}
    board = a_board(tenant, a_panel(**chart), a_panel(panel_id="p2", order="-p95_latency_ms", **chart))
    assert {row["model"] for row in ask(tenant, board)["data"]} == {"usual", "second"}
    assert {row["model"] for row in ask(tenant, board, "p2")["data"]} == {"rare", "second"}


def test_the_head_of_a_table_begins_with_a_capital_letter(tenant: Tenant) -> None:
    tenant.calls(1, labels={"customer": "acme"})
    board = a_board(tenant, a_panel("table", by=["label.customer", "model"]))
    assert "Customer · Model</button>" in html(tenant, board)


@pytest.mark.parametrize(("cost", "scale"), [("8.25", "1"), ("300.54", "0.714")])
def test_a_long_total_is_drawn_smaller_within_its_ring(tenant: Tenant, cost: str, scale: str) -> None:
    tenant.calls(1, cost_usd=cost)
    board = a_board(tenant, a_panel("donut", measures=["cost_usd"], by=["model"]))
    assert f'scale({scale})" y="6">${cost}</text>' in html(tenant, board)


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Calls", ["", "Calls"]),
        ("Budget of the workspace", ["Budget of the", " workspace"]),
        ("a" * 100, ["a" * 92, "a" * 8]),
        ("تكلفة العميل", ["تكلفة", " العميل"]),
        ("word " * 20, ["word " * 18 + "word", " word "]),
        (" ", [" ", ""]),
    ],
)
def test_a_title_is_cut_between_its_begin_and_its_end(title: str, parts: list[str]) -> None:
    assert list(ends(title)) == parts
