"""Savings: which wastes are found and which habits are not, what people decide, and what was saved."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.http import QueryDict
from django.test import Client
from psycopg.errors import QueryCanceled

from insights.savings import api
from insights.savings import items as savings
from insights.savings import rows as saving_rows
from insights.savings.models import Saving
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.insights import wastes
from tests.insights.wastes import PERSON, SECOND, at, call, long_prompts, nights, same_calls, says, used_before
from tests.jobs_helper import run_waiting_jobs, waiting_jobs
from tests.security.world import selecting, signed_in
from tests.tenant import Tenant
from traces import writer
from traces.row import Row
from web.number_text import usd
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/savings"
DECISIONS = f"{PATH}/decisions"
PAGE = "/dashboard/insights/savings"
NOW = "insights.compute_savings_now"


def compute(tenant: Tenant, rows: Iterable[Row] = (), now: datetime | None = None) -> dict[str, Any]:
    """Stores the calls, computes the savings, and returns them by kind."""
    if stored := list(rows):
        wastes.store(tenant.workspace, stored)
    savings.compute(tenant.workspace, now or datetime.now(UTC))
    return {one["kind"]: one for one in listed(tenant)["data"]}


def listed(tenant: Tenant, **query: str) -> Any:
    response = tenant.client.get(PATH, query)
    assert response.status_code == 200, response.content
    return response.json()


def decide(tenant: Tenant, one: Any, state: str, reason: str = "", expect: int = 200) -> Any:
    body = {"kind": one["kind"], "filters": one["filters"], "state": state, "reason": reason}
    response = tenant.client.post(DECISIONS, body, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json()


def page(tenant: Tenant, **query: str) -> str:
    response = tenant.client.get(PAGE, {"workspace": str(tenant.workspace.id), **query})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def send(tenant: Tenant, expect: int = 302, **form: str) -> None:
    response = tenant.client.post(f"{PAGE}?workspace={tenant.workspace.id}", form)
    assert response.status_code == expect, response.content


# --- What is found ---


def test_six_wastes_are_found_and_ten_habits_that_look_like_one_are_not(tenant: Tenant) -> None:
    compute(tenant, [*wastes.wastes(), *wastes.lookalikes()])
    found = listed(tenant)
    assert {(one["kind"], one["filters"].get("agent_id")) for one in found["data"]} == {
        ("cheaper_model", "triage"),
        ("uncached_prefix", "docs"),
        ("unread_cache_writes", "notes"),
        ("batch", "nightly-report"),
        ("loop", "planner"),
        ("unused_agent", "old-helper"),
    }
    amounts = [one["usd_per_month"] for one in found["data"]]
    assert amounts == sorted(amounts, reverse=True)
    assert found["total_usd_per_month"] == pytest.approx(sum(amounts))
    assert all(1 <= one["low_usd_per_month"] <= one["usd_per_month"] for one in found["data"])


def of_month(usd: float) -> Any:
    return pytest.approx(usd * 365 / 12 / 28)


def test_a_batch_costs_half(tenant: Tenant) -> None:
    """70 calls of 100,000 tokens at $2 and 5,000 at $8 cost $16.80."""
    found = compute(tenant, nights("report"))["batch"]
    assert found["usd_per_month"] == of_month(8.4)
    assert (found["calls"], found["filters"]) == (70, {"agent_id": "report"})
    assert "report calls at night, without user or session: 70 calls" in found["text"]


def test_a_loop_costs_all_its_calls_but_the_first(tenant: Tenant) -> None:
    """40 calls of 80,000 tokens at $1.25 and 10 at $10."""
    found = compute(tenant, [row for row in wastes.wastes() if row.agent_id == "planner"])["loop"]
    assert found["usd_per_month"] == of_month(39 * 0.1001)
    assert found["text"] == "planner asked gpt-5 the same again, 39 times in 1 loop."


def test_writes_that_nobody_reads_cost_what_they_cost_more_than_input(tenant: Tenant) -> None:
    """60 calls write 190,000 tokens at $1.25 instead of $1."""
    found = compute(tenant, [row for row in wastes.wastes() if row.agent_id == "notes"])["unread_cache_writes"]
    assert found["usd_per_month"] == of_month(60 * 0.19 * 0.25)


def test_a_prefix_that_comes_again_is_paid_in_full(tenant: Tenant) -> None:
    """Of each text of about 20,000 characters, 16,384 come again: 9 of 10 calls read them, and one writes them."""
    found = compute(tenant, long_prompts("docs", is_same=True))["uncached_prefix"]
    text = len("You are a lawyer. " * 1_112 + "Question 1 0")
    tokens = 20_000 * 16_384 / text
    assert found["usd_per_month"] == pytest.approx((90 * 2.7 - 10 * 0.75) * tokens / 1e6 * 365 / 12 / 28, rel=0.001)
    assert found["low_usd_per_month"] == pytest.approx(found["usd_per_month"] * 0.8)
    assert found["calls"] == 90


def test_failed_calls_that_cost_money_are_found_by_error(tenant: Tenant) -> None:
    failed = {"status": "error", "error_type": "bad_json"}
    rows = [call(at(day), "parser", "gpt-4.1", (500_000, 10), **PERSON, **failed) for day in range(1, 7)]
    found = compute(tenant, rows)["paid_failures"]
    assert found["usd_per_month"] == of_month(6 * 1.00008)
    assert found["filters"]["error_type"] == "bad_json"


def test_answers_of_unusual_length_and_runs_of_unusual_length_are_found(tenant: Tenant) -> None:
    """A run of 50 calls where one is usual, and ten answers of 20,000 tokens where 100 are usual."""
    rows = [call(at(day), "coder", "gpt-4.1", (100, 100), **PERSON) for day in range(1, 11) for _ in range(3)]
    rows += [call(at(day), "coder", "gpt-4.1", (100, 20_000), **PERSON) for day in range(1, 11)]
    rows += [call(at(2) + place * SECOND, "coder", "gpt-4.1", (60_000, 9), trace_id="long") for place in range(50)]
    found = compute(tenant, rows)
    assert found["long_outputs"]["usd_per_month"] == of_month(10 * 18_000 * 8 / 1e6)
    assert found["long_runs"]["usd_per_month"] == of_month(50 * 0.120072 * 0.8)


# --- What makes the difference ---


def test_a_cheaper_model_needs_no_scores_but_no_worse_ones(tenant: Tenant) -> None:
    assert "cheaper_model" in compute(tenant, same_calls("other", range(1, 11)))
    assert compute(tenant, same_calls("writer", range(1, 11)))["cheaper_model"]["filters"]["agent_id"] == "other"


def test_a_cheaper_model_that_fails_more_often_is_no_saving(tenant: Tenant) -> None:
    rows = list(same_calls("triage", range(1, 11)))
    for row in [row for row in rows if row.model == "gpt-4o-mini"][:10]:
        row.status, row.error_type = "error", "bad_json"
    assert compute(tenant, rows) == {}


def test_a_new_agent_and_one_evaluation_are_a_saving_once_they_are_a_habit(tenant: Tenant) -> None:
    assert compute(tenant, same_calls("newcomer", range(1, 2), 150)) == {}
    assert "cheaper_model" in compute(tenant, same_calls("newcomer", range(2, 9)))


def test_a_person_in_the_night_waits_for_the_answer(tenant: Tenant) -> None:
    assert compute(tenant, nights("desk", user_id="ada")) == {}
    assert compute(tenant, nights("other-desk", session_id="s")) == {}


def test_agents_of_a_season_are_used_again(tenant: Tenant) -> None:
    assert compute(tenant, used_before("tax", [range(30, 40), range(80, 90)])) == {}
    assert "unused_agent" in compute(tenant, used_before("old", [range(30, 40)]))


def test_calls_that_repeat_what_failed_are_no_loop(tenant: Tenant) -> None:
    """Twelve calls a minute on ten days."""

    def calls(agent: str, status: str) -> list[Row]:
        moments = [at(day) + 4 * place * SECOND for day in range(1, 11) for place in range(12)]
        return [call(one, agent, "gpt-5", (80_000, 10), **says("Fetch"), status=status, **PERSON) for one in moments]

    failing = compute(tenant, calls("fetcher", "error"))
    assert {*failing} == {"paid_failures"}
    assert compute(tenant, calls("poller", "success"))["loop"]["filters"]["agent_id"] == "poller"


def test_savings_below_a_dollar_a_month_are_not_shown(tenant: Tenant) -> None:
    """Seven calls of $0.20: in a batch they would cost $0.70 less, which is $0.76 a month."""
    assert compute(tenant, (call(at(day, 2), "small", "gpt-4.1", (100_000, 10)) for day in range(1, 8))) == {}


@pytest.mark.parametrize("setting", [{"store_content": False}, {"content_visible_to": "nobody"}])
def test_texts_are_not_compared_where_nobody_may_see_them(tenant: Tenant, setting: dict[str, Any]) -> None:
    Workspace.objects.filter(pk=tenant.workspace.pk).update(**setting)
    tenant.workspace.refresh_from_db()
    assert compute(tenant, long_prompts("docs", is_same=True)) == {}
    assert "repeated prefixes and loops were not looked for" in listed(tenant)["notes"][0]


def test_of_very_many_calls_some_parts_are_read_and_scaled(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each night a loop of twelve calls, and each morning twelve calls that differ."""
    monkeypatch.setattr(saving_rows, "MOST_ROWS", 192)
    places = [(day, hour, place) for day in range(1, 29) for hour in (3, 9) for place in range(12)]
    rows = [
        call(at(day, hour) + place * SECOND, "poller", "gpt-5", (80_000, 10), **says(text), **PERSON)
        for day, hour, place in places
        for text in [f"Question {place * (hour == 9)}"]
    ]
    found = compute(tenant, rows, now=at(0, 0))["loop"]
    whole = len(rows) / 2 * 11 / 12 * 0.1001 * 365 / 12 / 28
    assert 1 < found["low_usd_per_month"] < whole < found["high_usd_per_month"]
    assert found["usd_per_month"] == pytest.approx(whole, rel=0.3)


