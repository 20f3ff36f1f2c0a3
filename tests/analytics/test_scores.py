"""`GET /api/v1/scores` lists scores; the panel and `usage/scores` say what they add up to."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from django.core.cache import cache
from django.test import Client

from ingest.store import store_scores
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, iso
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")


def give(tenant: Tenant, *values: Any, **changes: Any) -> None:
    """Stores a score for each value, a second apart, the first at NOON."""
    store_scores(tenant.workspace.id, [a_score(number, value, **changes) for number, value in enumerate(values)])


def a_score(number: int, value: Any, name: str = "helpful", **changes: Any) -> Score:
    given: dict[str, Any] = {"number": None, "category": None}
    if isinstance(value, bool):
        given = {"number": Decimal(value), "category": str(value).lower()}
    elif isinstance(value, str):
        given["category"] = value
    else:
        given["number"] = Decimal(repr(value))
    values = {"id": f"{name}-{number}", "timestamp": NOON + timedelta(seconds=number), "source": "api"}
    return Score(name=name, **(values | given | {"session_id": "monday"} | changes))


def listing(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    return tenant.ask("scores", expect, **query)


def values(tenant: Tenant, **query: Any) -> list[Any]:
    return [score["value"] for score in listing(tenant, **query)["data"]]


def summaries(tenant: Tenant, **query: Any) -> list[tuple[Any, ...]]:
    data = tenant.ask("usage/scores", **query)["data"]
    return [(row["name"], row["scores"], row["average"]) for row in data]


# --- The list ---


def test_scores_are_listed_newest_first_as_they_were_given(tenant: Tenant) -> None:
    give(tenant, 0.5, True, False, "good", 3)
    assert values(tenant) == [3, "good", False, True, 0.5]


def test_a_score_has_the_fields_of_the_contract(tenant: Tenant) -> None:
    give(tenant, 0.5, trace_id="t", span_id="s", comment="Solved it.", author="key aop_1")
    [score] = listing(tenant)["data"]
    assert score == {
        "id": "helpful-0",
        "trace_id": "t",
        "span_id": "s",
        "session_id": "monday",
        "name": "helpful",
        "value": 0.5,
        "comment": "Solved it.",
        "source": "api",
        "author": "key aop_1",
        "timestamp": iso(NOON),
    }


def test_pages_follow_each_other_though_new_scores_come(tenant: Tenant) -> None:
    give(tenant, 1, 2, 3, 4, 5)
    first = listing(tenant, limit=2)
    give(tenant, 9, name="new", timestamp=NOON + timedelta(minutes=1))
    second = listing(tenant, limit=2, cursor=first["next_cursor"])
    third = listing(tenant, limit=2, cursor=second["next_cursor"])
    assert [[score["value"] for score in page["data"]] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third["next_cursor"] is None


def test_scores_of_one_moment_are_paged_by_their_ids(tenant: Tenant) -> None:
    give(tenant, 1, 2, 3, timestamp=NOON)
    first = listing(tenant, limit=2)
    assert len({score["id"] for score in first["data"] + listing(tenant, cursor=first["next_cursor"])["data"]}) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"name": "tone"},
        {"trace_id": "t"},
        {"span_id": "s"},
        {"session_id": "friday"},
        {"source": "person"},
        {"agent_id": "planner"},
        {"model": "o3"},
        {"provider": "openai"},
        {"user_id": "ada"},
        {"operation": "chat"},
    ],
)
def test_each_filter_narrows_the_list(tenant: Tenant, query: dict[str, str]) -> None:
    span = {"agent_id": "planner", "model": "o3", "user_id": "ada", "span_facts": {"kind": "llm"}}
    tenant.calls(1, trace_id="t", span_id="s", **span)
    give(tenant, 1)
    give(tenant, 2, name="tone", trace_id="t", span_id="s", session_id="friday", source="person")
    assert values(tenant, **query) == [2]
    assert values(tenant, **dict.fromkeys(query, "nobody")) == []


def test_the_window_is_half_open_to_the_microsecond(tenant: Tenant) -> None:
    give(tenant, 1, 2, 3)
    window = {"start": iso(NOON), "end": iso(NOON + timedelta(seconds=2))}
    assert values(tenant, **window) == [2, 1]


@pytest.mark.parametrize("name", ["rating", "cursor", "limit"])
def test_a_wrong_parameter_is_named(tenant: Tenant, name: str) -> None:
    errors = listing(tenant, expect=422, **{name: "nonsense"})["errors"]
    assert [error["loc"] for error in errors] == [["query", name]]


@pytest.mark.parametrize("text", ['["2026-11-23", 1]', "[1, 2]", '["x", "y"]', "{}", "7", '["0001-01-01", "a"]'])
def test_a_made_up_cursor_is_refused(tenant: Tenant, text: str) -> None:
    listing(tenant, expect=422, cursor=urlsafe_b64encode(text.encode()).decode())


def test_another_workspace_is_unseen(tenant: Tenant) -> None:
    give(Tenant(WorkspaceFactory(), Client()), 1)
    assert values(tenant) == []
    assert summaries(tenant) == []


def test_the_answers_are_as_declared(tenant: Tenant) -> None:
    give(tenant, 0.5, True, "good")
    document = tenant.client.get("/api/v1/openapi.json").json()
    for path in ("scores", "usage/scores"):
        declared = document["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]
        jsonschema_rs.validate(declared["schema"], tenant.ask(path))


# --- What they add up to ---


def test_each_name_has_its_count_and_average(tenant: Tenant) -> None:
    give(tenant, 1, 2, 6)
    give(tenant, "good", "good", "bad", "good", name="tone")
    give(tenant, True, False, True, True, True, name="solved")
    assert summaries(tenant) == [("solved", 5, 0.8), ("tone", 4, None), ("helpful", 3, 3)]


def test_categories_have_their_shares(tenant: Tenant) -> None:
    give(tenant, "good", "good", "bad", "good", name="tone")
    [tone] = tenant.ask("usage/scores")["data"]
    assert tone["categories"] == [
        {"category": "good", "scores": 3, "percentage": 75},
        {"category": "bad", "scores": 1, "percentage": 25},
    ]


def test_many_categories_are_summed_past_the_twentieth(tenant: Tenant) -> None:
    give(tenant, *(f"{number:02}" for number in range(25)), name="tone")
    [tone] = tenant.ask("usage/scores")["data"]
    assert len(tone["categories"]) == 21
    assert tone["categories"][-1] == {"category": None, "scores": 5, "percentage": 20}


def test_the_standard_deviation_is_that_of_the_values(tenant: Tenant) -> None:
    give(tenant, 2, 4, 4, 4, 5, 5, 7, 9)
    give(tenant, "good", name="tone")
    helpful, tone = tenant.ask("usage/scores")["data"]
    assert (helpful["average"], helpful["standard_deviation"]) == (5, 2)
    assert (tone["average"], tone["standard_deviation"]) == (None, None)


@pytest.mark.parametrize("minutes", [0, 1, 30, 59])
def test_whole_hours_and_edges_add_up(tenant: Tenant, minutes: int) -> None:
    """One score a minute for four hours; the window is two hours long and begins anywhere."""
    scores = [a_score(minute, 1, timestamp=NOON + timedelta(minutes=minute)) for minute in range(240)]
    store_scores(tenant.workspace.id, scores)
    start = NOON + timedelta(minutes=minutes)
    assert summaries(tenant, start=iso(start), end=iso(start + timedelta(hours=2))) == [("helpful", 120, 1)]
    assert summaries(tenant, start=iso(start), end=iso(start + timedelta(minutes=20))) == [("helpful", 20, 1)]


@pytest.mark.parametrize(
    "query",
    [{"environment": "production"}, {"release": "42"}, {"label.customer": "acme"}, {"status": "error"}],
)
@pytest.mark.parametrize("has_span", [True, False])
def test_filters_that_only_traces_know_narrow_the_list_and_the_sums(
    tenant: Tenant, query: dict[str, str], has_span: bool
) -> None:
    facts = {"environment": "production", "release": "42", "labels": {"customer": "acme"}, "status": "error"}
    tenant.calls(1, trace_id="t", span_id="s", **facts)
    tenant.calls(1, trace_id="t", span_id="other")
    tenant.calls(1, trace_id="u", span_id="s")
    give(tenant, 1, name="session")
    give(tenant, 2, name="good", trace_id="t", span_id="s" if has_span else None)
    give(tenant, 3, name="other", trace_id="t", span_id="other")
    give(tenant, 4, name="elsewhere", trace_id="u", span_id="s")
    excluding = {f"not_{name}": value for name, value in query.items()}
    assert (values(tenant, **query), sorted(values(tenant, **excluding))) == ([2], [1, 3, 4])
    assert [name for name, *_ in summaries(tenant, **query)] == ["good"]
    assert {name for name, *_ in summaries(tenant, **excluding)} == {"session", "other", "elsewhere"}


@pytest.mark.parametrize("query", [{"agent_id": "planner"}, {"model": "o3"}, {"operation": "chat"}])
def test_each_filter_narrows_the_sums(tenant: Tenant, query: dict[str, str]) -> None:
    span = {"agent_id": "planner", "model": "o3", "span_facts": {"kind": "llm"}}
    tenant.calls(1, trace_id="t", span_id="s", **span)
    give(tenant, 1, 1)
    give(tenant, 5, name="tone", trace_id="t", span_id="s")
    assert summaries(tenant, **query) == [("tone", 1, 5)]


def test_a_replaced_score_counts_once(tenant: Tenant) -> None:
    give(tenant, 1)
    give(tenant, 0)
    assert summaries(tenant) == [("helpful", 1, 0)]


def test_limit_bounds_the_names(tenant: Tenant) -> None:
    for number in range(12):
        give(tenant, 1, name=f"name-{number:02}")
    assert len(summaries(tenant)) == 10
    assert len(summaries(tenant, limit=12)) == 12


def test_the_panel_shows_names_averages_and_shares(tenant: Tenant) -> None:
    give(tenant, 0.25, name="<b>helpful")
    give(tenant, "good", "<i>bad", name="tone")
    cache.clear()
    window = {"start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}
    page = tenant.client.get("/api/v1/usage/scores", window, headers={"HX-Request": "true"}).content.decode()
    assert "&lt;b&gt;helpful" in page
    assert "0.25" in page
    assert "good 50" in " ".join(page.split())
    assert "<i>bad" not in page


def test_a_small_average_is_not_0(tenant: Tenant) -> None:
    give(tenant, 0.0002, 0.00021)
    window = {"start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}
    page = tenant.client.get("/api/v1/usage/scores", window, headers={"HX-Request": "true"}).content.decode()
    assert 'title="0.000205">0.0002<' in page


def test_the_panel_says_when_no_score_passes_the_filters(tenant: Tenant) -> None:
    page = tenant.client.get("/api/v1/usage/scores?model=nope", headers={"HX-Request": "true"}).content.decode()
    assert "No score in the last 24 hours passes these filters" in page


def test_the_panel_without_scores_says_what_to_do(tenant: Tenant) -> None:
    page = tenant.client.get("/api/v1/usage/scores", headers={"HX-Request": "true"}).content.decode()
    assert "No score" in page
    assert "/docs/ingestion" in page
