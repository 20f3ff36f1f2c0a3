"""Experiments: sums of their own, a verdict that may be looked at again and again, and when they end."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import jsonschema_rs
import orjson
import pytest
from django.test import Client

from insights.experiments import sums, verdicts
from insights.experiments.models import NO_USER, OTHER_USERS, Experiment, ExperimentSum
from insights.experiments.tasks import SUMS_STORED, delete_old_experiment_sums, evaluate_experiments
from methods.comparison import Arm, always_valid, compare_means, users_of
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.tenant import Tenant, a_row
from traces import writer
from traces.row import Row
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/experiments"
SLICES = [{"dimension": "label.variant", "value": "old"}, {"dimension": "label.variant", "value": "new"}]


def send(tenant: Tenant, method: str, path: str = PATH, body: Any = None, expect: int = 200) -> Any:
    content = b"" if body is None else orjson.dumps(body)
    response = tenant.client.generic(method, path, content, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json() if response.content else None


def begin(tenant: Tenant, expect: int = 201, **body: Any) -> Any:
    start = (now() - timedelta(hours=8)).isoformat()
    return send(tenant, "POST", PATH, {"name": "prompt", "slices": SLICES, "started_at": start, **body}, expect)


def now() -> datetime:
    return datetime.now(UTC)


def look(made: Any, moment: datetime | None = None) -> Experiment:
    experiment = Experiment.objects.select_related("workspace").get(pk=made["id"])
    return verdicts.evaluate(experiment, moment or now())


def one(tenant: Tenant, made: Any) -> Any:
    return send(tenant, "GET", f"{PATH}/{made['id']}")


def arrive(
    tenant: Tenant, count: int, variant: str, cost: float, at: datetime | None = None, **values: Any
) -> list[Row]:
    """Stores calls that cost 2/3 to 4/3 of `cost`."""
    rng = random.Random(variant)
    rows = [
        a_row(
            (at or now() - timedelta(hours=4)) + timedelta(seconds=place),
            labels={"variant": variant},
            cost_usd=Decimal(str(round(cost * rng.choice((2, 3, 4)) / 3, 6))),
            latency_ms=100.0,
            input_tokens=10,
            output_tokens=5,
            **values,
        )
        for place in range(count)
    ]
    writer.store(tenant.workspace.id, rows)
    return rows


def by_hand(rows: Sequence[Row]) -> Arm:
    costs = [float(row.cost_usd or 0) for row in rows]
    users: dict[str, tuple[int, float]] = {}
    for row, cost in zip(rows, costs, strict=True):
        n, y = users.get(row.user_id or "", (0, 0.0))
        users[row.user_id or ""] = n + 1, y + cost
    return Arm(len(rows), sum(costs), sum(cost**2 for cost in costs), users_of([*users.values()]))


def test_an_experiment_counts_the_calls_of_its_slices_from_its_start(tenant: Tenant) -> None:
    made = begin(tenant)
    arrive(tenant, 3, "old", 1)
    arrive(tenant, 2, "new", 1)
    arrive(tenant, 4, "other", 1)
    arrive(tenant, 5, "old", 1, now() - timedelta(hours=9))
    arrive(tenant, 6, "old", 1, now() - timedelta(minutes=5))
    look(made)
    found = one(tenant, made)
    assert [arm["calls"] for arm in found["slices"]] == [3, 2]
    assert found["words"] == "Cost per call: too few calls yet, about 98 more of each."
    assert found["state"] == "running"


def test_what_it_shows_is_what_the_method_says_of_the_calls(tenant: Tenant) -> None:
    made = begin(tenant)
    old = [row for user in range(12) for row in arrive(tenant, 20, "old", 1 + user / 50, user_id=f"a{user}")]
    new = [row for user in range(12) for row in arrive(tenant, 20, "new", 2 + user / 50, user_id=f"b{user}")]
    look(made)
    expected = compare_means(by_hand(old), by_hand(new), always_valid)
    against = one(tenant, made)["results"][0]["against_first"][0]
    assert against["verdict"] == expected.verdict == "higher"
    assert expected.ratio
    assert (against["ratio"]["low"], against["ratio"]["high"]) == pytest.approx(
        (expected.ratio.low, expected.ratio.high)
    )


def test_calls_are_added_once_however_often_and_late_the_job_runs(tenant: Tenant) -> None:
    made = begin(tenant)
    arrive(tenant, 3, "old", 1)
    stale = Experiment.objects.select_related("workspace").get(pk=made["id"])
    look(made)
    look(made)
    verdicts.evaluate(stale, now())
    evaluate_experiments(now().isoformat())
    arrive(tenant, 2, "old", 1, now() - timedelta(minutes=30))
    assert [arm["calls"] for arm in one(tenant, made)["slices"]] == [3, 0]
    moment = now() + timedelta(hours=1)
    arrive(tenant, 4, "old", 1, now())
    look(made, moment)
    assert one(tenant, made)["slices"][0]["calls"] == 7


def test_calls_without_a_user_stand_alone(tenant: Tenant) -> None:
    made = begin(tenant)
    arrive(tenant, 150, "old", 1)
    arrive(tenant, 150, "new", 3)
    experiment = look(made)
    assert {found.user_number for found in ExperimentSum.objects.filter(experiment=experiment)} == {NO_USER}
    assert one(tenant, made)["results"][0]["against_first"][0]["verdict"] == "higher"


def test_many_users_are_judged_by_a_sample_and_all_calls_count(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MOST_USERS", 20)
    made = begin(tenant)
    for user in range(60):
        arrive(tenant, 3, "old", 1 + user % 5, user_id=f"a{user}")
        arrive(tenant, 3, "new", 9 + user % 5, user_id=f"b{user}")
    experiment = look(made)
    stored = ExperimentSum.objects.filter(experiment=experiment)
    assert experiment.halvings > 0
    for place in (0, 1):
        assert 0 < stored.filter(place=place, user_number__gte=0).count() <= 20
        assert stored.filter(place=place, user_number=OTHER_USERS).count() == 1
    found = one(tenant, made)
    assert [arm["calls"] for arm in found["slices"]] == [180, 180]
    assert found["results"][0]["against_first"][0]["verdict"] == "higher"
    arrive(tenant, 3, "old", 1, now() + timedelta(minutes=1), user_id="late")
    look(made, now() + timedelta(hours=1))
    assert one(tenant, made)["slices"][0]["calls"] == 183


def test_filters_narrow_it(tenant: Tenant) -> None:
    made = begin(tenant, filters={"agent_id": ["support"]})
    arrive(tenant, 3, "old", 1, agent_id="support")
    arrive(tenant, 4, "old", 1, agent_id="triage")
    look(made)
    assert one(tenant, made)["slices"][0]["calls"] == 3


def test_it_ends_with_a_verdict_and_stays_as_it_is(tenant: Tenant) -> None:
    made = begin(tenant, end={"on_verdict": True})
    arrive(tenant, 40, "old", 1)
    arrive(tenant, 40, "new", 3)
    look(made)
    assert one(tenant, made)["state"] == "running"
    arrive(tenant, 200, "old", 1, now() - timedelta(minutes=10))
    arrive(tenant, 200, "new", 3, now() - timedelta(minutes=10))
    look(made, now() + timedelta(minutes=30))
    ended = one(tenant, made)
    assert (ended["state"], ended["ended_because"]) == ("ended", "verdict")
    assert "higher than that of old" in ended["words"]
    assert [step["verdicts"] for step in ended["history"]] == [["higher"], ["too_few_calls"]]
    arrive(tenant, 50, "old", 1, now() + timedelta(hours=1))
    look(made, now() + timedelta(hours=3))
    assert one(tenant, made) == ended


def test_it_ends_with_so_many_calls_or_at_a_date(tenant: Tenant) -> None:
    by_calls = begin(tenant, end={"calls": 100})
    by_date = begin(tenant, end={"at": (now() - timedelta(hours=3)).isoformat()})
    by_person = begin(tenant)
    arrive(tenant, 100, "old", 1)
    arrive(tenant, 99, "new", 1)
    arrive(tenant, 1, "new", 1, now() - timedelta(hours=2))
    evaluate_experiments(now().isoformat())
    send(tenant, "PATCH", f"{PATH}/{by_person['id']}", {"state": "ended", "name": "prompt, second"})
    causes = [one(tenant, made)["ended_because"] for made in (by_calls, by_date, by_person)]
    assert causes == ["calls", "date", "person"]
    assert [arm["calls"] for arm in one(tenant, by_date)["slices"]] == [100, 99]
    assert one(tenant, by_person)["name"] == "prompt, second"
    send(tenant, "PATCH", f"{PATH}/{by_person['id']}", {"end": {"calls": 500}}, 422)


def test_three_slices_end_when_all_are_told_from_the_first(tenant: Tenant) -> None:
    slices = [*SLICES, {"dimension": "label.variant", "value": "newest"}]
    made = begin(tenant, slices=slices, end={"on_verdict": True})
    arrive(tenant, 300, "old", 1)
    arrive(tenant, 300, "new", 3)
    arrive(tenant, 90, "newest", 3)
    look(made)
    found = one(tenant, made)
    assert found["state"] == "running"
    assert [each["verdict"] for each in found["results"][0]["against_first"]] == ["higher", "too_few_calls"]


def test_the_error_rate_decides_where_it_is_the_first_measure(tenant: Tenant) -> None:
    made = begin(tenant, measures=["error_rate", "avg_latency_ms"])
    arrive(tenant, 300, "old", 1)
    arrive(tenant, 200, "new", 1)
    arrive(tenant, 100, "new", 1, status="error")
    look(made)
    found = one(tenant, made)
    assert found["words"].startswith("Error rate of new is ")
    assert " points higher than that of old" in found["words"]
    assert [each["measure"] for each in found["results"]] == ["error_rate", "avg_latency_ms"]
    assert found["results"][0]["slices"][1]["estimate"] == pytest.approx(100 / 3)


def test_its_sums_are_deleted_a_month_after_its_end_and_what_it_showed_stays(tenant: Tenant) -> None:
    made = begin(tenant)
    arrive(tenant, 3, "old", 1)
    look(made)
    send(tenant, "PATCH", f"{PATH}/{made['id']}", {"state": "ended"})
    before = one(tenant, made)
    Experiment.objects.update(ended_at=now() - SUMS_STORED + timedelta(days=1))
    delete_old_experiment_sums(now().isoformat())
    assert ExperimentSum.objects.exists()
    Experiment.objects.update(ended_at=now() - SUMS_STORED - timedelta(days=1))
    delete_old_experiment_sums(now().isoformat())
    assert not ExperimentSum.objects.exists()
    assert one(tenant, made)["slices"] == before["slices"]


def test_an_id_of_the_clients_own_makes_it_once(tenant: Tenant) -> None:
    own = str(uuid4())
    begin(tenant, id=own)
    begin(tenant, 200, id=own, name="sent again")
    assert [found["name"] for found in send(tenant, "GET")["data"]] == ["prompt"]
    other = Tenant(WorkspaceFactory(), Client())
    _, secret = an_api_key("write", workspace=other.workspace)
    other.client = Client(headers={"X-Workspace-ID": str(other.workspace.id), "Authorization": f"Bearer {secret}"})
    begin(other, 409, id=own)


def test_the_list_has_50_at_once(tenant: Tenant) -> None:
    values = {"slices": SLICES, "measures": ["error_rate"], "started_at": now(), "filled_until": now()}
    Experiment.objects.bulk_create(
        Experiment(workspace=tenant.workspace, name=str(number), **values) for number in range(60)
    )
    first = send(tenant, "GET")
    second = send(tenant, "GET", f"{PATH}?cursor={first['next_cursor']}")
    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (50, 10, None)
    assert len({found["id"] for found in first["data"] + second["data"]}) == 60
    send(tenant, "GET", f"{PATH}?cursor=x", expect=422)
    begin(tenant, 422)


def test_every_answer_is_as_the_document_says(tenant: Tenant) -> None:
    made = begin(tenant)
    arrive(tenant, 120, "old", 1, user_id="ada")
    arrive(tenant, 120, "new", 3)
    look(made)
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    for path, answer in ((PATH, send(tenant, "GET")), (f"{PATH}/{{experiment_id}}", one(tenant, made))):
        schema = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate(schema, answer)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"slices": SLICES[:1]}, "slices"),
        ({"slices": [SLICES[0], SLICES[0]]}, "slices"),
        ({"slices": [SLICES[0], {"dimension": "size", "value": "x"}]}, "slices"),
        ({"slices": [SLICES[0], {"dimension": "user_id", "value": "x"}]}, "slices"),
        ({"slices": [SLICES[0], {"dimension": "label.variant", "value": "a\0b"}]}, "slices"),
        ({"filters": {"label.variant": ["old"]}}, "filters"),
        ({"filters": {"size": ["x"]}}, "filters"),
        ({"measures": []}, "measures"),
        ({"measures": ["p95_latency_ms"]}, "measures"),
        ({"end": {"calls": 99}}, "end"),
        ({"end": {"at": "2020-01-01T00:00:00Z"}}, "end"),
        ({"started_at": "2020-01-01T00:00:00Z"}, "started_at"),
        ({"color": "red"}, "color"),
    ],
)
def test_an_experiment_that_makes_no_sense_is_refused(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    errors = begin(tenant, 422, **body)["errors"]
    assert errors[0]["loc"][:2] == ["body", field]
    assert not Experiment.objects.exists()


# --- Who may ---


def test_another_workspace_sees_and_changes_nothing(tenant: Tenant) -> None:
    made = begin(tenant)
    _, secret = an_api_key("read", "write")
    from workspaces.models import ApiKey

    other = ApiKey.objects.latest("created_at").workspace
    headers = {"X-Workspace-ID": str(other.id), "Authorization": f"Bearer {secret}"}
    client = Client(headers=headers)
    for method, body in (("GET", None), ("PATCH", {"state": "ended"}), ("DELETE", None)):
        for experiment_id in (made["id"], uuid4()):
            response = client.generic(
                method, f"{PATH}/{experiment_id}", orjson.dumps(body), content_type="application/json"
            )
            assert response.status_code == 404
            assert response.json()["detail"] == "There is no such experiment in this workspace."
    assert client.get(PATH).json()["data"] == []
    assert one(tenant, made)["state"] == "running"


def test_viewers_see_experiments_and_begin_none(tenant: Tenant, settings: Any) -> None:
    made = begin(tenant)
    settings.OPEN_WORKSPACE_IDS = frozenset()
    viewer = MembershipFactory(workspace=tenant.workspace, role=Role.VIEWER).user
    client = Client(headers={"X-Workspace-ID": str(tenant.workspace.id)})
    client.force_login(viewer)
    shown = client.get("/dashboard/insights/experiments").content.decode()
    assert "prompt" in shown
    assert "New experiment" not in shown
    own = f"/dashboard/insights/experiments/{made['id']}"
    assert "End it now" not in client.get(own).content.decode()
    assert client.post(own, {"end": "1"}).status_code == 403
    assert client.get("/dashboard/insights/experiments/new").status_code == 403
    assert client.get(PATH).status_code == 200
    for method, path in (("POST", PATH), ("PATCH", f"{PATH}/{made['id']}"), ("DELETE", f"{PATH}/{made['id']}")):
        assert client.generic(method, path, b"{}", content_type="application/json").status_code == 403
    assert Experiment.objects.get().state == "running"


# --- Pages ---


def page(tenant: Tenant, path: str = "", expect: int = 200, post: dict[str, Any] | None = None) -> Any:
    url = f"/dashboard/insights/experiments{path}?workspace={tenant.workspace.id}"
    response = tenant.client.get(url) if post is None else tenant.client.post(url, post)
    assert response.status_code == expect, response.content
    return response


FORM = {
    "name": "Shorter prompt",
    "a_by": "label.variant",
    "a_value": "old",
    "b_by": "label.variant",
    "b_value": "new",
    "decides": "error_rate",
    "measures": ["cost_per_call_usd", "error_rate"],
    "calls": "500",
    "on_verdict": "on",
}


def test_the_form_begins_an_experiment(tenant: Tenant) -> None:
    assert "There is no experiment." in page(tenant).content.decode()
    page(tenant, "/new", 302, FORM)
    made = Experiment.objects.get()
    assert (made.name, made.measures) == ("Shorter prompt", ["error_rate", "cost_per_call_usd"])
    assert (made.ends_on_verdict, made.ends_after_calls) == (True, 500)
    shown = page(tenant, f"/{made.pk}").content.decode()
    assert "Nothing is counted yet" in shown
    assert "It ends with the first verdict or with 500 calls of each slice." in shown
    assert "VARIANTS = [&quot;old&quot;, &quot;new&quot;]" in shown
    assert "Shorter prompt" in page(tenant).content.decode()


def test_a_form_that_is_wrong_says_what_and_keeps_what_was_typed(tenant: Tenant) -> None:
    shown = page(tenant, "/new", 422, FORM | {"b_value": "old", "calls": "many"}).content.decode()
    assert 'value="Shorter prompt"' in shown
    assert 'role="alert"' in shown
    assert not Experiment.objects.exists()


def test_a_comparison_leads_to_the_form_with_its_slices(tenant: Tenant) -> None:
    tenant.calls(2, release="one")
    tenant.calls(2, release="two")
    panel = tenant.client.get(
        "/api/v1/insights/compare", {"range": "7d", "by": "release"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "experiments/new?workspace=" in panel
    query = "&a=release%3Aone&b=release%3Atwo"
    shown = tenant.client.get(f"/dashboard/insights/experiments/new?workspace={tenant.workspace.id}{query}")
    assert 'value="two"' in shown.content.decode()


def test_the_page_shows_the_verdict_its_history_and_the_traces(tenant: Tenant) -> None:
    made = begin(tenant, filters={"agent_id": ["support"]})
    arrive(tenant, 150, "old", 1)
    arrive(tenant, 150, "new", 3)
    look(made)
    shown = page(tenant, f"/{made['id']}").content.decode()
    assert "higher than that of old" in shown
    assert "<circle" in shown
    assert "label.variant=new" in shown
    assert "agent_id=support" in shown
    page(tenant, f"/{made['id']}", 302, {"end": "1"})
    assert "Somebody ended it." in page(tenant, f"/{made['id']}").content.decode()
    page(tenant, f"/{made['id']}", 302, {"delete": "1"})
    assert not Experiment.objects.exists()