def test_a_cache_that_would_cost_more_is_no_saving_however_few_calls_are_read() -> None:
    """Each dollar of calls would cost 10 cents more in one part, and 30 cents more in another."""
    found = [{"usd": Decimal(-10)}, {"usd": Decimal(-30)}]
    usd, low, high = saving_rows.Estimate(found, [Decimal(100)] * 2, Decimal(1000)).usd(lambda row: row["usd"])
    assert usd == -200
    assert low < usd < high


def test_another_workspace_is_neither_looked_at_nor_shown(tenant: Tenant) -> None:
    other = WorkspaceFactory()
    writer.store(other.id, list(nights("theirs")))
    savings.compute(other, datetime.now(UTC))
    assert compute(tenant) == {}
    [theirs] = Saving.objects.filter(workspace=other)
    send(tenant, 404, saving=str(theirs.id), decision="done")
    decide(tenant, {"kind": theirs.kind, "filters": theirs.filters}, "dismissed", "mine")
    theirs.refresh_from_db()
    assert theirs.state == "open"


# --- What leads to the calls ---


def test_the_link_shows_the_calls_behind_a_saving(tenant: Tenant) -> None:
    found = compute(tenant, nights("report"))["batch"]
    query = QueryDict(found["traces_path"].partition("?")[2], mutable=True)
    assert query.pop("workspace") == [str(tenant.workspace.id)]
    traces = tenant.client.get("/api/v1/traces", {**query.dict(), "limit": "100"}).json()["data"]
    assert len(traces) == found["calls"]


