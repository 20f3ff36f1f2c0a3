"""The columns of exported tables, and the SQL of their values in each format."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from traces.row import COST_COLUMNS
from web.csv_text import FORMULA_STARTS

Kind = Literal["text", "number", "time", "json"]

FIRST_CODES = ", ".join(str(ord(start)) for start in FORMULA_STARTS)
GUARDED = "CASE WHEN ascii({column}) IN ({codes}) THEN '''' || {column} ELSE {column} END"
TIME = "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
JSON_LINE = "(SELECT row_to_json(line)::text FROM (SELECT {values}) AS line) AS line"


class Column(NamedTuple):
    name: str
    kind: Kind = "text"
    source: str = ""
    """The SQL of the value, where it is not the column with this name."""

    @property
    def sql(self) -> str:
        return self.source or self.name


CALLS = (
    Column("started_at", "time", "timestamp"),
    *map(Column, ("trace_id", "span_id", "parent_span_id", "operation", "name", "agent_id", "provider", "model")),
    *map(Column, ("user_id", "session_id", "environment", "release")),
    Column("labels", "json"),
    *map(Column, ("tool", "status", "error_type", "error_message")),
    *(Column(name, "number") for name in ("latency_ms", "first_token_ms", "input_tokens", "output_tokens")),
    *(Column(name, "number") for name in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")),
    Column("usage_details", "json"),
    *(Column(name, "number") for name in ("cost_usd", *COST_COLUMNS)),
    *map(Column, ("cost_source", "price_id", "response_id")),
)
ATTRIBUTES = Column("attributes", "json")
"""What the client wrote besides, with prompts and answers: only for readers who may see content."""
SCORES = (
    Column("timestamp", "time"),
    *map(Column, ("id", "trace_id", "span_id", "session_id", "name")),
    Column("number", "number"),
    *map(Column, ("category", "comment", "source", "author", "agent_id", "provider", "model", "operation", "user_id")),
    *map(Column, ("environment", "release")),
    Column("labels", "json"),
)


def csv_values(columns: Sequence[Column]) -> str:
    """Returns SQL for the values of a line of CSV, in which no text is a formula to a spreadsheet."""
    return ",\n    ".join(csv_value(column) for column in columns)


def csv_value(column: Column) -> str:
    if column.kind == "text":
        return GUARDED.format(column=column.sql, codes=FIRST_CODES)
    return TIME.format(column=column.sql) if column.kind == "time" else column.sql


def json_line(columns: Sequence[Column]) -> str:
    """Returns SQL for the row as a JSON object with numbers as they are stored."""
    values = (f"{TIME.format(column=one.sql) if one.kind == 'time' else one.sql} AS {one.name}" for one in columns)
    return JSON_LINE.format(values=", ".join(values))


def cells(columns: Sequence[Column]) -> str:
    """Returns SQL for the values of a row of a workbook, by the names of the columns."""
    values = (f"{one.sql}::text AS {one.name}" if one.kind == "json" else f"{one.sql} AS {one.name}" for one in columns)
    return ",\n    ".join(values)
