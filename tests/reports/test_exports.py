"""Exports of calls, traces and scores, as clients fetch them."""

import csv
import io
import json
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from ingest.store import store_scores
from reports.exports import reading, tables
from reports.exports.slots import OF_A_WORKSPACE, export_slot
from reports.models import Export
from reports.tasks import delete_old_exports
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.security.world import selecting, signed_in
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from traces.row import Row
from traces.scores import Score
from workspaces.models import ContentPolicy

pytestmark = pytest.mark.django_db(databases="__all__")

AROUND_NOON = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
HOSTILE = (
    '=HYPERLINK("http://evil")',
    "+1",
    "-1",
    "@sum",
    "\tx",
    "\rx",
    'a "quoted", text\r\nin two lines',
    "'",
    "",
    "ünïcode 日本",
)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def fetched(tenant: Tenant, name: str, expect: int = 200, **query: Any) -> HttpResponseBase:
    response = tenant.client.get(f"/api/v1/exports/{name}", AROUND_NOON | query)
    assert response.status_code == expect, getattr(response, "content", b"")
    return response


def file_of(tenant: Tenant, name: str, **query: Any) -> bytes:
    return fetched(tenant, name, **query).getvalue()  # type: ignore[attr-defined, no-any-return]


def stop(response: HttpResponseBase) -> None:
    """Ends the answer as a server does whose client is gone; not `close`, which also closes the test's connections."""
    for closer in response._resource_closers:  # type: ignore[attr-defined]
        closer()


def csv_rows(tenant: Tenant, name: str, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file_of(tenant, name, **query).decode(), newline="")))


def json_rows(tenant: Tenant, name: str, **query: Any) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in file_of(tenant, name, **query).splitlines()]


def sheets_of(file: bytes) -> list[list[list[str]]]:
    """Returns the cells of each sheet as texts; a text cell begins with its type."""
    archive = zipfile.ZipFile(io.BytesIO(file))
    names = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
    return [cells(ElementTree.fromstring(archive.read(name))) for name in names]  # noqa: S314 (our own file)


def cells(sheet: ElementTree.Element) -> list[list[str]]:
    return [
        [f"{cell.get('t', 'n')}:{''.join(cell.itertext())}" for cell in row.iter(f"{SHEET}c")]
        for row in sheet.iter(f"{SHEET}row")
    ]


