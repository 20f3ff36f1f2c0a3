"""Annotations: written down by API and on a page, drawn on charts, named by why, left out of forecasts."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.core.cache import cache
from django.test import Client

from budgets.forecast_answer import forecast_answer
from insights import annotations
from insights.anomalies import findings
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.insights.months import a_month, unusual_calls
from tests.tenant import NOON, Tenant, iso
from workspaces.models import Annotation

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/annotations"
DEPLOY = {"kind": "deploy", "label": "release 2.0", "from": iso(NOON)}
WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}


def send(tenant: Tenant, method: str, path: str = PATH, expect: int = 200, **body: Any) -> Any:
    response = getattr(tenant.client, method)(path, body, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json() if response.content else None


def annotate(tenant: Tenant, at: datetime = NOON, hours: int = 0, **values: Any) -> Annotation:
    until = at + timedelta(hours=hours) if hours else None
    values = {"kind": "deploy", "label": "release 2.0", "starts_at": at, "ends_at": until} | values
    return Annotation.objects.create(workspace=tenant.workspace, **values)


# --- The API ---


def test_an_annotation_is_made_read_changed_and_deleted(tenant: Tenant) -> None:
    made = send(tenant, "post", expect=201, **DEPLOY, filters={"agent_id": ["support"]})
    assert (made["label"], made["from"], made["until"], made["author"]) == ("release 2.0", iso(NOON), None, "anyone")
    one = f"{PATH}/{made['id']}"
    assert tenant.client.get(one).json() == made
    changed = send(tenant, "patch", one, until=iso(NOON + timedelta(hours=1)), kind="planned")
    assert (changed["kind"], changed["label"]) == ("planned", "release 2.0")
    assert [other["id"] for other in tenant.client.get(PATH).json()["data"]] == [made["id"]]
    send(tenant, "delete", one, expect=204)
    assert tenant.client.get(one).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"label": " "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-23T10:00:00"}, "from"),
        ({"until": iso(NOON - timedelta(hours=1))}, "until"),
        ({"kind": "planned"}, "until"),
        ({"kind": "party"}, "kind"),
        ({"filters": {"colour": ["red"]}}, "filters"),
        ({"filters": {"agent_id": []}}, "filters"),
        ({"nobody": "knows"}, "nobody"),
    ],
)
def test_what_is_wrong_is_named(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    errors = send(tenant, "post", expect=422, **(DEPLOY | body))["errors"]
    assert {error["loc"][1] for error in errors} == {field}
    made = annotate(tenant)
    if field != "nobody":
        errors = send(tenant, "patch", f"{PATH}/{made.pk}", 422, **body)["errors"]
        assert {error["loc"][1] for error in errors} == {field}


def test_an_id_of_your_own_makes_one_annotation_however_often_it_is_sent(tenant: Tenant) -> None:
    body = DEPLOY | {"id": str(uuid4())}
    assert send(tenant, "post", expect=201, **body) == send(tenant, "post", expect=200, **body)
    assert Annotation.objects.count() == 1
    Annotation.objects.update(workspace=WorkspaceFactory())
    send(tenant, "post", expect=409, **body)


def test_an_id_that_is_sent_twice_at_once_makes_one_annotation(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    values_of = annotations.values_of

    def while_another_request_stores_it(body: Any) -> Any:
        Annotation.objects.create(workspace=tenant.workspace, pk=body.id, **values_of(body))
        return values_of(body)

    monkeypatch.setattr(annotations, "values_of", while_another_request_stores_it)
    made = send(tenant, "post", expect=200, **DEPLOY, id=str(uuid4()))
    assert made["id"] == str(Annotation.objects.get().pk)


def test_pages_of_the_list_have_each_annotation_once(tenant: Tenant) -> None:
    for number in range(103):
        annotate(tenant, NOON - timedelta(minutes=number // 2), label=str(number))
    first = tenant.client.get(PATH).json()
    second = tenant.client.get(PATH, {"cursor": first["next_cursor"]}).json()
    labels = [one["label"] for one in (*first["data"], *second["data"])]
    assert (len(first["data"]), len(labels), len({*labels})) == (100, 103, 103)
    assert second["next_cursor"] is None
    assert tenant.client.get(PATH, {"cursor": "x"}).status_code == 422


def test_other_workspaces_are_unseen_and_a_reader_changes_nothing(tenant: Tenant) -> None:
    made = annotate(tenant)
    key, secret = an_api_key("read", workspace=WorkspaceFactory())
    selected = {"X-Workspace-ID": str(key.workspace.pk)}
    stranger = Client(headers=selected | {"Authorization": f"Bearer {secret}"})
    assert stranger.get(PATH).json()["data"] == []
    assert stranger.get(f"{PATH}/{made.pk}").status_code == 404
    assert stranger.delete(f"{PATH}/{made.pk}").status_code == 403
    assert stranger.post(PATH, DEPLOY, "application/json").status_code == 403
    _, writer = an_api_key("read", "write", workspace=key.workspace)
    other = Client(headers=selected | {"Authorization": f"Bearer {writer}"})
    assert other.patch(f"{PATH}/{made.pk}", {"label": "mine"}, "application/json").status_code == 404
    assert other.delete(f"{PATH}/{made.pk}").status_code == 404
    assert Annotation.objects.get().label == "release 2.0"


# --- On charts ---


def figure_of(tenant: Tenant, metric: str = "usage/calls-over-time", **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(f"/api/v1/{metric}", WINDOW | query, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content
    text = response.content.decode()
    json = text.partition('type="application/json">')[2].partition("</script>")[0]
    return orjson.loads(json), unescape(text)


def test_a_moment_is_a_line_with_its_name_on_every_chart_over_time(tenant: Tenant) -> None:
    tenant.calls(3, latency_ms=800, cost_usd=Decimal(1), output_tokens=5, input_tokens=5)
    made = annotate(tenant, NOON + timedelta(minutes=30))
    for metric in (
        "usage/calls-over-time",
        "performance/latency",
        "cost/trend",
        "usage/tokens",
        "performance/throughput",
    ):
        figure, text = figure_of(tenant, metric, granularity="hourly")
        [shape] = figure["layout"]["shapes"]
        # A bar stands astride its hour's start: the middle of the hour is its middle.
        assert shape["x0"] == shape["x1"] == f"{NOON:%Y-%m-%d %H:%M:%S}"
        assert [name["text"] for name in figure["layout"]["annotations"]] == ["Deploy: release 2.0"]
        assert f'<a href="/dashboard/insights/annotations/{made.pk}?workspace=' in text


@pytest.mark.parametrize(
    ("hours", "granularity", "anchor", "in_svg"),
    [
        (-20, "hourly", "left", "start"),
        (-10, "hourly", "center", "middle"),
        (0, "hourly", "right", "end"),
        (-11, "daily", "left", "start"),
        (11, "daily", "right", "end"),
    ],
)
def test_a_name_stands_where_the_chart_has_room_for_it(
    tenant: Tenant, hours: int, granularity: str, anchor: str, in_svg: str
) -> None:
    tenant.calls(3)
    annotate(tenant, NOON + timedelta(hours=hours))
    last = NOON + timedelta(hours=1 if granularity == "hourly" else 12)
    window = {"start": iso(last - timedelta(hours=24)), "end": iso(last)}
    figure, text = figure_of(tenant, **window, granularity=granularity)
    assert [name["xanchor"] for name in figure["layout"]["annotations"]] == [anchor]
    assert re.search(f'<text x="[0-9.]+%" text-anchor="{in_svg}" [^>]*>Deploy: release 2.0<', text)


def test_a_time_is_a_band_over_the_buckets_that_it_touches(tenant: Tenant) -> None:
    tenant.calls(3)
    annotate(tenant, NOON + timedelta(minutes=30), hours=2)
    [shape] = figure_of(tenant, granularity="hourly")[0]["layout"]["shapes"]
    assert (shape["x0"], shape["x1"]) == (
        f"{NOON - timedelta(minutes=30):%Y-%m-%d %H:%M:%S}",
        f"{NOON + timedelta(hours=2, minutes=30):%Y-%m-%d %H:%M:%S}",
    )


def test_charts_show_what_is_about_their_calls_and_window_only(tenant: Tenant) -> None:
    tenant.calls(3)
    annotate(tenant, filters={"agent_id": ["loop"]})
    annotate(tenant, NOON + timedelta(hours=12))
    assert figure_of(tenant, agent_id="support")[0]["layout"]["shapes"] == []
    assert len(figure_of(tenant)[0]["layout"]["shapes"]) == 1


def test_an_hour_that_comes_twice_has_its_own_place(tenant: Tenant) -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("UTC"))
    tenant.calls(1, at)
    annotate(tenant, at)
    figure, _ = figure_of(
        tenant,
        start=iso(at - timedelta(hours=5)),
        end=iso(at + timedelta(hours=5)),
        zone=zone.key,
        granularity="hourly",
    )
    [shape] = figure["layout"]["shapes"]
    assert shape["x0"] in figure["layout"]["xaxis"]["categoryarray"]


def test_a_name_with_markup_stays_text(tenant: Tenant) -> None:
    tenant.calls(3)
    annotate(tenant, label="<img src=x onerror=alert(1)>")
    cache.clear()
    response = tenant.client.get("/api/v1/usage/calls-over-time", WINDOW, headers={"HX-Request": "true"})
    assert b"<img" not in response.content


def test_unusual_hours_are_marked_where_their_measure_is_drawn(tenant: Tenant) -> None:
    a_month(tenant)
    unusual_calls(tenant, 30, cost="1")
    [stored] = findings.store_new(tenant.workspace, NOON + timedelta(hours=6))
    figure, text = figure_of(tenant, "cost/trend", granularity="hourly")
    [shape] = figure["layout"]["shapes"]
    assert shape["fillcolor"] == "--warning"
    assert f"/dashboard/insights/anomalies?workspace={tenant.workspace.id}" in text
    assert f"#anomaly-{stored.pk}" in text
    assert figure_of(tenant, "performance/latency", granularity="hourly")[0]["layout"]["shapes"] == []
    findings.decide(tenant.workspace, stored.pk, "dismissed", "", "ada")
    assert figure_of(tenant, "cost/trend", granularity="hourly")[0]["layout"]["shapes"] == []


# --- Why, and the forecast ---


def test_why_names_what_happened_between_the_windows(tenant: Tenant) -> None:
    tenant.calls(3, cost_usd=Decimal(1))
    annotate(tenant, NOON - timedelta(days=1))
    annotate(tenant, NOON, filters={"agent_id": ["loop"]}, label="of another agent")
    annotate(tenant, NOON - timedelta(days=5), label="long before")
    answer = tenant.client.get("/api/v1/insights/changes", WINDOW | {"agent_id": "support"}).json()
    assert [one["label"] for one in answer["annotations"]] == ["release 2.0"]
    text = tenant.client.get("/api/v1/insights/changes", WINDOW, headers={"HX-Request": "true"}).content.decode()
    assert "deploy release 2.0" in text


def test_a_forecast_does_not_learn_from_planned_days(tenant: Tenant) -> None:
    now = NOON.replace(day=20)
    for day in range(1, 31):
        tenant.calls(1, now - timedelta(days=day), cost_usd=Decimal(10))
    for day in (3, 4, 5, 6):
        tenant.calls(1, now - timedelta(days=day), cost_usd=Decimal(90))
    usual = forecast_answer(tenant.workspace, {}, "month", None, now)
    annotate(tenant, now - timedelta(days=6, hours=2), hours=24 * 3 + 4, kind="planned")
    without = forecast_answer(tenant.workspace, {}, "month", None, now)
    days_left = len(without["days"])
    assert without["spent_usd"] == usual["spent_usd"]
    assert without["expected_usd"] - without["spent_usd"] == pytest.approx(10 * days_left, rel=0.2)
    assert usual["expected_usd"] > without["expected_usd"] * 1.1


# --- The pages ---

PAGE = "/dashboard/insights/annotations"


def form_of(tenant: Tenant, **values: str) -> dict[str, str]:
    zone = ZoneInfo(tenant.workspace.time_zone)
    at = NOON.astimezone(zone)
    return {"workspace": str(tenant.workspace.id), "kind": "deploy", "label": "release 2.0", "text": "",
            "from": f"{at:%Y-%m-%dT%H:%M}", "until": "", "dimension": "", "value": ""} | values  # fmt: skip


def test_a_form_makes_and_changes_one_in_the_workspaces_zone(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    page = f"{PAGE}?workspace={tenant.workspace.id}"
    assert tenant.client.post(page, form_of(tenant, dimension="agent_id", value="support")).status_code == 302
    made = Annotation.objects.get()
    assert (made.starts_at, made.filters, made.author) == (NOON, {"agent_id": ["support"]}, "anyone")
    one = f"{PAGE}/{made.pk}?workspace={tenant.workspace.id}"
    assert f"{NOON.astimezone(tenant.workspace.zone):%Y-%m-%dT%H:%M}" in tenant.client.get(one).content.decode()
    assert tenant.client.post(one, form_of(tenant, label="release 3.0")).status_code == 302
    assert Annotation.objects.get().label == "release 3.0"
    assert tenant.client.post(one, {"delete": "1", "workspace": str(tenant.workspace.id)}).status_code == 302
    assert not Annotation.objects.exists()


def test_filters_that_the_form_cannot_show_stay(tenant: Tenant) -> None:
    made = annotate(tenant, filters={"agent_id": ["support", "loop"]})
    one = f"{PAGE}/{made.pk}?workspace={tenant.workspace.id}"
    assert "what it is about now" in tenant.client.get(one).content.decode()
    tenant.client.post(one, form_of(tenant, dimension="as_it_is"))
    assert Annotation.objects.get().filters == {"agent_id": ["support", "loop"]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": ""}, "at least 1 character"),
        ({"from": ""}, "required"),
        ({"from": "soon"}, "must be a date and time"),
        ({"kind": "planned"}, "needs an end"),
        ({"dimension": "agent_id", "value": ""}, "at least 1 character"),
    ],
)
def test_a_fault_stands_at_its_field_and_keeps_the_form(tenant: Tenant, values: dict[str, str], message: str) -> None:
    response = tenant.client.post(f"{PAGE}?workspace={tenant.workspace.id}", form_of(tenant, text="kept") | values)
    assert response.status_code == 422
    text = response.content.decode()
    assert message in text.lower()
    assert 'value="kept"' in text
    assert not Annotation.objects.exists()


def test_a_link_from_a_chart_fills_the_times(tenant: Tenant) -> None:
    text = tenant.client.get("/dashboard/usage", {"workspace": str(tenant.workspace.id)} | WINDOW).content.decode()
    start = (NOON - timedelta(hours=12)).astimezone(tenant.workspace.zone)
    assert f"annotations?workspace={tenant.workspace.id}&amp;from={start:%Y-%m-%dT%H}%3A" in text
    page = tenant.client.get(PAGE, {"workspace": str(tenant.workspace.id), "from": "2026-11-20T10:00"})
    assert 'value="2026-11-20T10:00"' in page.content.decode()


def test_an_empty_list_says_what_annotations_are_for(tenant: Tenant) -> None:
    text = tenant.client.get(PAGE, {"workspace": str(tenant.workspace.id)}).content.decode()
    assert "There is no annotation" in text


def test_a_viewer_sees_annotations_and_changes_none(tenant: Tenant) -> None:
    membership = MembershipFactory(workspace=WorkspaceFactory(), role="viewer")
    made = Annotation.objects.create(workspace=membership.workspace, kind="note", label="holiday", starts_at=NOON)
    client = Client()
    client.force_login(membership.user)
    query = f"?workspace={membership.workspace.pk}"
    assert "holiday" in client.get(f"{PAGE}{query}").content.decode()
    assert client.get(f"{PAGE}/{made.pk}{query}").status_code == 200
    assert client.post(f"{PAGE}/{made.pk}{query}", {"delete": "1"}).status_code == 403
    assert client.get(f"{PAGE}/{uuid4()}{query}").status_code == 404
