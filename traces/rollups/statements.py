"""Makes the SQL that stores rows and keeps the rollups equal to them, from the catalogue.

Nothing here runs while the product serves: `python -m traces.rollups` writes each statement to `sql/`, where it can be
read, and the engines load it from there. The names below are those of the catalogue, never input of a client.
"""

from collections.abc import Iterable, Iterator, Mapping

from traces.rollups.catalogue import (
    BIT_SQL,
    BLOCK_SIZE,
    BLOCK_SQL,
    CALL_LATENCY,
    CLOSING_LAG,
    DAY,
    GROUPED_TOGETHER,
    ROLLUPS,
    SETS,
    Rollup,
    UserSets,
    Width,
)
from traces.row import COLUMNS, CORRECTED_COLUMNS, KEY_COLUMNS

USER_NUMBER = {"user_number": "integer"}
"""The writer finds it out: it is no column of a client's row."""
STORED_COLUMNS = COLUMNS | USER_NUMBER
CHANGED_COLUMNS = (*CORRECTED_COLUMNS, *USER_NUMBER)
SUMMED_COLUMNS = (
    "workspace_id",
    "timestamp",
    "operation",
    "agent_id",
    "provider",
    "model",
    "status",
    "error_type",
    "user_number",
    "latency_ms",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "latency_bucket(latency_ms) AS latency_bucket",
)
"""Of a row: what the rollups are made from. Beside it stands `sign`: 1 adds the row, -1 takes it away."""

BUCKET_IS_FILLED = "bucket < %(filled_until)s"
ROW_IS_FILLED = "timestamp < %(filled_until)s"


# --- Text ---


def indented(text: str, spaces: int = 4) -> str:
    return "\n".join(" " * spaces + line if line else "" for line in text.strip("\n").split("\n"))


def listed(items: Iterable[str], spaces: int = 4) -> str:
    """One item a line."""
    return indented(",\n".join(items), spaces)


def places(count: int) -> str:
    """`1, 2, 3`: the columns of a SELECT by their place."""
    return ", ".join(str(place) for place in range(1, count + 1))


def with_parts(parts: Mapping[str, str]) -> str:
    """`WITH name AS (...), ...` of statements by name."""
    return "WITH " + ", ".join(f"{name} AS (\n{indented(part)}\n)" for name, part in parts.items())


# --- Sums ---


def groups(keys: Iterable[str], bucket: str, measures: Mapping[str, str], source: str, where: str) -> str:
    """SELECT of one row for each bucket and combination of keys."""
    keys = tuple(keys)
    columns = ("workspace_id", f"{bucket} AS bucket", *keys, *(f"{sql} AS {name}" for name, sql in measures.items()))
    condition = "" if where == "true" else f"\nWHERE {where}"
    return f"""
SELECT
{listed(columns)}
FROM {source}{condition}
GROUP BY {places(len(keys) + 2)}
""".strip()


def groups_of_rows(rollup: Rollup, width: Width, source: str, where: str = "") -> str:
    """`source` has SUMMED_COLUMNS and `sign`."""
    sums = {name: f"sum(sign * {sql})" for name, sql in rollup.measures.items()}
    condition = f"{rollup.where_calls} AND {where}" if where else rollup.where_calls
    return groups(rollup.keys, f"time_bucket('{width.interval}', timestamp)", sums, source, condition)


def upsert(table: str, keys: Iterable[str], updates: Mapping[str, str], selected: str) -> str:
    """Every writer takes its row locks in the order of the key, so no two can wait for each other."""
    key = ("workspace_id", "bucket", *keys)
    return f"""
INSERT INTO {table} (
{listed((*key, *updates))}
)
{selected}
ORDER BY {places(len(key))}
ON CONFLICT ({", ".join(key)}) DO UPDATE SET
{listed(f"{name} = {sql}" for name, sql in updates.items())}
""".strip()


def add_to(rollup: Rollup, table: str, selected: str) -> str:
    return upsert(table, rollup.keys, {name: f"{table}.{name} + excluded.{name}" for name in rollup.measures}, selected)


def add_buckets(rollup: Rollup, width: Width, source: str, where: str) -> str:
    """Sums narrower buckets of this rollup, or of one with more keys, into a table of it."""
    sums = {name: f"sum({name})" for name in rollup.measures}
    bucket = f"time_bucket('{width.interval}', bucket)"
    return add_to(rollup, rollup.table(width), groups(rollup.keys, bucket, sums, source, where))


