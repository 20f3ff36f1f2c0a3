"""Reports of a window, as clients fetch them: their figures are those of the API."""

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from budgets.models import Budget
from reports.colours import LIGHT
from reports.exports.slots import OF_A_WORKSPACE, report_slot
from reports.making import FileFormat
from reports.parameters import parse
from reports.periods import PERIODS, window_of
from reports.schedules.periods import next_due
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.reports.schedules import a_schedule
from tests.reports.test_exports import HOSTILE, SHEET
from tests.security.world import CANARY, a_world, selecting, signed_in
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

AROUND_NOON = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
ABOUT_ACME = {"label.customer": "acme"}
FORMATS = ("json", "html", "csv", "xlsx", "pdf")
LISTED = ("cost", "performance", "statement", "usage")


def fetched(tenant: Tenant, name: str, expect: int = 200, **query: Any) -> Any:
    query = query if {"period", "range", "start"} & query.keys() else AROUND_NOON | query
    response = tenant.client.get(f"/api/v1/reports/{name}", query)
    assert response.status_code == expect, response.content[:500]
    return response


def report(tenant: Tenant, kind: str, **query: Any) -> Any:
    return fetched(tenant, f"{kind}.json", **query).json()


def figures(document: Any) -> dict[str, Any]:
    return {one["label"]: one["value"] for section in document["sections"] for one in section["figures"]}


def tables(document: Any) -> dict[str, Any]:
    return {one["title"]: one for section in document["sections"] for one in section["tables"]}


def charts(document: Any) -> dict[str, Any]:
    return {one["title"]: one for section in document["sections"] for one in section["charts"]}


def titles(document: Any) -> list[str]:
    return [section["title"] for section in document["sections"]]


def fill(tenant: Tenant) -> None:
    """Stores calls of two customers: acme has three for $6, globex one for $1, and one call has no price."""
    tenant.calls(2, user_id="ada", labels={"customer": "acme"}, cost_usd="2", latency_ms=100.0, input_tokens=10)
    tenant.calls(1, user_id="bob", labels={"customer": "acme"}, cost_usd="2", model="o4-mini", latency_ms=900.0)
    tenant.calls(1, user_id="bob", labels={"customer": "globex"}, cost_usd="1", agent_id="sales", status="error")
    tenant.calls(1, NOON + timedelta(hours=1), model="unknown", error_type="rate_limit", status="error")
    tenant.calls(1, NOON - timedelta(days=1), cost_usd="3.5")


def workbook(file: bytes) -> list[list[list[str]]]:
    """Returns the cells of each sheet as texts. No cell is a formula or a link."""
    archive = zipfile.ZipFile(io.BytesIO(file))
    texts = [
        "".join(item.itertext())
        for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).iter(f"{SHEET}si")  # noqa: S314
    ]
    count = sum(name.startswith("xl/worksheets/sheet") for name in archive.namelist())
    sheets = [archive.read(f"xl/worksheets/sheet{number}.xml") for number in range(1, count + 1)]
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
    return [
        [
            [
                texts[int(value)] if cell.get("t") == "s" else value
                for cell in row
                if (value := "".join(cell.itertext()))
            ]
            for row in ElementTree.fromstring(sheet).iter(f"{SHEET}row")  # noqa: S314
        ]
        for sheet in sheets
    ]


# --- Figures ---


