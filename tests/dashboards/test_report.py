"""A dashboard as a report: its panels as figures, charts and tables, with the numbers of the page."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from dashboards.models import Dashboard
from reports import making
from reports.document import Document
from reports.kinds import ReportRequest
from reports.models import Schedule
from tests.dashboards.dashboards import CALLS, COST, Caller, a_caller
from tests.tenant import NOON, Tenant
from traces.filters import Filters, FilterValues
from web.problems import Problem
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")

PLACE = {"x": 0, "y": 9, "width": 6, "height": 6}
TABLE = {"id": "table", "kind": "table", "title": "Each", "place": PLACE, "measures": ["calls"], "by": ["model"]}


@pytest.fixture
def editor() -> Caller:
    return a_caller(Role.EDITOR)


def calls(caller: Caller, count: int, **values: Any) -> None:
    Tenant(caller.workspace, caller.client).calls(count, **values)


def report(caller: Caller, dashboard: Any, **values: FilterValues) -> Document:
    half = timedelta(hours=12)
    filters = Filters(caller.workspace.pk, NOON - half, NOON + half, "hourly", values=values)
    return making.document(
        ReportRequest(caller.workspace, "dashboard", filters, options={"dashboard": dashboard["id"]})
    )


def test_numbers_are_figures_series_are_charts_and_tables_are_tables(editor: Caller) -> None:
    calls(editor, 3, model="a", cost_usd="2")
    calls(editor, 1, model="b", cost_usd="1")
    text = {"id": "text", "kind": "text", "title": "Note", "text": "Read me", "place": PLACE | {"y": 20}}
    traces = {"id": "traces", "kind": "traces", "title": "Newest", "place": PLACE | {"y": 30}}
    found = report(editor, editor.make(panels=[CALLS, COST, TABLE, text, traces], description="For all"))
    assert (found.title, found.sentence, found.kind) == ("Finance", "For all", "dashboard")
    chart, number, table, note, elsewhere = found.sections
    assert [(one.label, one.value, one.unit) for one in number.figures] == [("Calls", 4, "count")]
    assert chart.charts[0].unit == "usd"
    assert {one.name: sum(filter(None, one.values)) for one in chart.charts[0].series} == {"a": 6, "b": 1}
    assert [list(row) for row in table.tables[0].rows] == [["a", 3], ["b", 1]]
    assert list(table.tables[0].totals or []) == ["Total", 4]
    assert note.sentence == "Read me"
    assert elsewhere.notes == ["This is on the dashboard's page only."]


def test_the_reports_filters_narrow_every_panel(editor: Caller) -> None:
    calls(editor, 3, agent_id="a")
    calls(editor, 5, agent_id="b")
    [section] = report(editor, editor.make(panels=[CALLS]), agent_id=FilterValues(("b",))).sections
    assert section.figures[0].value == 5


def test_a_panel_that_cannot_be_drawn_says_so_and_stops_no_other(editor: Caller) -> None:
    made = editor.make(panels=[CALLS, COST, {**TABLE, "kind": "budget"}])
    document = made["document"]
    document["panels"][1]["measures"] = ["gone"]
    Dashboard.objects.update(document=document)
    notes = [note for section in report(editor, made).sections for note in section.notes]
    assert notes[0].startswith('This panel cannot be drawn. measures[0]: unknown measure "gone"')
    assert "has none yet" in notes[1]


@pytest.mark.parametrize("name", ["xlsx", "csv", "html"])
def test_every_kind_of_file_is_made_of_it(editor: Caller, name: Any) -> None:
    calls(editor, 3, model="<b>a</b>", cost_usd="2")
    file = making.file(report(editor, editor.make(panels=[CALLS, COST, TABLE])), name)
    assert file.name.startswith("dashboard_")
    assert len(file.body) > 10
    assert b"<b>a</b>" not in file.body or name == "csv"


def test_a_private_or_foreign_dashboard_is_in_no_report(editor: Caller) -> None:
    hidden, foreign = editor.make(visibility="me"), a_caller(Role.EDITOR).make()
    for dashboard in (hidden, foreign, {"id": str(uuid4())}, {"id": "nonsense"}):
        with pytest.raises(Problem, match="no such dashboard"):
            report(editor, dashboard)


def test_the_menu_of_a_dashboard_begins_a_schedule_that_sends_it(editor: Caller) -> None:
    calls(editor, 3)
    made = editor.make(panels=[CALLS])
    page = editor.client.get(f"/dashboard/dashboards/{made['id']}").content.decode()
    [address] = re.findall(r'href="([^"]*option\.dashboard=[^"]*)"', page)
    form = editor.client.get(html.unescape(address)).content.decode()
    assert f'value="{made["id"]}"' in form
    fields = {
        "name": "Weekly",
        "kind": "dashboard",
        "period": "week",
        "formats": "xlsx",
        "addresses": "ada@example.com",
    }
    fields |= {"option.dashboard": made["id"], "hour": "8", "weekday": "monday", "day": "1", "link_days": "7"}
    response = editor.client.post(f"/dashboard/reports/schedules/new?workspace={editor.workspace.pk}", fields)
    assert response.status_code == 302, response.content
    assert Schedule.objects.get().options == {"dashboard": made["id"]}
    hidden = editor.make(visibility="me")
    assert "option.dashboard" not in editor.client.get(f"/dashboard/dashboards/{hidden['id']}").content.decode()


def test_a_schedule_says_at_once_that_its_dashboard_is_not_there(editor: Caller) -> None:
    body = {"name": "Weekly", "kind": "dashboard", "period": "week"}
    hidden = editor.make(visibility="me")
    for options in ({}, {"dashboard": "nonsense"}, {"dashboard": hidden["id"]}):
        refused = schedule(editor, "post", body | {"options": options}, 422)
        assert refused["errors"][0]["loc"] == ["body", "options", "dashboard"]
    made = editor.make(panels=[CALLS])
    schedule(editor, "post", body | {"options": {"dashboard": made["id"]}}, 201)
    Dashboard.objects.all().delete()
    stored = Schedule.objects.get()
    schedule(editor, "patch", {"is_active": False}, 200, f"/{stored.pk}")
    schedule(editor, "patch", {"options": {"dashboard": hidden["id"]}}, 422, f"/{stored.pk}")


def schedule(caller: Caller, method: str, body: Any, expect: int, path: str = "") -> Any:
    send = getattr(caller.client, method)
    response = send(f"/api/v1/reports{path}", body, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json()