# --- What people decide, and what was saved ---


def test_a_dismissed_saving_needs_a_reason_and_stays_dismissed(tenant: Tenant) -> None:
    found = compute(tenant, nights("report"))["batch"]
    problem = decide(tenant, found, "dismissed", " ", 422)
    assert problem["errors"][0]["loc"] == ["body", "reason"]
    changed = decide(tenant, found, "dismissed", "the customer waits")
    assert (changed["state"], changed["reason"], changed["id"]) == ("dismissed", "the customer waits", found["id"])
    assert compute(tenant) == {}
    [dismissed] = listed(tenant, state="dismissed")["data"]
    assert dismissed["usd_per_month"] == found["usd_per_month"]
    decide(tenant, found, "open")
    assert "batch" in compute(tenant)


def test_what_is_done_is_measured_by_the_same_formula(tenant: Tenant) -> None:
    """$8.40 in four weeks before; then two nights of fourteen are still at the usual price."""
    found = compute(tenant, nights("report"))["batch"]
    done = decide(tenant, found, "done", "moved to the batch API")
    assert done["effect"] == {
        "before_usd_per_month": found["usd_per_month"],
        "after_usd_per_month": None,
        "saved_usd_per_month": None,
        "measured_at": None,
    }
    Saving.objects.update(decided_at=at(14, 0))
    compute(tenant)
    [measured] = listed(tenant, state="done")["data"]
    assert measured["effect"]["after_usd_per_month"] > found["usd_per_month"]  # in half the time
    assert "Nothing was saved" in page(tenant, state="done")
    Saving.objects.update(decided_at=at(0, 0) - timedelta(days=8))
    compute(tenant, now=at(0, 0) + timedelta(days=30))
    [measured] = listed(tenant, state="done")["data"]
    assert measured["effect"]["saved_usd_per_month"] == found["usd_per_month"]
    assert f"Saved {usd(found['usd_per_month'])} a month" in page(tenant, state="done")