def test_the_cost_report_has_the_figures_of_the_api(tenant: Tenant) -> None:
    fill(tenant)
    document, overview, models = report(tenant, "cost"), tenant.ask("cost/overview"), tenant.ask("cost/by-model")
    assert figures(document)["Spend"] == overview["total_spend_usd"] == 7.0
    assert figures(document)["Calls without a price"] == overview["unpriced_calls"] == 1
    assert figures(document)["Cost per call"] == overview["avg_cost_per_call_usd"]
    rows = tables(document)["Cost by model"]["rows"]
    assert [{name: row[name] for name in row} for row in rows] == [
        {name: model[name] for name in rows[0]} for model in models["data"]
    ]
    assert [(row["label.customer"], row["cost_usd"]) for row in tables(document)["Cost by customer"]["rows"]] == [
        ("acme", 6.0),
        ("globex", 1.0),
        ("no customer", None),
    ]
    assert [(row["agent_id"], row["cost_usd"]) for row in tables(document)["Cost by agent"]["rows"]] == [
        ("support", 6.0),
        ("sales", 1.0),
    ]
    assert tables(document)["Cost over time"]["totals"]["cost_usd"] == 7.0
    drawn = charts(document)["Cost over time by model"]["series"]
    assert sum(value or 0 for one in drawn if not one["is_before"] for value in one["values"]) == 7.0
    assert document["sentence"] == (
        f"Spend was $7.00 on {NOON:%-d %B %Y}, 100 % more than on the day before. gpt-4o is 71 % of it. "
        "1 call has no price and is in no total."
    )


def test_what_changed_adds_up_and_is_that_of_the_api(tenant: Tenant) -> None:
    fill(tenant)
    table = tables(report(tenant, "cost"))["What changed"]
    answer = tenant.ask("insights/changes", measure="cost_usd", by="agent_id")
    assert table["totals"]["contribution_usd"] == answer["change"] == 3.5
    assert sum(row["contribution_usd"] for row in table["rows"]) == pytest.approx(3.5)


def test_budgets_show_the_periods_that_overlap_the_window(tenant: Tenant) -> None:
    fill(tenant)
    Budget.objects.create(workspace=tenant.workspace, name="Every day", period="day", amount_usd=5)
    window = {"start": iso(NOON.replace(hour=0)), "end": iso(NOON.replace(hour=0) + timedelta(days=1))}
    [row] = tables(report(tenant, "cost", **window))["Budgets"]["rows"]
    assert (row["budget"], row["spent_usd"], row["limit_usd"], row["state"]) == (
        "Every day",
        7.0,
        5.0,
        "over its limit",
    )
    assert datetime.fromisoformat(row["period_start"]) == NOON.replace(hour=0)


def test_days_of_budgets_are_those_of_the_workspace_in_every_zone(tenant: Tenant) -> None:
    fill(tenant)
    Budget.objects.create(workspace=tenant.workspace, name="Every day", period="day", amount_usd=5)
    window = {"start": iso(NOON.replace(hour=0)), "end": iso(NOON.replace(hour=0) + timedelta(days=1))}
    [row] = tables(report(tenant, "cost", zone="America/New_York", **window))["Budgets"]["rows"]
    first = datetime.fromisoformat(row["period_start"]).astimezone(ZoneInfo("America/New_York"))
    assert (first.date(), first.hour) == (NOON.date(), 0)


def test_a_report_about_a_part_has_no_budgets_and_savings_of_the_whole(tenant: Tenant) -> None:
    fill(tenant)
    Budget.objects.create(workspace=tenant.workspace, name="Secret", period="day", amount_usd=5)
    assert "Budgets" in titles(report(tenant, "cost"))
    document = report(tenant, "cost", **ABOUT_ACME)
    assert "Secret" not in str(document)
    assert document["filters"] == [{"name": "customer", "values": "acme"}]


def test_the_usage_report_has_the_figures_of_the_api(tenant: Tenant) -> None:
    fill(tenant)
    document, overview = report(tenant, "usage"), tenant.ask("usage/overview")
    assert figures(document) == {
        "Calls": overview["total_calls"],
        "Users": overview["unique_users"],
        "Agents": overview["active_agents"],
        "Calls per user": overview["avg_calls_per_user"],
    }
    users = [(user["user_id"], user["calls"], user["cost_usd"]) for user in tenant.ask("usage/top-users")["data"]]
    shown = tables(document)["Users with the most calls"]["rows"]
    assert (
        [(row["user_id"], row["calls"], row["cost_usd"]) for row in shown]
        == users
        == [
            ("ada", 2, 4.0),
            ("bob", 2, 3.0),
        ]
    )
    over_time = tables(document)["Calls over time"]
    assert over_time["totals"]["calls"] == sum(row["calls"] for row in over_time["rows"]) == 5
    assert document["sentence"].startswith("2 users made 5 calls with 2 agents")