def add_users(sets: UserSets, width: Width, source: str, where: str) -> str:
    """Sets the bits of the users that narrower buckets of `source` have calls of."""
    table, keys = sets.table(width), (*sets.keys, "user_block")
    bits = groups(
        (*sets.keys, f"{BLOCK_SQL} AS user_block"),
        f"time_bucket('{width.interval}', bucket)",
        {"users": f"bit_or({BIT_SQL})"},
        source,
        f"{where} AND calls > 0",
    )
    return upsert(table, keys, {"users": f"{table}.users | excluded.users"}, bits)


def rollup_ctes(source: str, has_late_rows: bool = True) -> dict[str, str]:
    """By name, the parts of a WITH that add the rows of `source` to all rollups.

    The narrowest buckets take all rows, the wider ones those of closed hours. Where no row is late, leaving those
    parts out saves half of the statement. A set only ever gains users here; see `recompute_users`.
    """
    parts: dict[str, str] = {}
    for finest, together in GROUPED_TOGETHER:
        changes = f"{finest.name}_changes"
        narrowest = min((rollup.widths[0] for rollup in together), key=lambda width: width.length)
        parts[changes] = groups_of_rows(finest, narrowest, source)
        for rollup in together:
            is_grouped_so = (rollup, rollup.widths[0]) == (finest, narrowest)
            parts[f"add_to_{rollup.narrowest}"] = (
                add_to(rollup, rollup.narrowest, f"SELECT *\nFROM {changes}")
                if is_grouped_so
                else add_buckets(rollup, rollup.widths[0], changes, "true")
            )
        if has_late_rows:
            parts |= late_ctes(together, changes)
    if has_late_rows:
        days = groups_of_rows(CALL_LATENCY, DAY, source, ROW_IS_FILLED)
        parts[f"add_to_{CALL_LATENCY.narrowest}"] = add_to(CALL_LATENCY, CALL_LATENCY.narrowest, days)
    return parts


def late_ctes(together: Iterable[Rollup], changes: str) -> dict[str, str]:
    """The parts for wider buckets and sets, which hold closed hours."""
    together = tuple(together)
    buckets = {
        f"add_to_{table}": add_buckets(rollup, width, changes, BUCKET_IS_FILLED)
        for rollup in together
        for width, table in rollup.wider_tables.items()
    }
    users = {
        f"add_to_{table}": add_users(sets, width, changes, BUCKET_IS_FILLED)
        for sets in SETS
        if sets.source in together
        for width, table in sets.tables.items()
    }
    return buckets | users


def closing_statements(where: str, join: str = "") -> dict[str, str]:
    """By table, the statement that adds the narrowest buckets, or rows, for whose {moment} `where` holds."""
    buckets = {
        table: add_buckets(rollup, width, f"{rollup.narrowest}{join}", where.format(moment="bucket"))
        for rollup in ROLLUPS
        for width, table in rollup.wider_tables.items()
    }
    users = {
        table: add_users(sets, width, f"{sets.source.narrowest}{join}", where.format(moment="bucket"))
        for sets in SETS
        for width, table in sets.tables.items()
    }
    days = groups_of_rows(CALL_LATENCY, DAY, f"{ALL_ROWS}{join}", where.format(moment="timestamp"))
    return buckets | users | {CALL_LATENCY.narrowest: add_to(CALL_LATENCY, CALL_LATENCY.narrowest, days)}


ALL_ROWS = f"""(
    SELECT
{listed((*SUMMED_COLUMNS, "1 AS sign"), 8)}
    FROM traces
) AS stored"""


# --- Storing rows ---


def batch_rows(names: Iterable[str]) -> str:
    """For a FROM: the rows of a batch, sent as one JSON array a column.

    The server reads those in half the time of one array with rows.
    """
    names = tuple(names)
    return f"""
ROWS FROM (
{listed(f"json_array_elements_text(%({name})s::json)" for name in names)}
) AS batch (
{listed(names)}
)""".strip()


def batch_columns(names: Iterable[str]) -> Iterator[str]:
    return (f"batch.{name}::{STORED_COLUMNS[name]}" for name in names)