def test_too_few_calls_since_do_not_say_that_all_was_saved(tenant: Tenant) -> None:
    """Six calls a day go on as before: in eight days they are fewer than the 100 that the formula needs."""
    found = compute(tenant, same_calls("triage", range(1, 22), 6))["cheaper_model"]
    decide(tenant, found, "done")
    Saving.objects.update(decided_at=at(8, 0))
    compute(tenant)
    [waiting] = listed(tenant, state="done")["data"]
    assert (waiting["effect"]["after_usd_per_month"], waiting["effect"]["measured_at"]) == (None, None)
    assert "once there are enough calls" in page(tenant, state="done")


def test_what_takes_too_long_to_measure_keeps_the_others(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compute(tenant, nights("report"))["batch"]
    decide(tenant, found, "done")
    Saving.objects.update(decided_at=at(8, 0))

    def too_slow(window: Any) -> Any:
        raise OperationalError from QueryCanceled()

    monkeypatch.setitem(savings.KINDS, "batch", too_slow)
    assert "cheaper_model" in compute(tenant, same_calls("triage", range(1, 11)))
    [waiting] = listed(tenant, state="done")["data"]
    assert waiting["effect"]["after_usd_per_month"] is None
    assert "batch took too long" in listed(tenant)["notes"][0]


def test_a_decision_made_while_savings_are_computed_stays(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compute(tenant, nights("report"))["batch"]
    get_or_create = Saving.objects.get_or_create

    def then_somebody_decides(**values: Any) -> Any:
        read = get_or_create(**values)
        decide(tenant, found, "dismissed", "the customer waits")
        return read

    monkeypatch.setattr(Saving.objects, "get_or_create", then_somebody_decides)
    compute(tenant)
    [dismissed] = listed(tenant, state="dismissed")["data"]
    assert dismissed["reason"] == "the customer waits"


def test_what_was_not_found_can_be_dismissed_and_not_done(tenant: Tenant) -> None:
    known = {"kind": "batch", "filters": {"agent_id": "report"}}
    decide(tenant, known, "done", expect=409)
    decide(tenant, known, "dismissed", "never")
    assert compute(tenant, nights("report")) == {}


def test_decisions_about_what_was_never_found_are_limited(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_STORED", 2)
    for agent in ("a", "b"):
        decide(tenant, {"kind": "batch", "filters": {"agent_id": agent}}, "dismissed", "never")
    decide(tenant, {"kind": "batch", "filters": {"agent_id": "c"}}, "dismissed", "never", 409)
    decide(tenant, {"kind": "batch", "filters": {"agent_id": "a"}}, "dismissed", "not this year")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"kind": "magic"}, "kind"),
        ({"filters": {}}, "filters"),
        ({"filters": {"colour": "red"}}, "filters"),
        ({"filters": {"agent_id": "a\0"}}, "filters"),
        ({"state": "maybe"}, "state"),
        ({"reason": "x" * 501}, "reason"),
        ({"more": 1}, "more"),
    ],
)
def test_a_bad_decision_is_refused(tenant: Tenant, body: dict[str, Any], place: str) -> None:
    usual = {"kind": "batch", "filters": {"agent_id": "a"}, "state": "dismissed", "reason": "r"}
    response = tenant.client.post(DECISIONS, usual | body, content_type="application/json")
    assert response.status_code == 422, response.content
    assert place in response.json()["errors"][0]["loc"]


