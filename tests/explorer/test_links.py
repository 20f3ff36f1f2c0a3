"""Everything that names a thing leads to it: panels and their links, as the browser asks for them."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
PAGES = ("usage", "cost", "performance", "traces", "sessions", "users", "agents", "tools")
Link = tuple[str, dict[str, list[str]]]


def page_text(tenant: Tenant, path: str, **query: str) -> str:
    answer = tenant.client.get(f"/dashboard/{path}", WINDOW | query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def panel(tenant: Tenant, path: str, page: str = "usage", **query: Any) -> str:
    """Returns the panel at `path` as a page gets it."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/dashboard/{page}"}
    answer = tenant.client.get(path, WINDOW | query, headers=headers)
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def links(text: str, words: str) -> list[Link]:
    """Returns path and parameters of the links with these words."""
    found = re.findall(r"<a\b[^>]*?href=\"([^\"]*)\"[^>]*>(.*?)</a>", text, re.DOTALL)
    texts = [(urlsplit(html.unescape(link)), " ".join(re.sub(r"<[^>]+>", "", inner).split())) for link, inner in found]
    return [(link.path, parse_qs(link.query)) for link, inner in texts if inner == words]


def fill(tenant: Tenant) -> None:
    tenant.calls(2, user_id="ada", cost_usd="1")
    tenant.calls(1, user_id="bob", model="claude", provider="anthropic", cost_usd="2")
    tenant.calls(1, status="error", error_type="rate_limit")
    tool = {"operation": "execute_tool", "model": None, "provider": None, "latency_ms": 5.0}
    tenant.calls(2, tool="look", **tool)
    tenant.calls(1, tool="mail", status="error", error_type="refused", **tool)


def test_only_pages_with_charts_split_them(tenant: Tenant) -> None:
    offering = [page for page in PAGES if "Split charts" in page_text(tenant, page)]
    assert offering == ["usage", "cost", "performance"]


@pytest.mark.parametrize(
    ("path", "query", "name", "words"),
    [
        ("cost/by-model", {}, "model", "claude"),
        ("query", {"by": "model", "measures": "calls"}, "model", "claude"),
        ("performance/errors", {}, "error_type", "rate_limit"),
        ("query", {"by": "error_type", "measures": "errors"}, "error_type", "rate_limit"),
    ],
)
def test_a_model_and_an_error_lead_to_their_traces(
    tenant: Tenant, path: str, query: dict[str, str], name: str, words: str
) -> None:
    fill(tenant)
    found = links(panel(tenant, f"/api/v1/{path}", **query), words)
    assert [asked[name] for where, asked in found if where == "/dashboard/traces"] == [[words]]


def test_the_failures_of_a_tool_lead_to_its_failed_traces(tenant: Tenant) -> None:
    fill(tenant)
    [(where, query)] = links(panel(tenant, "/dashboard/entity/failures/tools/mail", "tools/mail"), "refused")
    assert (where, query["tool"], query["error_type"]) == ("/dashboard/traces", ["mail"], ["refused"])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("users/ada", "user_id", "ada"), ("agents/support", "agent_id", "support"), ("tools/look", "tool", "look")],
)
def test_newest_traces_lead_to_all_of_them(tenant: Tenant, part: str, name: str, value: str) -> None:
    fill(tenant)
    [(where, query)] = links(panel(tenant, f"/dashboard/entity/traces/{part}", part), "All of them")
    assert (where, query[name]) == ("/dashboard/traces", [value])


def test_links_in_panels_of_an_agent_keep_the_agent(tenant: Tenant) -> None:
    fill(tenant)
    shown = panel(tenant, "/api/v1/usage/top-users", "agents/support?range=7d", agent_id="support")
    assert [
        (where, query["agent_id"], query["range"])
        for words in ("All users", "ada")
        for where, query in links(shown, words)
    ] == [("/dashboard/users", ["support"], ["7d"]), ("/dashboard/users/ada", ["support"], ["7d"])]


