"""Describes the reports for the API document."""

from analytics.openapi import Schema, json_of, parameters, problems, schema_of, success_response
from reports.answer import ReportAnswer
from reports.kinds import KINDS, Kind
from reports.parameters import LEFT_OUT, ReportQuery
from reports.views import FORMATS

HOW = {
    "json": "Figures, charts and tables with raw numbers.",
    "html": "A page in one file, which needs no other file.",
    "csv": "The main table, with numbers as in the JSON. A text that a spreadsheet would run as a formula begins with "
    "an apostrophe.",
    "xlsx": "A workbook: a sheet of figures, and one for each table.",
    "pdf": "A document to send on, on the paper that `paper` names.",
}
ABOUT = {"statement": "It is about one value of a label, a user or an agent, which the filters name. "}


def operations() -> dict[str, Schema]:
    return {
        f"/api/v1/reports/{kind.name}.{name}": {"get": operation(kind, name)}
        for kind in KINDS.values()
        if kind.is_listed
        for name in FORMATS
    }


def operation(kind: Kind, file_format: str) -> Schema:
    return {
        "operationId": f"report-{kind.name}-{file_format}",
        "summary": f"{kind.title} report, as {file_format}: {kind.description[0].lower()}{kind.description[1:]}",
        "description": f"{ABOUT.get(kind.name, '')}{HOW[file_format]} 429: too many run. An answer may be 120 seconds "
        "old.",
        "tags": ["reports"],
        "parameters": [one for one in parameters(ReportQuery) if one["name"] not in LEFT_OUT],
        "responses": {"200": success_response(content_of(file_format), "Vary", "Cache-Control"), **problems()},
        "x-example": example_of(kind, file_format),
    }


def content_of(file_format: str) -> Schema:
    if file_format == "json":
        return json_of(schema_of(ReportAnswer))
    return {FORMATS[file_format].partition(";")[0]: {"schema": {"type": "string"}}}


def example_of(kind: Kind, file_format: str) -> Schema:
    about = "&agent_id=support" if kind.name == "statement" else ""
    file = {} if file_format in ("json", "html") else {"file": f"{kind.name}.{file_format}"}
    return {"query": f"period=last_month{about}", **file}
