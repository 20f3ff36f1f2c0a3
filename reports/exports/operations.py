"""Describes the exports for the API document."""

from analytics.openapi import Schema, parameters, problems, success_response
from reports.exports.files import FORMATS
from reports.exports.parameters import KEYS, LEFT_OUT, MODELS, key_parameters
from reports.exports.tables import MOST_ROWS

WHAT = {
    "calls": ("Every model call of the window and filters, the oldest first.", "Filters by operation choose others."),
    "traces": ("Every trace that began in the window, the newest first.", "The filters are those of the list."),
    "scores": ("Every score of the window and filters, the oldest first.", "The filters are those of the list."),
}
HOW = {
    "csv": "Times are UTC. A text that a spreadsheet would run as a formula begins with an apostrophe.",
    "jsonl": "A JSON object in each line, with numbers as they are stored.",
    "xlsx": f"A workbook of at most {MOST_ROWS:,} rows; its answer begins when it is whole. Times are UTC.",
}


def operations() -> dict[str, Schema]:
    return {
        f"/api/v1/exports/{kind}.{name}": {"get": operation(kind, name, media_type)}
        for kind in KEYS
        for name, media_type in FORMATS.items()
    }


def operation(kind: str, file_format: str, media_type: str) -> Schema:
    summary, filters = WHAT[kind]
    last_row = ", ".join(f"`{name}`" for name in key_parameters(kind))
    return {
        "operationId": f"export-{kind}-{file_format}",
        "summary": f"{summary[:-1]}, as {file_format}.",
        "description": f"{filters} {HOW[file_format]} An export that was cut off goes on where {last_row} are those of "
        "its last whole row. It may take an hour, while other answers take 15 seconds at most. 429: too many run.",
        "tags": ["exports"],
        "parameters": [one for one in parameters(MODELS[kind]) if one["name"] not in LEFT_OUT],
        "responses": {
            "200": success_response({media_type: {"schema": {"type": "string"}}}, "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=24h" if kind == "calls" else "range=7d", "file": f"{kind}.{file_format}"},
    }