def insert_rows(returned: Iterable[str] = ()) -> str:
    returned = tuple(returned)
    returning = f"\nRETURNING\n{listed(returned)}" if returned else "\nRETURNING 1"
    return f"""
INSERT INTO traces (
{listed(("workspace_id", *STORED_COLUMNS))}
)
SELECT
{listed(("%(workspace_id)s", *batch_columns(STORED_COLUMNS)))}
FROM {batch_rows(STORED_COLUMNS)}
ON CONFLICT (workspace_id, timestamp, trace_id, span_id) DO NOTHING{returning}
""".strip()


def insert(has_late_rows: bool) -> str:
    added = {"added": insert_rows((*SUMMED_COLUMNS, "1 AS sign"))}
    return f"""
{with_parts(added | rollup_ctes("added", has_late_rows))}
SELECT count(*)
FROM added
"""


KEY_LIST = ", ".join(KEY_COLUMNS)
CORRECTED_BATCH = f"""
SELECT
{listed(batch_columns((*KEY_COLUMNS, *CHANGED_COLUMNS)))}
FROM {batch_rows((*KEY_COLUMNS, *CHANGED_COLUMNS))}
""".strip()
ASSIGNMENTS = listed(f"{name} = batch.{name}" for name in CHANGED_COLUMNS)
SAME_ROW = """traces.workspace_id = %(workspace_id)s
    AND traces.trace_id = batch.trace_id
    AND traces.span_id = batch.span_id
    AND traces.timestamp = batch.timestamp
    AND traces.timestamp BETWEEN %(first)s AND %(last)s"""


def changes_of(old: str, new: str) -> str:
    return f"""
SELECT
{listed((*SUMMED_COLUMNS, "-1 AS sign"))}
FROM {old}
UNION ALL
SELECT
{listed((*SUMMED_COLUMNS, "1 AS sign"))}
FROM {new}
""".strip()


def correct() -> str:
    parts = {
        "batch": CORRECTED_BATCH,
        "old": f"""
SELECT traces.*
FROM traces
JOIN batch USING ({KEY_LIST})
WHERE traces.workspace_id = %(workspace_id)s
    AND traces.timestamp BETWEEN %(first)s AND %(last)s
""",
        "corrected": f"""
UPDATE traces
SET
{ASSIGNMENTS}
FROM batch
JOIN old USING ({KEY_LIST})
WHERE {SAME_ROW}
RETURNING traces.*
""",
        "changes": changes_of("old", "corrected"),
    }
    return f"""
{with_parts(parts | rollup_ctes("changes"))}
SELECT DISTINCT time_bucket('1 hour', timestamp)
FROM old
JOIN corrected USING ({KEY_LIST})
WHERE {ROW_IS_FILLED}
    AND old.user_number IS NOT NULL
    AND (old.user_number, old.operation, old.status, old.error_type)
        IS DISTINCT FROM (corrected.user_number, corrected.operation, corrected.status, corrected.error_type)
"""


def correct_rows_only() -> str:
    return f"""
{with_parts({"batch": CORRECTED_BATCH})}
UPDATE traces
SET
{ASSIGNMENTS}
FROM batch
WHERE {SAME_ROW}
"""


def moved_row() -> dict[str, str]:
    """Not an UPDATE: TimescaleDB moves no row from one day's chunk to another's."""
    moved = (
        f"%(timestamp)s::{STORED_COLUMNS[name]}" if name == "timestamp" else name
        for name in ("workspace_id", *STORED_COLUMNS)
    )
    return {
        "gone": """
DELETE FROM traces
WHERE workspace_id = %(workspace_id)s
    AND timestamp = %(stored_at)s
    AND trace_id = %(trace_id)s
    AND span_id = %(span_id)s
RETURNING *
""",
        "moved": f"""
INSERT INTO traces (
{listed(("workspace_id", *STORED_COLUMNS))}
)
SELECT
{listed(moved)}
FROM gone
RETURNING *
""",
    }


def move() -> str:
    parts = moved_row() | {"changes": changes_of("gone", "moved")}
    return f"""
{with_parts(parts | rollup_ctes("changes"))}
SELECT count(*)
FROM moved
"""


# --- Closing hours ---


NEWLY_CLOSED = "workspace_id = %(workspace_id)s AND {moment} >= %(filled_until)s AND {moment} < %(until)s"


def close_hours() -> str:
    parts = {f"add_to_{table}": statement for table, statement in closing_statements(NEWLY_CLOSED).items()}
    return f"""
{with_parts(parts)}
INSERT INTO rollup_state (workspace_id, filled_until)
VALUES (%(workspace_id)s, %(until)s)
ON CONFLICT (workspace_id) DO UPDATE SET filled_until = excluded.filled_until
"""


