"""The columns of exported tables, and the SQL that writes a row as one line of CSV or of JSON.

PostgreSQL writes the lines: it is faster at it than Python, and this process serves others meanwhile.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from traces.row import COST_COLUMNS
from web.csv_text import FORMULA_STARTS

Kind = Literal["text", "number", "time", "json"]

FIRST_CODES = ", ".join(str(ord(start)) for start in FORMULA_STARTS)
TIME = "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

JSON_LINE = "(SELECT row_to_json(line)::text FROM (SELECT {values}) AS line)"


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


def csv_line(columns: Sequence[Column]) -> str:
    """Returns SQL for a line of CSV, without its end. A text is quoted always, so that "" differs from no value."""
    return "\n    || ',' || ".join(csv_value(column) for column in columns)


def csv_value(column: Column) -> str:
    if column.kind == "number":
        return f"coalesce({column.sql}::text, '')"
    if column.kind == "time":
        return f"coalesce({TIME.format(column=column.sql)}, '')"
    text = f"{column.sql}::text" if column.kind == "json" else guarded(column.sql)
    return f"coalesce('\"' || replace({text}, '\"', '\"\"') || '\"', '')"


def guarded(sql: str) -> str:
    """Returns SQL for the text, with an apostrophe before one that a spreadsheet would run as a formula."""
    return f"(CASE WHEN ascii({sql}) IN ({FIRST_CODES}) THEN '''' || {sql} ELSE {sql} END)"


def json_line(columns: Sequence[Column]) -> str:
    """Returns SQL for the row as a JSON object with numbers as they are stored."""
    values = (
        f"{TIME.format(column=column.sql) if column.kind == 'time' else column.sql} AS {column.name}"
        for column in columns
    )
    return JSON_LINE.format(values=", ".join(values))