def test_calls_without_a_user_are_not_those_of_no_user(tenant: Tenant) -> None:
    tenant.calls(2)
    assert report(tenant, "usage")["sentence"] == f"1 agent made 2 calls on {NOON:%-d %B %Y}. No call names a user."


def test_the_performance_report_has_the_figures_of_the_api(tenant: Tenant) -> None:
    fill(tenant)
    document, overview = report(tenant, "performance"), tenant.ask("performance/overview")
    found = figures(document)
    assert [found[f"p{share} latency"] for share in (50, 95, 99)] == [
        overview[f"p{share}_latency_ms"] for share in (50, 95, 99)
    ]
    assert (found["Error rate"], found["Calls"]) == (overview["error_rate"], 5)
    assert [row["error_type"] for row in tables(document)["Errors by type"]["rows"]] == ["rate_limit", "no type"]
    points = tenant.ask("performance/latency", granularity="hourly")["data"]
    assert [row["p95_latency_ms"] for row in tables(document)["Latency over time"]["rows"]] == [
        point["p95_latency_ms"] for point in points
    ]
    assert tables(document)["Models, the slowest first"]["rows"][0]["model"] == "o4-mini"
    assert "2 calls" not in document["sentence"]
    assert "40 % of the calls failed" in document["sentence"]


def test_the_lines_of_a_statement_add_up_to_its_total(tenant: Tenant) -> None:
    fill(tenant)
    document = report(tenant, "statement", **ABOUT_ACME)
    assert document["subject"] == "customer acme"
    assert document["title"] == "Statement for acme"
    assert document["filters"] == []
    assert figures(document)["Total"] == tenant.ask("cost/overview", **ABOUT_ACME)["total_spend_usd"] == 6.0
    lines = tables(document)["Lines by time and model"]
    assert [(row["model"], row["calls"], row["cost_usd"]) for row in lines["rows"]] == [
        ("gpt-4o", 2, 4.0),
        ("o4-mini", 1, 2.0),
    ]
    assert lines["totals"]["cost_usd"] == 6.0
    assert "globex" not in str(document)


