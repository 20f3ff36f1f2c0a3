"""Unusual hours: what is found, how it is told, and what people decide about it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from insights import tasks
from insights.anomalies import findings
from insights.models import Finding
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.insights.months import a_finding, a_month, unusual_calls
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from workspaces.models import Annotation, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/anomalies"
WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
LATER = NOON + timedelta(hours=6)


def ask(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(PATH, WINDOW | query)
    assert response.status_code == expect, response.content
    return response.json()


def found(tenant: Tenant, **query: Any) -> Any:
    return ask(tenant, **query)["data"]


def decide(tenant: Tenant, anomaly_id: str, expect: int = 200, **body: Any) -> Any:
    response = tenant.client.patch(f"{PATH}/{anomaly_id}", body, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json()


def a_loop(tenant: Tenant) -> None:
    """Stores a month, and two hours in which one agent calls 30 times an hour, for a dollar each."""
    a_month(tenant)
    unusual_calls(tenant, 30, agent_id="loop", model="gpt-5", cost="1")


def test_dear_hours_of_a_new_agent_are_one_event_told_by_the_agent(tenant: Tenant) -> None:
    a_loop(tenant)
    [one] = found(tenant)
    assert (one["measure"], one["scope"]) == ("spend", {"agent_id": "loop"})
    assert one["impact"]["usd"] == pytest.approx(60, abs=0.1)


def test_a_known_agent_is_the_narrowest_cause(tenant: Tenant) -> None:
    a_month(tenant)
    a_month(tenant, count=1, agent_id="loop", model="gpt-5")
    unusual_calls(tenant, 30, agent_id="loop", model="gpt-5", cost="1")
    [one] = found(tenant)
    assert one["scope"] in ({"agent_id": "loop"}, {"model": "gpt-5"})
    assert (one["start"], one["end"]) == (NOON.isoformat().replace("+00:00", "Z"), iso(NOON + timedelta(hours=2)))
    assert one["value"] == pytest.approx(60.2)
    assert one["expected"] == pytest.approx(0.2)
    assert one["impact"]["calls"] == pytest.approx(60)
    assert "$60" in one["sentence"]
    assert "calls were" in one["sentence"]
    assert [other["measure"] for other in one["also"]] == ["calls"]
    assert {other["dimension"] for other in one["contributors"]} <= {"agent_id", "model", "provider", "environment"}
    assert one["contributors"][0]["amount"] - one["contributors"][0]["usual"] == pytest.approx(60)


def test_usual_hours_are_not_listed_and_the_answer_says_what_was_looked_at(tenant: Tenant) -> None:
    a_month(tenant)
    answer = ask(tenant)
    assert answer["data"] == []
    assert {one["dimension"]: one["series"] for one in answer["looked_at"]} == {
        None: 1,
        "agent_id": 1,
        "provider": 1,
        "model": 1,
        "environment": 0,
    }


def test_an_empty_workspace_has_none(tenant: Tenant) -> None:
    assert ask(tenant)["data"] == []


def test_other_workspaces_are_unseen(tenant: Tenant) -> None:
    a_loop(tenant)
    other = Tenant(WorkspaceFactory(id=uuid4()), tenant.client)
    response = tenant.client.get(PATH, WINDOW, headers={"X-Workspace-ID": str(other.workspace.id)})
    assert response.status_code in (401, 403)
    [one] = found(tenant)
    stranger = Client(headers={"X-Workspace-ID": str(other.workspace.id)})
    assert stranger.patch(f"{PATH}/{one['id']}", {"state": "dismissed"}, "application/json").status_code in (401, 403)


def test_hours_that_are_filled_later_are_found(tenant: Tenant) -> None:
    a_month(tenant)
    assert found(tenant) == []
    unusual_calls(tenant, 30, cost="1")
    assert len(found(tenant)) == 1


def test_failed_calls_are_found(tenant: Tenant) -> None:
    a_month(tenant, count=10)
    unusual_calls(tenant, 20, status="error", error_type="rate_limit", cost="0")
    errors = found(tenant, measure="errors")
    assert len(errors) == 1
    assert errors[0]["impact"]["calls"] == pytest.approx(40, abs=1)
    assert errors[0]["sentence"].startswith("Failed calls")


def test_slow_calls_are_found_by_their_95th_percentile(tenant: Tenant) -> None:
    a_month(tenant, count=25)
    rows = [a_row(NOON + timedelta(seconds=3600 * h + 5 * n), latency_ms=9000) for h in range(2) for n in range(60)]
    writer.store(tenant.workspace.id, rows)
    [one] = found(tenant, measure="latency")
    assert one["value"] == pytest.approx(9000, rel=0.02)
    assert one["expected"] == pytest.approx(800, rel=0.02)
    assert one["impact"]["calls"] == 170


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"measure": "spend"}, 1),
        ({"measure": "errors"}, 0),
        ({"min_usd": "50"}, 1),
        ({"min_usd": "70"}, 0),
        ({"min_calls": "70"}, 0),
        ({"min_users": "1"}, 0),
        ({"min_percent_of_day": "100"}, 1),
        ({"min_percent_of_day": "100000"}, 0),
        ({"state": "dismissed"}, 0),
        ({"agent_id": "support"}, 0),
    ],
)
def test_filters_choose(tenant: Tenant, query: dict[str, str], count: int) -> None:
    a_loop(tenant)
    assert len(found(tenant, **query)) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"measure": "tokens"}, "measure"),
        ({"min_usd": "-1"}, "min_usd"),
        ({"min_usd": "nan"}, "min_usd"),
        ({"start": iso(NOON - timedelta(days=40))}, "start"),
        ({"user_id": "ada"}, "user_id"),
    ],
)
def test_a_wrong_parameter_is_named(tenant: Tenant, query: dict[str, str], field: str) -> None:
    assert [error["loc"] for error in ask(tenant, 422, **query)["errors"]] == [["query", field]]


def test_a_planned_load_is_neither_unusual_nor_learnt_from(tenant: Tenant) -> None:
    a_loop(tenant)
    Annotation.objects.create(
        workspace=tenant.workspace, kind="planned", label="load test",
        starts_at=NOON, ends_at=NOON + timedelta(hours=2),
    )  # fmt: skip
    assert found(tenant) == []


def test_a_planned_load_of_another_agent_hides_nothing_of_this_one(tenant: Tenant) -> None:
    a_month(tenant)
    a_month(tenant, count=1, agent_id="loop")
    unusual_calls(tenant, 30, agent_id="loop", cost="1")
    Annotation.objects.create(
        workspace=tenant.workspace, kind="planned", label="load test", filters={"agent_id": ["support"]},
        starts_at=NOON, ends_at=NOON + timedelta(hours=2),
    )  # fmt: skip
    assert [one["scope"] for one in found(tenant)] == [{"agent_id": "loop"}]


# --- Decisions ---


def test_a_dismissed_anomaly_is_listed_no_longer_and_opens_again(tenant: Tenant) -> None:
    a_loop(tenant)
    [one] = found(tenant)
    decided = decide(tenant, one["id"], state="dismissed", reason="we tested the loop")
    assert (decided["id"], decided["state"], decided["reason"]) == (one["id"], "dismissed", "we tested the loop")
    assert found(tenant) == []
    [again] = found(tenant, state="dismissed")
    assert again["id"] == one["id"]
    decide(tenant, one["id"], state="open")
    assert [other["id"] for other in found(tenant)] == [one["id"]]


def test_two_decisions_at_once_make_one_annotation(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = a_finding(tenant.workspace, str(uuid4()))
    find = findings.find

    def then_somebody_else_decides(workspace: Workspace, finding_id: UUID) -> Finding:
        read = find(workspace, finding_id)
        monkeypatch.undo()
        findings.decide(workspace, finding_id, "planned", "load test", "ada")
        return read

    monkeypatch.setattr(findings, "find", then_somebody_else_decides)
    findings.decide(tenant.workspace, UUID(stored.pk), "planned", "load test", "grace")
    assert Annotation.objects.count() == 1


def test_a_planned_one_becomes_an_annotation_that_is_left_out_and_open_deletes_it(tenant: Tenant) -> None:
    a_loop(tenant)
    [one] = found(tenant)
    decide(tenant, one["id"], state="planned", reason="load test")
    annotation = Annotation.objects.get()
    assert (annotation.kind, annotation.label, annotation.starts_at) == ("planned", "load test", NOON)
    assert found(tenant) == []
    assert [other["state"] for other in found(tenant, state="planned")] == ["planned"]
    decide(tenant, one["id"], state="open")
    assert not Annotation.objects.exists()
    assert [other["id"] for other in found(tenant)] == [one["id"]]


def test_an_unknown_anomaly_is_not_found(tenant: Tenant) -> None:
    decide(tenant, str(uuid4()), 404, state="dismissed")


def test_the_job_stores_each_anomaly_once_and_keeps_what_people_decided(tenant: Tenant) -> None:
    a_loop(tenant)
    [new] = findings.store_new(tenant.workspace, LATER)
    assert new.first_seen == LATER
    assert findings.store_new(tenant.workspace, LATER + timedelta(hours=1)) == []
    decide(tenant, str(new.pk), state="dismissed", reason="known")
    assert findings.store_new(tenant.workspace, LATER + timedelta(hours=1)) == []
    assert [(one.state, one.reason) for one in Finding.objects.all()] == [("dismissed", "known")]
    assert found(tenant, state="dismissed")[0]["first_seen"] == LATER.isoformat().replace("+00:00", "Z")


def test_an_anomaly_that_goes_on_is_the_same_one(tenant: Tenant) -> None:
    a_loop(tenant)
    findings.store_new(tenant.workspace, LATER)
    unusual_calls(tenant, 30, hours=1, at=NOON + timedelta(hours=2), agent_id="loop", model="gpt-5", cost="1")
    assert findings.store_new(tenant.workspace, LATER) == []
    [stored] = Finding.objects.all()
    assert stored.ends_at == NOON + timedelta(hours=3)
    assert stored.impact_usd == pytest.approx(90, abs=0.2)


def test_an_anomaly_that_another_measure_tells_later_is_the_same_one(tenant: Tenant) -> None:
    a_month(tenant)
    unusual_calls(tenant, 30, agent_id="loop", cost="0.001")
    [stored] = findings.store_new(tenant.workspace, LATER)
    decide(tenant, str(stored.pk), state="dismissed", reason="a test")
    unusual_calls(tenant, 30, agent_id="loop", cost="1")
    assert findings.store_new(tenant.workspace, LATER) == []
    assert (stored.measure, found(tenant)) == ("calls", [])
    [dismissed] = found(tenant, state="dismissed")
    assert (dismissed["measure"], dismissed["reason"]) == ("spend", "a test")


def test_rules_read_what_was_found_since_and_is_worth_enough(tenant: Tenant) -> None:
    a_loop(tenant)
    findings.store_new(tenant.workspace, LATER)
    workspace_id = tenant.workspace.pk
    assert len(findings.unusual_since(workspace_id, LATER, ["spend"], min_usd=50)) == 1
    assert findings.unusual_since(workspace_id, LATER, min_usd=70) == []
    assert findings.unusual_since(workspace_id, LATER, ["errors"]) == []
    assert findings.unusual_since(workspace_id, LATER + timedelta(minutes=1)) == []


def test_the_tasks_look_at_workspaces_without_calls_and_delete_old_findings(tenant: Tenant) -> None:
    tasks.find_anomalies(NOON.isoformat())
    assert not Finding.objects.exists()
    a_finding(tenant.workspace, str(uuid4()))
    Finding.objects.update(starts_at=NOON - timedelta(days=402), ends_at=NOON - timedelta(days=401))
    kept = a_finding(tenant.workspace, str(uuid4()))
    tasks.delete_old_findings(NOON.isoformat())
    assert [one.pk for one in Finding.objects.all()] == [UUID(str(kept.pk))]


# --- The page ---


def page(tenant: Tenant, expect: int = 200, **query: Any) -> str:
    query = {"workspace": str(tenant.workspace.id), **query}
    response = tenant.client.get("/dashboard/insights/anomalies", query)
    assert response.status_code == expect, response.content
    return " ".join(response.content.decode().split())


def panel(tenant: Tenant, **query: Any) -> str:
    response = tenant.client.get(PATH, WINDOW | query, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def test_the_page_asks_for_the_anomalies_of_the_last_week(tenant: Tenant) -> None:
    text = page(tenant, agent_id="support", user_id="ada", measure="")
    assert f"{PATH}?agent_id=support&amp;range=7d" in text


def test_the_list_tells_each_and_leads_to_its_hours(tenant: Tenant) -> None:
    a_loop(tenant)
    text = panel(tenant)
    assert "Spend of agent loop was $60" in text
    assert "$60.00 more" in text
    assert f"/dashboard/cost?workspace={tenant.workspace.id}&amp;start=" in text
    assert "compare=last_week" in text
    assert "Dismiss" in text


def test_a_form_dismisses_one(tenant: Tenant) -> None:
    a_loop(tenant)
    [one] = found(tenant)
    form = {"id": one["id"], "state": "dismissed", "reason": "known", "workspace": str(tenant.workspace.id)}
    response = tenant.client.post(f"/dashboard/insights/anomalies?workspace={tenant.workspace.id}", form)
    assert response.status_code == 302
    assert Finding.objects.get().state == "dismissed"


def test_a_viewer_reads_and_decides_nothing(tenant: Tenant) -> None:
    membership = MembershipFactory(workspace=WorkspaceFactory(), role="viewer")
    client = Client()
    client.force_login(membership.user)
    form = {"id": str(uuid4()), "state": "dismissed"}
    path = f"/dashboard/insights/anomalies?workspace={membership.workspace.pk}"
    assert client.get(path).status_code == 200
    assert client.post(path, form).status_code == 403


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"min_usd": "-1"}, "must be a number that is at least 0"),
        ({"min_calls": "many"}, "must be a number that is at least 0"),
        ({"limit": "0"}, "must be a whole number from 1 to 100"),
    ],
)
def test_the_error_of_a_number_names_the_bounds_of_its_own_field(
    tenant: Tenant, query: dict[str, str], message: str
) -> None:
    [error] = ask(tenant, 422, **query)["errors"]
    assert (error["loc"], error["msg"]) == (["query", *query], message)