def recompute_users(sets: UserSets, width: Width) -> str:
    """Makes the sets of the buckets that hold `hours` again, from what is narrower."""
    table, place = sets.table(width), sets.widths.index(width)
    if place:
        source, block, bits, where = sets.table(sets.widths[place - 1]), "user_block", "bit_or(users)", ""
    else:
        source, block, bits = sets.source.narrowest, f"{BLOCK_SQL} AS user_block", f"bit_or({BIT_SQL})"
        where = f" AND calls > 0 AND {BUCKET_IS_FILLED}"
    same_keys = "".join(f"\n        AND present.{key} IS NOT DISTINCT FROM {table}.{key}" for key in sets.keys)
    touched = f"""
SELECT DISTINCT time_bucket('{width.interval}', hour) AS start
FROM unnest(%(hours)s::timestamptz[]) AS hour
""".strip()
    return f"""
WITH present AS MATERIALIZED (
    SELECT
{listed(("start", *sets.keys, block, f"{bits} AS users"), 8)}
    FROM (
{indented(touched, 8)}
    ) AS touched
    JOIN {source} ON bucket >= start AND bucket < start + interval '{width.interval}'
    WHERE workspace_id = %(workspace_id)s{where}
    GROUP BY {places(len(sets.keys) + 2)}
)
UPDATE {table}
SET users = coalesce((
    SELECT present.users
    FROM present
    WHERE start = {table}.bucket
        AND present.user_block = {table}.user_block{same_keys}
), 0::bit({BLOCK_SIZE}))
WHERE workspace_id = %(workspace_id)s
    AND bucket = ANY(ARRAY(
{indented(touched, 8)}
    ))
"""


def fill() -> list[str]:
    state = f"""
INSERT INTO rollup_state (workspace_id, filled_until)
SELECT workspace_id, time_bucket('1 hour', max(timestamp) - interval '{CLOSING_LAG.seconds} seconds')
FROM traces
GROUP BY workspace_id
""".strip()
    narrowest = (
        add_to(rollup, rollup.narrowest, groups_of_rows(rollup, rollup.widths[0], ALL_ROWS))
        for rollup in ROLLUPS
        if rollup.is_filled_by_inserts
    )
    closed = closing_statements("{moment} < filled_until", "\nJOIN rollup_state USING (workspace_id)")
    return [state, *narrowest, *closed.values()]


# --- All of them ---

HEADER = "-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.\n"


def postgresql() -> dict[str, str]:
    """By name, the text of each statement's file."""
    statements = {
        "insert": (
            "Stores the rows of a batch that are not stored yet, and adds them to the rollups.",
            insert(has_late_rows=True),
        ),
        "insert_in_time": (
            "The same for a batch whose rows all lie in open hours: only the narrowest buckets change.",
            insert(has_late_rows=False),
        ),
        "correct": (
            "Corrects stored rows, and the rollups with them. Answers with the closed hours from which a user's call"
            " was taken away.",
            correct(),
        ),
        "move": ("Moves one row to another timestamp, and the rollups with it.", move()),
        "close_hours": (
            "Closes the hours from filled_until up to until: sums their narrowest buckets into the wider ones.",
            close_hours(),
        ),
    }
    statements |= {
        f"recompute_{table}": (
            "Makes the sets of users again after calls were taken away: also without users who have no call left.",
            recompute_users(sets, width),
        )
        for sets in SETS
        for width, table in sets.tables.items()
    }
    statements["fill"] = ("Fills every rollup from all rows there are.", ";\n\n".join(fill()))
    return {name: f"-- {text}\n{HEADER}{sql.strip()}\n" for name, (text, sql) in statements.items()}


def timescaledb() -> dict[str, str]:
    """The same for TimescaleDB, which keeps the rollups itself."""
    stored = with_parts({"added": insert_rows()})
    moved = with_parts(moved_row())
    statements = {
        "insert": (
            "Stores the rows of a batch that are not stored yet.",
            f"{stored}\nSELECT count(*)\nFROM added",
        ),
        "correct": ("Corrects stored rows.", correct_rows_only()),
        "move": ("Moves one row to another timestamp.", f"{moved}\nSELECT count(*)\nFROM moved"),
    }
    return {name: f"-- {text}\n{HEADER}{sql.strip()}\n" for name, (text, sql) in statements.items()}