def test_a_statement_may_have_thousands_of_lines(tenant: Tenant) -> None:
    first = NOON - timedelta(days=59)
    rows = [
        a_row(first + timedelta(days=day), agent_id="support", model=f"m{model:02}", cost_usd="0.5")
        for day in range(60)
        for model in range(60)
    ]
    writer.store(tenant.workspace.id, rows)
    window = {"start": iso(first - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
    lines = tables(report(tenant, "statement", agent_id="support", **window))["Lines by day and model"]
    assert len(lines["rows"]) == 3600
    assert sum(row["cost_usd"] for row in lines["rows"]) == lines["totals"]["cost_usd"] == 1800.0
    page = opened(tenant, kind="statement", agent_id="support", **window)
    assert "The first 500 of 3,600 rows: the files have all." in page
    assert len(page) < 2_000_000
    assert fetched(tenant, "statement.csv", agent_id="support", **window).content.count(b"\n") == 3601


def test_a_statement_needs_its_subject(tenant: Tenant) -> None:
    for query in ({}, {"label.customer": ["acme", "globex"]}, {"not_agent_id": "support"}):
        problem = fetched(tenant, "statement.json", 422, **query).json()
        assert "a statement is about one customer, agent or user" in problem["errors"][0]["msg"]


def test_calls_without_a_price_are_never_free(tenant: Tenant) -> None:
    tenant.calls(2, model="unknown", labels={"customer": "acme"})
    for kind, label in (("cost", "Spend"), ("statement", "Total")):
        document = report(tenant, kind, **ABOUT_ACME)
        assert figures(document)[label] is None
        assert "has a price" in document["sentence"]
    [row] = csv.DictReader(io.StringIO(fetched(tenant, "cost.csv", **ABOUT_ACME).content.decode()))
    assert (row["calls"], row["unpriced_calls"], row["cost_usd"], row["percentage"]) == ("2", "2", "", "")


@pytest.mark.parametrize("kind", LISTED)
@pytest.mark.parametrize("file_format", FORMATS)
def test_an_empty_window_is_a_whole_and_honest_report(tenant: Tenant, kind: str, file_format: FileFormat) -> None:
    november = {"start": "2025-11-01T00:00:00Z", "end": "2025-12-01T00:00:00Z"}
    about = ABOUT_ACME if kind == "statement" else {}
    body = fetched(tenant, f"{kind}.{file_format}", **november, **about).content
    if file_format in ("json", "html"):
        assert (b"No call of customer acme in November 2025" if about else b"No call in November 2025") in body
    if file_format == "csv":
        assert body.startswith(b"model,provider,cost_usd," if kind == "cost" else b"timestamp,")


# --- Windows ---


def test_periods_are_those_of_the_workspace(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "America/New_York"
    tenant.workspace.save()
    document = report(tenant, "usage", period="last_month")
    start, end = (
        datetime.fromisoformat(document[name]).astimezone(ZoneInfo("America/New_York")) for name in ("start", "end")
    )
    assert (start.day, start.hour, end.day, end.hour) == (1, 0, 1, 0)
    assert document["zone"] == "America/New_York"
    assert re.fullmatch(r"No call in \w+ \d{4}\.", document["sentence"])


def test_the_last_and_the_running_periods_meet_at_midnight() -> None:
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 3, 29, 10, tzinfo=zone)  # the clocks were set forward at 2
    for name in ("day", "week", "month"):
        last, this = (window_of(f"{which}_{name}", now, zone) for which in ("last", "this"))  # type: ignore[arg-type]
        assert last[1] == this[0]
        assert this[1] == now
    assert window_of("last_day", now, zone)[0].astimezone(zone).isoformat() == "2026-03-28T00:00:00+01:00"
    assert window_of("last_week", now, zone)[0].astimezone(zone).date().isoformat() == "2026-03-16"
    assert window_of("last_month", now, zone)[0].astimezone(zone).isoformat() == "2026-02-01T00:00:00+01:00"
    assert len(PERIODS) == 6


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"period": "last_month", "range": "7d"}, "period"),
        ({"period": "last_year"}, "period"),
        ({"limit": "10"}, "limit"),
        ({"format": "csv"}, "format"),
        ({"paper": "a3"}, "paper"),
        ({"range": "9d"}, "range"),
        ({"granularity": "minute", "range": "30d"}, "granularity"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_a_wrong_parameter_is_named(tenant: Tenant, query: dict[str, str], name: str) -> None:
    response = tenant.client.get("/api/v1/reports/usage.json", query)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", name]


def test_all_errors_come_at_once(tenant: Tenant) -> None:
    problem = tenant.client.get("/api/v1/reports/usage.json", {"limit": "1", "zone": "x", "paper": "a3"}).json()
    assert {error["loc"][1] for error in problem["errors"]} == {"limit", "zone", "paper"}


def test_an_unknown_kind_or_format_is_no_address(tenant: Tenant) -> None:
    for name in ("secrets.json", "cost.exe", "cost"):
        assert tenant.client.get(f"/api/v1/reports/{name}").status_code == 404


# --- Files ---


def test_a_csv_has_the_main_table_and_runs_no_formula(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, [a_row(model=text or "x", agent_id="a", cost_usd="1") for text in HOSTILE])
    answer = fetched(tenant, "cost.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert {row["model"].removeprefix("'") for row in rows} >= {'=HYPERLINK("http://evil")', "+1", "-1", "@sum"}
    assert not any(row["model"].startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows)
    assert sum(float(row["cost_usd"]) for row in rows) == len(HOSTILE)
    assert re.search(r'filename="cost_\d{4}-\d\d-\d\d', answer["Content-Disposition"])


def test_a_workbook_has_a_sheet_for_each_table_and_no_formula(tenant: Tenant) -> None:
    labels = {"=1+1": "x", "[a]:b*c?d/e\\f" * 5: "y", "History": "z"}
    writer.store(tenant.workspace.id, [a_row(model=text or "x", cost_usd="1", labels=labels) for text in HOSTILE])
    sheets = workbook(fetched(tenant, "cost.xlsx").content)
    document = report(tenant, "cost")
    assert [len(sheet) for sheet in sheets[1:]] == [
        1 + len(table["rows"]) + bool(table["totals"]) + bool(table["note"])
        for section in document["sections"]
        for table in section["tables"]
    ]
    by_model = next(sheet for sheet in sheets if sheet[0][0] == "Model")
    assert {row[0] for row in by_model} >= {'=HYPERLINK("http://evil")', "+1", "-1", "@sum"}
    assert by_model[-1][:2] == ["Total", "10"]


def test_a_customer_with_the_name_of_a_formula_has_a_statement(tenant: Tenant) -> None:
    name = '=HYPERLINK("http://evil","<script>alert(1)</script>")'
    tenant.calls(1, labels={"customer": name}, cost_usd="1")
    for file_format in FORMATS:
        body = fetched(tenant, f"statement.{file_format}", **{"label.customer": name}).content
        assert b"<script>alert" not in body or file_format == "json"


@pytest.mark.parametrize(
    ("customer", "part"),
    [("a" * 200, "a" * 100), ("株" * 80, "株" * 30), ("ग्राहक", "-ग्राहक_"), ("../x", "-..-x_")],
    ids=["long", "long in bytes", "marks", "path"],
)
def test_the_name_of_a_file_ends_with_its_days_and_fits_a_file_system(tenant: Tenant, customer: str, part: str) -> None:
    answer = fetched(tenant, "statement.csv", **{"label.customer": customer})
    name = unquote(re.split("filename[*]?=", answer["Content-Disposition"])[1])
    assert part in name
    assert re.search(r"_\d{4}-\d\d-\d\d[.]csv", name)
    assert len(name.encode()) < 200


def test_names_of_every_kind_are_in_the_file_and_only_as_text(tenant: Tenant) -> None:
    long, arabic = "a" * 200, "وكيل الدعم"
    tenant.workspace.name = "<b>مساحة</b>"
    tenant.workspace.save()
    for name in (long, arabic, "<script>alert(1)</script>"):
        tenant.calls(1, agent_id=name, model=name, cost_usd="1")
    answer = fetched(tenant, "cost.html")
    page = answer.content.decode()
    assert long in page
    assert arabic in page
    assert "<script" not in page
    assert "<b>" not in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "style=" not in page
    assert page.count("http") == page.count("http://www.w3.org/2000/svg")


def test_a_pdf_that_cannot_be_made_is_a_temporary_fault_that_says_why(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.pdf.typesetting.MOST_SECONDS", 0.001)
    answer = fetched(tenant, "cost.pdf", 503)
    assert answer.json()["detail"] == "The PDF was not ready after 0.001 seconds: choose a shorter window."
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_a_report_is_a_pdf_on_the_paper_that_is_asked_for(tenant: Tenant, paper: str) -> None:
    fill(tenant)
    answer = fetched(tenant, "cost.pdf", paper=paper)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


# --- Who may have one ---


def test_a_report_of_another_workspace_is_refused_and_nothing_of_it_is_seen() -> None:
    world = a_world()
    for kind in LISTED:
        for name in FORMATS:
            path, query = f"/api/v1/reports/{kind}.{name}", AROUND_NOON | {"agent_id": f"{CANARY}-agent_id"}
            for client, headers in world.identities.values():
                refused = client.get(path, query, headers=headers | selecting(world.b.id))
                assert refused.status_code in (401, 403)
            client, headers = world.identities["key"]
            own = client.get(
                path, AROUND_NOON | {"user_id": "canary-a-user_id"}, headers=headers | selecting(world.a.id)
            )
            assert own.status_code == 200
            assert CANARY.encode() not in own.content
    viewer, _ = world.identities["viewer"]
    assert viewer.get("/api/v1/reports/cost.json", AROUND_NOON, headers=selecting(world.a.id)).status_code == 200
    for path in ("/dashboard/report", "/dashboard/report-file"):
        answer = viewer.get(path, {"workspace": str(world.b.id), "kind": "cost", "file": "json"})
        assert answer.status_code == 404


def test_a_key_needs_the_right_to_read() -> None:
    workspace = WorkspaceFactory()
    _, secret = an_api_key("ingest", workspace=workspace)
    answer = Client().get(
        "/api/v1/reports/cost.json", headers=selecting(workspace.id) | {"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 403


def test_too_many_reports_of_a_workspace_wait(tenant: Tenant) -> None:
    held = [report_slot(tenant.workspace.id) for _ in range(OF_A_WORKSPACE)]
    for slot in held:
        slot.__enter__()
    assert fetched(tenant, "usage.csv", 429)["Retry-After"] == "30"
    for slot in held:
        slot.__exit__(None, None, None)
    fetched(tenant, "usage.csv")


# --- The page ---


def opened(tenant: Tenant, expect: int = 200, **query: Any) -> str:
    answer = tenant.client.get("/dashboard/report", {"workspace": str(tenant.workspace.id)} | query, follow=True)
    assert answer.status_code == expect
    return answer.content.decode()


def test_the_page_of_reports_leads_to_each_kind_and_period(tenant: Tenant) -> None:
    page = tenant.client.get("/dashboard/reports", {"workspace": str(tenant.workspace.id)}).content.decode()
    assert [name for name in (*LISTED, *PERIODS) if f'<option value="{name}">' not in page] == []


def test_a_period_becomes_a_window_that_everyone_sees_alike(tenant: Tenant) -> None:
    answer = tenant.client.get(
        "/dashboard/report",
        {"workspace": str(tenant.workspace.id), "kind": "usage", "period": "last_month", "range": "7d", "user_id": "a"},
    )
    assert answer.status_code == 302
    assert "start=" in answer["Location"]
    assert "user_id=a" in answer["Location"]
    assert "range" not in answer["Location"]
    assert "period" not in answer["Location"]


def test_the_page_of_a_report_has_its_files_with_the_same_filters(tenant: Tenant) -> None:
    fill(tenant)
    page = opened(tenant, kind="cost", paper="letter", **AROUND_NOON, **ABOUT_ACME)
    [address] = re.findall(r'href="(/dashboard/report-file\?[^"]*file=csv)"', page)
    answer = tenant.client.get(address.replace("&amp;", "&"))
    assert answer.status_code == 200
    assert answer.content.splitlines()[1].startswith(b"gpt-4o,openai,4.0,")
    assert "paper=letter" in address


def test_a_name_leads_to_its_statement(tenant: Tenant) -> None:
    fill(tenant)
    page = opened(tenant, kind="cost", **AROUND_NOON)
    [address] = re.findall(r'href="(/dashboard/report\?[^"]*label.customer=acme)"', page)
    statement = tenant.client.get(address.replace("&amp;", "&")).content.decode()
    assert "Statement for acme" in statement
    assert "3 calls" in statement


def test_the_statement_of_a_name_is_about_that_name_under_any_filter(tenant: Tenant) -> None:
    tenant.calls(2, labels={"area": "north", "customer": "acme"}, user_id="ada", agent_id="support", cost_usd="1")
    page = opened(tenant, kind="cost", **AROUND_NOON, **{"label.area": "north", "user_id": "ada"})
    for link, title in (("agent_id=support", "support"), ("label.customer=acme", "acme")):
        [address] = {*re.findall(rf'href="(/dashboard/report\?[^"]*{link})"', page)}
        statement = tenant.client.get(address.replace("&amp;", "&")).content.decode()
        assert f"Statement for {title}" in statement
        [file] = re.findall(r'href="(/dashboard/report-file\?[^"]*file=csv)"', statement)
        assert f"-{title}_" in tenant.client.get(file.replace("&amp;", "&"))["Content-Disposition"]


def test_the_subject_of_a_statement_is_one_of_its_filters(tenant: Tenant) -> None:
    both = {"label.area": "north", "label.customer": "acme"}
    assert report(tenant, "statement", **both)["title"] == "Statement for acme"
    assert report(tenant, "statement", subject="label.area", **both)["title"] == "Statement for north"
    wrong = fetched(tenant, "statement.json", 422, subject="agent_id", **both).json()
    assert [error["loc"] for error in wrong["errors"]] == [["query", "subject"]]


def test_a_report_leads_to_the_form_that_sends_it_regularly(tenant: Tenant) -> None:
    fill(tenant)
    page = opened(tenant, kind="usage", paper="letter", zone="Asia/Kolkata", **AROUND_NOON, **ABOUT_ACME)
    [address] = re.findall(r'href="(/dashboard/reports/schedules/new\?[^"]*)">Send regularly', page)
    form = tenant.client.get(address.replace("&amp;", "&")).content.decode()
    for chosen in ('<option value="usage" selected>', '<option value="letter" selected>', "label.customer = acme"):
        assert chosen in form


def test_a_statement_without_a_subject_offers_some(tenant: Tenant) -> None:
    fill(tenant)
    page = opened(tenant, kind="statement", **AROUND_NOON)
    assert "one customer, agent or user. Choose one." in page
    for name in ("label.customer=acme", "agent_id=support", "user_id=ada"):
        assert name in page


def test_the_navigation_marks_reports_on_the_page_of_one(tenant: Tenant) -> None:
    page = opened(tenant, kind="usage", **AROUND_NOON)
    marked = re.findall(r'href="([^"?]*)[^"]*"\s+aria-current="page"', page)
    assert marked == ["/dashboard/reports"]


def test_a_wrong_address_of_the_page_says_what_is_wrong(tenant: Tenant) -> None:
    assert "must be one of cost" in opened(tenant, 422, kind="secrets")
    assert "must be one of" in opened(tenant, 422, kind="cost", paper="a3")


def test_a_download_of_an_unknown_kind_is_refused(tenant: Tenant) -> None:
    query = {"workspace": str(tenant.workspace.id), "kind": "x", "file": "exe"}
    assert tenant.client.get("/dashboard/report-file", query).status_code == 422


def test_a_member_who_only_views_takes_reports() -> None:
    workspace = WorkspaceFactory()
    writer.store(workspace.id, [a_row(cost_usd="1")])
    client, _ = signed_in(MembershipFactory(workspace=workspace, role="viewer").user)
    query = {"workspace": str(workspace.id), "kind": "cost", **AROUND_NOON}
    assert client.get("/dashboard/report", query).status_code == 200
    assert client.get("/dashboard/report-file", query | {"file": "xlsx"}).status_code == 200


def test_series_have_the_colours_of_the_pages() -> None:
    style = (Path(__file__).resolve().parents[2] / "static" / "app.css").read_text()
    for token, colour in LIGHT.items():
        assert re.search(rf"{token}: (light-dark\()?{colour}\b", style), token


def test_a_window_that_runs_is_not_longer_than_now(tenant: Tenant) -> None:
    from django.http import QueryDict

    filters, paper, _ = parse("usage", QueryDict("period=this_month"), tenant.workspace.id)
    assert filters.start.day == 1
    assert paper == "a4"


def test_the_preview_of_a_report_for_each_customer_offers_the_customers(tenant: Tenant) -> None:
    for kind in ("statement", "cost"):
        schedule = a_schedule(
            tenant.workspace, kind=kind, period="day", per="label.customer", filters={"label.area": ["north"]}
        )
        begin = next_due(schedule.timing, schedule.workspace.zone, datetime.now(UTC)).start
        for name in ("acme", "globex"):
            tenant.calls(1, begin, labels={"area": "north", "customer": name}, cost_usd="1")
        shown = tenant.client.get(f"/dashboard/reports/schedules/{schedule.pk}").content.decode()
        [preview] = re.findall(r'href="([^"]*)">Preview', shown)
        choices = tenant.client.get(preview.replace("&amp;", "&")).content.decode()
        links = re.findall(r'href="([^"]*label.customer=(?:acme|globex))"', choices)
        assert len(links) == 2, choices
        assert "Choose" in choices
        report = tenant.client.get(links[0].replace("&amp;", "&"), follow=True).content.decode()
        assert "Choose it." not in report
        assert "Choose one." not in report
        assert ("Statement for" in report) == (kind == "statement")