@pytest.mark.parametrize(
    ("path", "query", "words", "target"),
    [
        ("cost/by-model", {}, "others, or not named", "/dashboard/query"),
        ("query", {"by": "model", "measures": "calls"}, "all others", "/dashboard/query"),
        ("query", {"by": "user_id", "measures": "calls"}, "all others", "/dashboard/users"),
        ("performance/tools", {}, "others, or not named", "/dashboard/tools"),
    ],
)
def test_all_others_lead_to_the_whole_list(
    tenant: Tenant, path: str, query: dict[str, str], words: str, target: str
) -> None:
    fill(tenant)
    found = links(panel(tenant, f"/api/v1/{path}", limit=1, **query), words)
    assert [where for where, _ in found] == [target]


@pytest.mark.parametrize("page", ["usage", "cost", "performance"])
def test_cards_lead_to_their_chart_on_the_same_page(tenant: Tenant, page: str) -> None:
    fill(tenant)
    targets = re.findall(r'href="#(panel-[\w-]+)"', panel(tenant, f"/api/v1/{page}/overview", page))
    shell = page_text(tenant, page)
    assert len(targets) == 4
    assert all(f'id="{target}"' in shell for target in targets), targets


def test_tools_are_offered_as_a_list_with_the_most_called_first(tenant: Tenant) -> None:
    fill(tenant)
    path = "/dashboard/choices/tool"
    shown = panel(tenant, path, "traces")
    assert re.findall(r'class="choice[^>]*?title="(\w+)"', shown, re.DOTALL) == ["look", "mail"]
    found = panel(tenant, path, "traces", search="AI")
    assert re.findall(r'class="choice[^>]*?title="(\w+)"', found, re.DOTALL) == ["mail"]


def test_a_chosen_tool_is_named_and_others_are_added(tenant: Tenant) -> None:
    fill(tenant)
    [(_, more)] = links(panel(tenant, "/dashboard/choices/tool", "traces?tool=look"), "+")
    assert more["tool"] == ["look", "mail"]
    assert "Tool: look" in " ".join(page_text(tenant, "traces", tool="look").split())


def test_another_window_keeps_the_search(tenant: Tenant) -> None:
    page = page_text(tenant, "traces", q="parcel", tool="look")
    start = page.index("window-form")
    form = " ".join(page[start : page.index("</form>", start)].split())
    assert 'name="q" value="parcel"' in form
    assert 'name="tool" value="look"' in form


@pytest.mark.parametrize(
    ("one", "charts"),
    [
        ("users/ada", {"Calls": "usage-calls-over-time", "Failed": "performance-errors", "Cost": "cost-by-model"}),
        ("agents/chatbot", {"Calls": "usage-calls-over-time", "P95 latency": "performance-latency"}),
        ("tools/look", {"Calls": "own-calls", "Failed": "own-failures", "P95 latency": "tool-latency"}),
    ],
)
def test_the_cards_of_one_lead_to_their_charts_and_traces(tenant: Tenant, one: str, charts: dict[str, str]) -> None:
    tenant.calls(3, agent_id="chatbot", user_id="ada")
    tenant.calls(3, operation="execute_tool", tool="look", model=None, provider=None)
    shown, cards = page_text(tenant, one), panel(tenant, f"/api/v1/{one}", one)
    for label, chart in charts.items():
        assert f'<a href="#panel-{chart}">{label}</a>' in cards
        assert f'id="panel-{chart}"' in shown
    name = {"users": "user_id", "agents": "agent_id", "tools": "tool"}[one.partition("/")[0]]
    [(path, query)] = links(cards, "3")
    assert (path, query[name]) == ("/dashboard/traces", [one.partition("/")[2]])
    assert "has_error=true" in cards
    assert "sort=slowest" in cards


def test_what_a_trace_ran_in_leads_to_the_traces_like_it(tenant: Tenant) -> None:
    tenant.calls(1, trace_id="t1", environment="a&b", release="1.2 beta", labels={"customer": "é=1"})
    head = page_text(tenant, "traces/t1")
    workspace = [str(tenant.workspace.id)]
    for name, value in (("environment", "a&b"), ("release", "1.2 beta"), ("label.customer", "é=1")):
        assert links(head, html.escape(value)) == [("/dashboard/traces", {"workspace": workspace, name: [value]})]
