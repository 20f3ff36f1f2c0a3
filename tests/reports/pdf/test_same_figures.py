"""The PDF of each kind of report has the figures that the API answers."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reports.words import in_one_unit, written
from tests.reports.pdf import reading
from tests.reports.test_reports import ABOUT_ACME, LISTED, fetched, fill, report
from tests.tenant import NOON, Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.parametrize("kind", LISTED)
def test_the_pdf_has_each_figure_and_each_row_that_the_api_answers(tenant: Tenant, kind: str) -> None:
    fill(tenant)
    asked = ABOUT_ACME if kind == "statement" else {}
    document = report(tenant, kind, **asked)
    text = reading.unbroken(reading.text(fetched(tenant, f"{kind}.pdf", **asked).content))
    assert reading.unbroken(document["sentence"]) in text
    wanted = [part for section in document["sections"] for part in section_texts(section, ZoneInfo(document["zone"]))]
    assert len(wanted) > 10
    assert not [part for part in wanted if reading.unbroken(part) not in text]


def section_texts(section: dict[str, Any], zone: ZoneInfo) -> list[str]:
    figures = [f"{one['label']} {written(one['value'], one['unit'], zone)}" for one in section["figures"]]
    return [section["title"], *figures, *(row for table in section["tables"] for row in table_texts(table, zone))]


def table_texts(table: dict[str, Any], zone: ZoneInfo) -> list[str]:
    rows = [*table["rows"], *([table["totals"]] if table["totals"] else [])]
    columns = [
        in_one_unit([value_of(row[column["name"]], column["unit"]) for row in rows], column["unit"], zone)
        for column in table["columns"]
    ]
    return [" ".join(row) for row in zip(*columns, strict=True)]


def value_of(value: Any, unit: str) -> Any:
    return datetime.fromisoformat(value) if unit in ("moment", "day") and value and value[:1].isdigit() else value


def test_names_of_clients_are_text_in_the_pdf(tenant: Tenant) -> None:
    names = ["#panic()", "$x$ *b* @ref", "وكيل", "agent-" + "x" * 194]
    for place, name in enumerate(names):
        tenant.calls(place + 1, NOON, agent_id=name, cost_usd="1")
    tenant.workspace.name = "شركة الأمل"
    tenant.workspace.save()
    body = fetched(tenant, "cost.pdf", paper="letter").content
    text = reading.unbroken(reading.text(body))
    assert all(not reading.letters(name) - reading.letters(text + "-") for name in names)
    assert reading.unbroken(names[0]) in text
    assert reading.unbroken(names[3]) in text
    assert reading.size(body) == (612, 792)
    assert not reading.overlapping(body)