def different_calls(count: int) -> list[Row]:
    return [
        a_row(
            NOON + timedelta(minutes=number // 3),
            trace_id=f"t{number % 5}",
            span_id=f"s{number:03}",
            user_id=HOSTILE[number % len(HOSTILE)],
            labels={"customer": f'a"{number}'} if number % 2 else None,
            latency_ms=number / 7,
            input_tokens=number or None,
            cost_usd=f"0.{number:012}0",
            attributes={"gen_ai.prompt": f"question {number}"},
        )
        for number in range(count)
    ]


def key_of(row: Row) -> tuple[Any, ...]:
    return row.timestamp, row.trace_id, row.span_id


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", 4)


def test_a_file_of_calls_has_every_call_once_with_all_its_values(tenant: Tenant, small_parts: None) -> None:
    stored = sorted(different_calls(30), key=key_of)
    writer.store(tenant.workspace.id, stored)
    found = json_rows(tenant, "calls.jsonl")
    assert [(row["trace_id"], row["span_id"]) for row in found] == [(row.trace_id, row.span_id) for row in stored]
    for row, expected in zip(found, stored, strict=True):
        assert datetime.fromisoformat(row["started_at"]) == expected.timestamp
        names = ("user_id", "labels", "input_tokens", "cost_usd", "agent_id", "provider", "model", "status")
        assert [row[name] for name in names] == [getattr(expected, name) for name in names]
        assert float(row["latency_ms"]) == expected.latency_ms


def test_the_csv_has_the_same_rows_and_runs_no_formula(tenant: Tenant, small_parts: None) -> None:
    writer.store(tenant.workspace.id, different_calls(30))
    as_json, as_csv = json_rows(tenant, "calls.jsonl"), csv_rows(tenant, "calls.csv")
    for told, row in zip(as_json, as_csv, strict=True):
        guard = "'" if told["user_id"].startswith(("=", "+", "-", "@", "\t", "\r")) else ""
        assert row["user_id"] == guard + told["user_id"]
        assert Decimal(row["cost_usd"]) == told["cost_usd"]
        assert json.loads(row["labels"] or "null") == told["labels"]
        assert all(row[name] == "" for name, value in told.items() if value is None)
    assert b',"",' in file_of(tenant, "calls.csv", user_id="ada") + b',"",'


def test_a_workbook_holds_texts_as_texts_and_numbers_as_numbers(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, different_calls(11))
    [sheet] = sheets_of(file_of(tenant, "calls.xlsx"))
    assert len(sheet) == 12
    texts = [cell for row in sheet for cell in row]
    assert 'inlineStr:=HYPERLINK("http://evil")' in texts
    assert "f" not in {cell.partition(":")[0] for cell in texts}
    assert sheet[0][0] == "inlineStr:started_at"
    assert sheet[1][0].startswith("n:4")  # days since 1900


def test_a_workbook_goes_on_in_another_sheet_and_refuses_too_many_rows(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.store(tenant.workspace.id, different_calls(9))
    monkeypatch.setattr(tables, "SHEET_ROWS", 6)
    assert [len(sheet) for sheet in sheets_of(file_of(tenant, "calls.xlsx"))] == [6, 5]
    monkeypatch.setattr(tables, "MOST_ROWS", 8)
    problem = fetched(tenant, "calls.xlsx", 422).json()  # type: ignore[attr-defined]
    assert "Ask for a shorter window" in problem["errors"][0]["msg"]


@pytest.mark.parametrize("name", ["calls", "scores", "traces"])
def test_an_export_that_was_cut_off_goes_on_after_its_last_row(tenant: Tenant, name: str, small_parts: None) -> None:
    writer.store(tenant.workspace.id, different_calls(20))
    store_scores(tenant.workspace.id, [a_score(number) for number in range(20)])
    whole = json_rows(tenant, f"{name}.jsonl")
    for place in range(len(whole)):
        keys = {"calls": ("started_at", "trace_id", "span_id"), "scores": ("timestamp", "id")}
        after = {f"after_{key}": whole[place][key] for key in keys.get(name, ("started_at", "trace_id"))}
        assert json_rows(tenant, f"{name}.jsonl", **after) == whole[place + 1 :]


def a_score(number: int) -> Score:
    at = NOON + timedelta(minutes=number // 2)
    return Score(id=f"i{number:02}", timestamp=at, name="ok", trace_id="t1", number=Decimal(number), source="judge")


def test_half_a_place_to_go_on_from_is_refused(tenant: Tenant) -> None:
    problem = fetched(tenant, "calls.csv", 422, after_trace_id="t").json()  # type: ignore[attr-defined]
    assert {error["loc"][1] for error in problem["errors"]} == {"after_started_at", "after_span_id"}


@pytest.mark.parametrize("parameter", ["limit", "cursor", "format", "granularity", "sort", "nonsense"])
def test_an_export_takes_no_parameter_that_it_would_not_follow(tenant: Tenant, parameter: str) -> None:
    problem = fetched(tenant, "calls.csv", 422, **{parameter: "10"}).json()  # type: ignore[attr-defined]
    assert problem["errors"][0]["loc"] == ["query", parameter]


def test_filters_choose_rows_and_other_workspaces_are_not_in_it(tenant: Tenant) -> None:
    tenant.calls(2, user_id="ada", labels={"customer": "acme"})
    tenant.calls(1, user_id="bob")
    tenant.calls(1, operation="execute_tool", tool="search")
    writer.store(WorkspaceFactory().id, [a_row(user_id="eve")])
    assert len(csv_rows(tenant, "calls.csv")) == 3
    assert len(csv_rows(tenant, "calls.csv", **{"label.customer": "acme"})) == 2
    assert len(csv_rows(tenant, "calls.csv", not_user_id="ada")) == 1
    assert len(csv_rows(tenant, "calls.csv", operation="execute_tool")) == 1
    assert len(csv_rows(tenant, "traces.csv", user_id="ada")) == 2


def test_a_long_empty_window_ends(tenant: Tenant) -> None:
    window = {"start": iso(NOON - timedelta(days=399)), "end": iso(NOON)}
    assert file_of(tenant, "calls.jsonl", **window) == b""
    assert len(file_of(tenant, "scores.csv", **window).splitlines()) == 1


# --- Content ---


def test_content_comes_only_where_it_is_wanted_and_may_be_seen(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, different_calls(1))
    assert b"question 0" not in file_of(tenant, "calls.jsonl")
    [row] = json_rows(tenant, "calls.jsonl", content="true")
    assert row["attributes"] == {"gen_ai.prompt": "question 0"}
    tenant.workspace.content_visible_to = ContentPolicy.NOBODY
    tenant.workspace.save()
    assert "Content is hidden" in fetched(tenant, "calls.csv", 403, content="true").json()["detail"]  # type: ignore[attr-defined]


def test_only_calls_have_content(tenant: Tenant) -> None:
    assert "unknown parameter" in str(fetched(tenant, "traces.csv", 422, content="true").json())  # type: ignore[attr-defined]


def test_a_text_that_no_cell_holds_is_cut_and_says_so(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, [a_row(attributes={"gen_ai.prompt": "x" * 40_000})])
    [[_, row]] = sheets_of(file_of(tenant, "calls.xlsx", content="true"))
    assert len(row[-1]) == len("inlineStr:") + 32_767
    assert row[-1].endswith("[cut]")


# --- Slots, and the history ---


def test_too_many_exports_of_a_workspace_wait(tenant: Tenant) -> None:
    held = [export_slot(tenant.workspace.id) for _ in range(OF_A_WORKSPACE)]
    for slot in held:
        slot.__enter__()
    response = fetched(tenant, "calls.csv", 429)
    assert response["Retry-After"] == "30"
    for slot in held:
        slot.__exit__(None, None, None)
    stop(fetched(tenant, "calls.csv"))


def test_the_history_says_who_took_what_and_how_far_it_came(tenant: Tenant, small_parts: None) -> None:
    writer.store(tenant.workspace.id, different_calls(30))
    file_of(tenant, "calls.csv")
    cut_off = fetched(tenant, "calls.jsonl")
    next(iter(cut_off))  # type: ignore[call-overload]
    stop(cut_off)
    whole = Export.objects.get(file_format="csv")
    assert (whole.rows, whole.has_content, whole.by) == (30, False, "anyone")
    assert [export.state for export in Export.objects.order_by("started_at")] == ["complete", "cut off"]
    response = tenant.client.get("/dashboard/export-history", headers={"X-Workspace-ID": str(tenant.workspace.id)})
    page = response.content.decode()
    assert "complete" in page
    assert "cut off" in page


def test_an_answer_that_nobody_reads_gives_its_slot_back(tenant: Tenant) -> None:
    for _ in range(OF_A_WORKSPACE + 1):
        stop(fetched(tenant, "calls.csv"))
    assert not Export.objects.filter(ended_at=None).exists()


def test_old_history_is_deleted(tenant: Tenant) -> None:
    file_of(tenant, "calls.csv")
    Export.objects.update(started_at=NOON - timedelta(days=401))
    file_of(tenant, "calls.csv")
    delete_old_exports(due_at=NOON.isoformat())
    assert Export.objects.count() == 1


# --- The page ---


def test_a_viewer_downloads_from_the_page_what_its_form_says() -> None:
    workspace = WorkspaceFactory()
    writer.store(workspace.id, different_calls(3))
    client, _ = signed_in(MembershipFactory(workspace=workspace, role="viewer").user)
    page = client.get("/dashboard/reports", {"workspace": str(workspace.id), **AROUND_NOON, "user_id": "+1"})
    assert page.status_code == 200
    assert 'name="user_id" value="+1"' in page.content.decode()
    chosen = {"workspace": str(workspace.id), "kind": "calls", "file": "csv", **AROUND_NOON}
    answer = client.get("/dashboard/export-file", chosen)
    assert len(answer.getvalue().splitlines()) == 4  # type: ignore[attr-defined]
    assert "calls_" in answer["Content-Disposition"]
    assert b"question" not in client.get("/dashboard/export-file", chosen).getvalue()  # type: ignore[attr-defined]
    with_content = client.get("/dashboard/export-file", chosen | {"kind": "calls-with-content"})
    assert b"question" in with_content.getvalue()  # type: ignore[attr-defined]
    assert {export.workspace_id for export in Export.objects.all()} == {workspace.id}


def test_a_form_with_an_unknown_file_is_refused(tenant: Tenant) -> None:
    answer = tenant.client.get("/dashboard/export-file", {"kind": "secrets", "file": "exe"})
    assert answer.status_code in (302, 422)


def test_a_stranger_gets_nothing(client: Client) -> None:
    workspace = WorkspaceFactory()
    for path in ("calls.csv", "traces.xlsx", "scores.jsonl"):
        answer = client.get(f"/api/v1/exports/{path}", headers=selecting(workspace))
        assert answer.status_code == 401
    assert client.get("/dashboard/export-file", {"workspace": str(UUID(int=1))}).status_code == 302