def test_a_computation_that_somebody_asks_for_runs_once(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, list(nights("report")))
    for _ in range(2):
        response = tenant.client.post(PATH, {}, content_type="application/json")
        assert (response.status_code, response.json()["is_being_computed"]) == (202, True)
    assert len(waiting_jobs(NOW)) == 1
    run_waiting_jobs(NOW)
    found = listed(tenant)
    assert (found["is_being_computed"], len(found["data"])) == (False, 1)
    assert found["computed_at"] is not None


def test_viewers_read_and_change_nothing() -> None:
    workspace = WorkspaceFactory()
    writer.store(workspace.id, list(nights("report")))
    savings.compute(workspace, datetime.now(UTC))
    client, headers = signed_in(MembershipFactory(workspace=workspace, role="viewer").user)
    address = f"{PAGE}?workspace={workspace.id}"
    shown = client.get(address).content.decode()
    assert "report calls at night" in shown
    assert "<button" not in shown.partition("<main")[2].partition("</main>")[0]
    headers = headers | selecting(workspace.id)
    assert client.post(address, {"compute": "1"}, headers=headers).status_code == 403
    for path in (PATH, DECISIONS):
        assert client.post(path, {}, content_type="application/json", headers=headers).status_code == 403
    _, secret = an_api_key("read", workspace=workspace)
    headers = {"Authorization": f"Bearer {secret}"} | selecting(workspace.id)
    assert Client().post(DECISIONS, {}, content_type="application/json", headers=headers).status_code == 403


# --- The page ---


def test_the_page_says_what_comes_and_then_what_was_found(tenant: Tenant) -> None:
    assert "They are computed every Monday" in page(tenant)
    send(tenant, compute="1")
    assert "They are being computed" in page(tenant)
    writer.store(tenant.workspace.id, list(nights("report")))
    run_waiting_jobs(NOW)
    shown = page(tenant)
    assert "$9.13 a month could be saved" in shown
    assert "$9.13 a month: report calls at night" in shown
    assert "The 70 calls behind it" in shown


def test_the_forms_of_the_page_decide(tenant: Tenant) -> None:
    found = compute(tenant, nights("report"))["batch"]
    send(tenant, 422, saving=found["id"], decision="dismissed")
    send(tenant, saving=found["id"], decision="dismissed", reason="no")
    assert "Nothing was found in the last four weeks" in page(tenant)
    assert "Dismissed by" in page(tenant, state="dismissed")
    send(tenant, saving=found["id"], decision="open")
    assert "report calls at night" in page(tenant)
    send(tenant, 422, saving=found["id"], decision="sold")
    send(tenant, 404, saving="not an id", decision="open")
