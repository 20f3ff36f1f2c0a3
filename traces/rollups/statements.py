"""Makes the SQL that stores rows and keeps the rollups equal to them, from the catalogue.

Nothing here runs while the product serves requests: `python -m traces.rollups` writes each statement to `sql/`, and the
engines load it from there. All names in the SQL come from the catalogue, never from a client.
"""

from collections.abc import Iterable, Iterator, Mapping

from traces.rollups.catalogue import (
    BIT_SQL,
    BLOCK_SIZE,
    BLOCK_SQL,
    CALL_LATENCY,
    CALLS,
    CLOSED_ROLLUPS,
    CLOSING_LAG,
    DAY,
    FOLLOWERS,
    GROUPED_TOGETHER,
    HISTOGRAM,
    HOUR,
    LABEL,
    LOST_CALL,
    PLACE_CALL_FIRST_TOKEN,
    PLACE_CALL_LATENCY,
    PLACE_CALL_USERS,
    PLACES,
    ROW_KEYS,
    TOKEN_COLUMNS,
    USER_SET_TABLES,
    USERS,
    Rollup,
    UserSetTable,
    Width,
    unpacked_sql,
)
from traces.row import COLUMNS, CORRECTED_COLUMNS, COST_COLUMNS, KEY_COLUMNS

NUMBERS = {"user_number": "integer", "label_numbers": "bigint[]"}
"""The writer adds these columns. The rows of clients do not have them."""
STORED_COLUMNS = COLUMNS | NUMBERS
CHANGED_COLUMNS = (*CORRECTED_COLUMNS, *NUMBERS)


def row_columns(rollups: Iterable[Rollup], measured: Iterable[str]) -> tuple[str, ...]:
    """Returns the columns of `traces` from which the rollups are made."""
    keys = (key for rollup in rollups for key in rollup.keys if key not in (LABEL, *ROW_KEYS))
    return tuple(dict.fromkeys(("workspace_id", "timestamp", *keys, *measured)))


def keys_made(rollups: Iterable[Rollup]) -> tuple[str, ...]:
    """Returns the SQL of the keys that are no columns of `traces`."""
    keys = dict.fromkeys(key for rollup in rollups for key in rollup.keys)
    return tuple(ROW_KEYS[key] for key in keys if key in ROW_KEYS)


MEASURED_COLUMNS = ("latency_ms", "cost_usd", *COST_COLUMNS, "input_tokens", "output_tokens")
SUMMED_COLUMNS = (*row_columns((CALLS, *CLOSED_ROLLUPS), MEASURED_COLUMNS), *keys_made((CALLS, *CLOSED_ROLLUPS)))
"""The columns of a row from which rollups are made. A column `sign` follows: 1 adds the row, -1 takes it away."""
FOLLOWED_COLUMNS = row_columns(
    FOLLOWERS, (*MEASURED_COLUMNS, *TOKEN_COLUMNS, "first_token_ms", "parent_span_id", "label_numbers")
)
FOLLOWED_KEYS = keys_made(FOLLOWERS)
"""Those from which followers are made, and the keys that are made from them."""

BUCKET_IS_FILLED = "bucket < %(filled_until)s"
ROW_IS_FILLED = "timestamp < %(filled_until)s"


# --- Text ---


def indented(text: str, spaces: int = 4) -> str:
    return "\n".join(" " * spaces + line if line else "" for line in text.strip("\n").split("\n"))


def one_per_line(items: Iterable[str], spaces: int = 4) -> str:
    """Returns the items, separated by commas, with one item on each line."""
    return indented(",\n".join(items), spaces)


def column_numbers(count: int) -> str:
    """Returns `1, 2, 3`, which means the first columns of a SELECT in GROUP BY and ORDER BY."""
    return ", ".join(str(number) for number in range(1, count + 1))


def all_of(*conditions: str) -> str:
    """Returns the conditions for a WHERE, one on each line."""
    return "\n    AND ".join(conditions)


def with_ctes(ctes: Mapping[str, str]) -> str:
    """Returns `WITH name AS (...), ...` for statements by name."""
    return "WITH " + ", ".join(f"{name} AS (\n{indented(sql)}\n)" for name, sql in ctes.items())


# --- Sums ---


def groups(keys: Iterable[str], bucket: str, measures: Mapping[str, str], source: str, where: str) -> str:
    """Returns a SELECT with one row for each bucket and combination of keys."""
    keys = tuple(keys)
    columns = ("workspace_id", f"{bucket} AS bucket", *keys, *(f"{sql} AS {name}" for name, sql in measures.items()))
    condition = "" if where == "true" else f"\nWHERE {where}"
    return f"""
SELECT
{one_per_line(columns)}
FROM {source}{condition}
GROUP BY {column_numbers(len(keys) + 2)}
""".strip()


def groups_of_rows(rollup: Rollup, width: Width, source: str, where: str = "") -> str:
    """Returns a SELECT that sums rows into buckets. `source` has the columns of the rollup and `sign`."""
    sums = {name: sum_of_rows(name, sql) for name, sql in rollup.measures.items()}
    condition = f"{rollup.where_calls} AND {where}" if where else rollup.where_calls
    return groups(rollup.keys, f"time_bucket('{width.interval}', timestamp)", sums, source, condition)


def sum_of_rows(name: str, sql: str) -> str:
    """Returns the sum of a measure. Money is neither multiplied, which is slow, nor added where there is none."""
    if name == "cost_usd" or name in COST_COLUMNS:
        return f"coalesce(sum(CASE sign WHEN 1 THEN {name} ELSE -{name} END), 0)"
    return f"sum(sign * {sql})"


def upsert(table: str, keys: Iterable[str], updates: Mapping[str, str], selected: str) -> str:
    """Returns an INSERT that adds to the rows that exist.

    Every writer locks rows in the order of the key, so no two writers can wait for each other.
    """
    key = ("workspace_id", "bucket", *keys)
    return f"""
INSERT INTO {table} (
{one_per_line((*key, *updates))}
)
{selected}
ORDER BY {column_numbers(len(key))}
ON CONFLICT ({", ".join(key)}) DO UPDATE SET
{one_per_line(f"{name} = {sql}" for name, sql in updates.items())}
""".strip()


def add_to(rollup: Rollup, table: str, selected: str) -> str:
    """Returns an INSERT of sums. Those of a packed rollup are as `packed_groups` gives them."""
    updates = {name: f"{table}.{name} + excluded.{name}" for name in rollup.measures}
    if rollup.packed:
        updates[HISTOGRAM] = f"histogram_sum({table}.{HISTOGRAM}, excluded.{HISTOGRAM})"
    return upsert(table, rollup.row_keys, updates, selected)


def packed_groups(rollup: Rollup, by_value: str) -> str:
    """Returns a SELECT of the rows of a packed rollup. `by_value` has one row for each of their values."""
    keys = ("workspace_id", "bucket", *rollup.row_keys)
    histogram = f"array_agg({rollup.packed}) || array_agg(calls::integer)"
    return f"""
SELECT
{one_per_line((*keys, "sum(calls) AS calls", f"{histogram} AS {HISTOGRAM}"))}
FROM (
{indented(by_value)}
) AS by_value
WHERE calls <> 0
GROUP BY {column_numbers(len(keys))}
""".strip()


def stored_groups_of_rows(rollup: Rollup, width: Width, source: str, where: str = "") -> str:
    """Returns a SELECT that sums rows into buckets, as a table stores them."""
    summed = groups_of_rows(rollup, width, source, where)
    return packed_groups(rollup, summed) if rollup.packed else summed


def groups_of_buckets(rollup: Rollup, width: Width, source: str, where: str, sign: str = "") -> str:
    """Returns a SELECT that sums narrower buckets, of this rollup or of one with more keys, as a table stores them."""
    bucket = f"time_bucket('{width.interval}', bucket)"
    if rollup.packed:
        calls = {"calls": f"{sign}sum(packed_calls)"}
        return packed_groups(rollup, groups(rollup.keys, bucket, calls, unpacked_sql(rollup, source), where))
    sums = {name: f"{sign}sum({name})" for name in rollup.measures}
    return groups(rollup.keys, bucket, sums, source, where)


def add_buckets(rollup: Rollup, width: Width, source: str, where: str) -> str:
    """Returns an INSERT that sums narrower buckets, of this rollup or of one with more keys, into one of its tables."""
    return add_to(rollup, rollup.table(width), groups_of_buckets(rollup, width, source, where))


def add_users(user_set: UserSetTable, width: Width, source: str, where: str) -> str:
    """Returns an INSERT that sets the bit of each user who has a call in the narrower buckets of `source`."""
    table, keys = user_set.table(width), (*user_set.keys, "user_block")
    bits = groups(
        (*user_set.keys, f"{BLOCK_SQL} AS user_block"),
        f"time_bucket('{width.interval}', bucket)",
        {"user_bits": f"bit_or({BIT_SQL})"},
        source,
        f"{where} AND calls > 0",
    )
    return upsert(table, keys, {"user_bits": f"{table}.user_bits | excluded.user_bits"}, bits)


def rollup_ctes(source: str, has_late_rows: bool = True) -> dict[str, str]:
    """Returns the CTEs, by name, that add the rows of `source` to all rollups.

    All rows are added to the narrowest buckets, and rows of closed hours to the wider ones too. Without late rows the
    CTEs for the wider buckets are left out, which saves half of the statement. No user is taken out of a set here:
    see `remove_users_sql`.
    """
    ctes: dict[str, str] = {}
    for finest, together in GROUPED_TOGETHER:
        changes = f"{finest.name}_changes"
        narrowest = min((rollup.widths[0] for rollup in together), key=lambda width: width.length)
        ctes[changes] = groups_of_rows(finest, narrowest, source)
        for rollup in together:
            is_grouped_already = (rollup, rollup.widths[0]) == (finest, narrowest)
            ctes[f"add_to_{rollup.narrowest}"] = (
                add_to(rollup, rollup.narrowest, f"SELECT *\nFROM {changes}")
                if is_grouped_already
                else add_buckets(rollup, rollup.widths[0], changes, "true")
            )
        if has_late_rows:
            ctes |= late_ctes(together, changes)
    if has_late_rows:
        days = groups_of_rows(CALL_LATENCY, DAY, source, ROW_IS_FILLED)
        ctes[f"add_to_{CALL_LATENCY.narrowest}"] = add_to(CALL_LATENCY, CALL_LATENCY.narrowest, days)
    return ctes


def late_ctes(together: Iterable[Rollup], changes: str) -> dict[str, str]:
    """Returns the CTEs for the wider buckets and the sets of users, which hold closed hours."""
    together = tuple(together)
    buckets = {
        f"add_to_{table}": add_buckets(rollup, width, changes, BUCKET_IS_FILLED)
        for rollup in together
        for width, table in rollup.wider_tables.items()
    }
    users = {
        f"add_to_{table}": add_users(user_set, width, changes, BUCKET_IS_FILLED)
        for user_set in USER_SET_TABLES
        if user_set.source in together
        for width, table in user_set.tables.items()
    }
    return buckets | users


ALL_ROWS = f"""(
    SELECT
{one_per_line((*SUMMED_COLUMNS, "1 AS sign"), 8)}
    FROM traces
) AS stored"""


def closing_statements(where: str, join: str = "") -> dict[str, str]:
    """Returns for each table the statement that adds the narrowest buckets, or rows, to it.

    `where` is a condition on their {time_column}.
    """
    buckets = {
        table: add_buckets(rollup, width, f"{rollup.narrowest}{join}", where.format(time_column="bucket"))
        for rollup in CLOSED_ROLLUPS
        for width, table in rollup.wider_tables.items()
    }
    users = {
        table: add_users(user_set, width, f"{user_set.source.narrowest}{join}", where.format(time_column="bucket"))
        for user_set in USER_SET_TABLES
        for width, table in user_set.tables.items()
    }
    days = groups_of_rows(CALL_LATENCY, DAY, f"{ALL_ROWS}{join}", where.format(time_column="timestamp"))
    return buckets | users | {CALL_LATENCY.narrowest: add_to(CALL_LATENCY, CALL_LATENCY.narrowest, days)}


# --- Storing rows ---


def batch_rows(names: Iterable[str]) -> str:
    """Returns the rows of a batch for a FROM. Each column is sent as one JSON array.

    The server reads these in half the time that one array of rows takes.
    """
    names = tuple(names)
    return f"""
ROWS FROM (
{one_per_line(f"json_array_elements_text(%({name})s::json)" for name in names)}
) AS batch (
{one_per_line(names)}
)""".strip()


def batch_columns(names: Iterable[str]) -> Iterator[str]:
    return (f"batch.{name}::{STORED_COLUMNS[name]}" for name in names)


def insert_rows_sql(returned: Iterable[str] = ()) -> str:
    returned = tuple(returned)
    returning = f"\nRETURNING\n{one_per_line(returned)}" if returned else "\nRETURNING 1"
    return f"""
INSERT INTO traces (
{one_per_line(("workspace_id", *STORED_COLUMNS))}
)
SELECT
{one_per_line(("%(workspace_id)s", *batch_columns(STORED_COLUMNS)))}
FROM {batch_rows(STORED_COLUMNS)}
ON CONFLICT (workspace_id, timestamp, trace_id, span_id) DO NOTHING{returning}
""".strip()


def insert_sql(has_late_rows: bool) -> str:
    added = {"added": insert_rows_sql((*SUMMED_COLUMNS, "1 AS sign"))}
    return f"""
{with_ctes(added | rollup_ctes("added", has_late_rows))}
SELECT count(*)
FROM added
"""


KEY_LIST = ", ".join(KEY_COLUMNS)
MERGED_COLUMNS = tuple(name for name in STORED_COLUMNS if name not in KEY_COLUMNS)
SAME_ROW = """traces.workspace_id = %(workspace_id)s
    AND traces.trace_id = batch.trace_id
    AND traces.span_id = batch.span_id
    AND traces.timestamp = batch.timestamp
    AND traces.timestamp BETWEEN %(first)s AND %(last)s"""


def changes_sql(old: str, new: str) -> str:
    return f"""
SELECT
{one_per_line((*SUMMED_COLUMNS, "-1 AS sign"))}
FROM {old}
UNION ALL
SELECT
{one_per_line((*SUMMED_COLUMNS, "1 AS sign"))}
FROM {new}
""".strip()


def changed_rows(changed: Iterable[str]) -> str:
    """Returns a SELECT of the rows of a batch that has the key and the changed columns."""
    names = (*KEY_COLUMNS, *changed)
    return f"""
SELECT
{one_per_line(batch_columns(names))}
FROM {batch_rows(names)}
""".strip()


def assignments(changed: Iterable[str]) -> str:
    return one_per_line(f"{name} = batch.{name}" for name in changed)


NEW = "new_"
"""The beginning of the names of changed columns beside those of the stored row."""


def stored_rows_sql(wanted: str, keys: Mapping[str, str], new: Iterable[str] = ()) -> str:
    """Returns a SELECT of the stored rows that a batch names, each with the `new` columns from `wanted`.

    It looks into the key once for each row. In a join the planner, to which a workspace that its statistics do not know
    is empty, may compare each row of the batch with each row of the workspace.
    """
    condition = all_of("workspace_id = %(workspace_id)s", *(f"{name} = {sql}" for name, sql in keys.items()))
    return f"""
SELECT
{one_per_line(("stored.*", *new))}
FROM {wanted}
CROSS JOIN LATERAL (
    SELECT *
    FROM traces
    WHERE {indented(condition).lstrip()}
    OFFSET 0
) AS stored
""".strip()


def key_arrays() -> str:
    """Returns the keys of some rows, which are sent as arrays, for a FROM."""
    arrays = ", ".join(f"%({name})s::{STORED_COLUMNS[name]}[]" for name in KEY_COLUMNS)
    return f"unnest({arrays}) AS batch ({KEY_LIST})"


def stored_batch_sql(changed: Iterable[str]) -> str:
    """Returns a SELECT of the stored rows of a batch, with its values for the changed columns."""
    changed = tuple(changed)
    keys = {name: f"batch.{name}::{STORED_COLUMNS[name]}" for name in KEY_COLUMNS}
    new = (f"batch.{name}::{STORED_COLUMNS[name]} AS {NEW}{name}" for name in changed)
    return stored_rows_sql(batch_rows((*KEY_COLUMNS, *changed)), keys, new)


def replace_rows_sql(changed: Iterable[str]) -> str:
    """Returns an INSERT that gives the rows of `old` their new values.

    An UPDATE would be a join: see `stored_rows_sql`.
    """
    changed = tuple(changed)
    values = (f"{NEW}{name}" if name in changed else name for name in STORED_COLUMNS)
    return f"""
INSERT INTO traces (
{one_per_line(("workspace_id", *STORED_COLUMNS))}
)
SELECT
{one_per_line(("workspace_id", *values))}
FROM old
ON CONFLICT (workspace_id, timestamp, trace_id, span_id) DO UPDATE SET
{one_per_line(f"{name} = excluded.{name}" for name in changed)}
RETURNING *
""".strip()


def lost_calls_sql(*conditions: str) -> str:
    """Returns a SELECT of the calls in `old` that are taken away from a user in a closed hour."""
    return f"""
SELECT DISTINCT
{one_per_line(("time_bucket('1 hour', timestamp)", *LOST_CALL[1:]))}
FROM old
WHERE {all_of(ROW_IS_FILLED, USERS.where_calls, *conditions)}
""".strip()


def correct_sql(changed: Iterable[str]) -> str:
    changed = tuple(changed)
    ctes = {
        "old": stored_batch_sql(changed),
        "corrected": replace_rows_sql(changed),
        "changes": changes_sql("old", "corrected"),
    }
    compared = (*LOST_CALL[1:], "operation")
    before, after = ", ".join(compared), ", ".join(f"{NEW}{name}" for name in compared)
    return f"""
{with_ctes(ctes | rollup_ctes("changes"))}
{lost_calls_sql(f"({before}) IS DISTINCT FROM ({after})")}
"""


def correct_rows_sql(changed: Iterable[str]) -> str:
    return f"""
{with_ctes({"batch": changed_rows(changed)})}
UPDATE traces
SET
{assignments(changed)}
FROM batch
WHERE {SAME_ROW}
"""


def move_ctes() -> dict[str, str]:
    """Returns the CTEs that delete a row and insert it again with another timestamp.

    They are not an UPDATE, because TimescaleDB cannot move a row from the chunk of one day to that of another.
    """
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
{one_per_line(("workspace_id", *STORED_COLUMNS))}
)
SELECT
{one_per_line(moved)}
FROM gone
RETURNING *
""",
    }


def move_sql() -> str:
    columns = ("workspace_id", *STORED_COLUMNS)
    values = (f"{NEW}timestamp" if name == "timestamp" else name for name in columns)
    names = ("stored_at", *KEY_COLUMNS)
    arrays = one_per_line(f"%({name})s::{STORED_COLUMNS.get(name, 'timestamptz')}[]" for name in names)
    wanted = f"unnest(\n{arrays}\n) AS batch ({', '.join(names)})"
    keys = {name: f"batch.{'stored_at' if name == 'timestamp' else name}" for name in KEY_COLUMNS}
    ctes = {
        "old": stored_rows_sql(wanted, keys, (f"batch.timestamp AS {NEW}timestamp",)),
        "moved": f"""
INSERT INTO traces (
{one_per_line(columns)}
)
SELECT
{one_per_line(values)}
FROM old
RETURNING *
""",
        "changes": changes_sql("old", "moved"),
    }
    return f"""
{with_ctes(ctes | rollup_ctes("changes"))}
{lost_calls_sql()}
"""


# --- Closing hours ---


NEWLY_CLOSED = "workspace_id = %(workspace_id)s AND {time_column} >= %(filled_until)s AND {time_column} < %(until)s"


def close_hours_sql() -> str:
    ctes = {f"add_to_{table}": statement for table, statement in closing_statements(NEWLY_CLOSED).items()}
    return f"""
{with_ctes(ctes)}
INSERT INTO rollup_state (workspace_id, filled_until, followed_since, followed_until)
VALUES (%(workspace_id)s, %(until)s, %(beginning)s, %(beginning)s)
ON CONFLICT (workspace_id) DO UPDATE SET filled_until = excluded.filled_until
"""


# --- Followers ---


LABELLED_ROWS = f"SELECT *\nFROM followed\nCROSS JOIN LATERAL unnest(label_numbers) AS labels ({LABEL})"
REPLACED_FOLLOWERS = tuple(
    rollup for rollup in FOLLOWERS if rollup not in (PLACE_CALL_LATENCY, PLACE_CALL_FIRST_TOKEN, PLACE_CALL_USERS)
)
"""Those of version 0.1.0, whose tables migration 0007 has replaced."""
IN_RANGE = "workspace_id = %(workspace_id)s AND {time_column} >= %(since)s AND {time_column} < %(until)s"
CEILING = "time_bucket('1 hour', %(followed_since)s + interval '1 hour' - interval '1 microsecond')"
HOUR_IS_FOLLOWED = f"bucket >= {CEILING} AND bucket < time_bucket('1 hour', %(followed_until)s)"
"""The wider buckets have the whole hours of the followed time."""


def source_of(rollup: Rollup) -> str:
    return "labelled" if rollup.is_of_labels else "followed"


def follow_sql() -> str:
    """Returns a statement that adds the rows of a time to the narrowest buckets of the followers."""
    followed = f"""
SELECT
{one_per_line((*FOLLOWED_COLUMNS, *FOLLOWED_KEYS, "1 AS sign"))}
FROM traces
WHERE {IN_RANGE.format(time_column="timestamp")}
""".strip()
    ctes = {"followed": followed, "labelled": LABELLED_ROWS}
    for rollup in FOLLOWERS:
        added = stored_groups_of_rows(rollup, rollup.widths[0], source_of(rollup))
        ctes[f"add_to_{rollup.narrowest}"] = add_to(rollup, rollup.narrowest, added)
    return f"{with_ctes(ctes)}\nSELECT count(*)\nFROM followed"


def follow_wider_sql() -> str:
    """Returns a statement that adds whole hours of the followers to their wider buckets."""
    ctes = {
        f"add_to_{table}": add_buckets(rollup, width, rollup.narrowest, IN_RANGE.format(time_column="bucket"))
        for rollup in FOLLOWERS
        for width, table in rollup.wider_tables.items()
    }
    return f"{with_ctes(ctes)}\nSELECT 1"


def unfollow_sql() -> str:
    """Returns a statement that deletes the hours of the followers and what is narrower, and takes them from the wider.

    The wider buckets lose what the hours had: narrower ones may be missing for the time before they were added.
    """
    ctes = {}
    for rollup in FOLLOWERS:
        for width, table in rollup.tables.items():
            if width.length <= HOUR.length:
                ctes[f"deleted_from_{table}"] = f"""
DELETE FROM {table}
WHERE {IN_RANGE.format(time_column="bucket")}
RETURNING *
"""
    for rollup in FOLLOWERS:
        source = f"deleted_from_{rollup.table(HOUR)}"
        for width, table in rollup.tables.items():
            if width.length > HOUR.length:
                hours = groups_of_buckets(rollup, width, source, "bucket < %(until_hour)s", sign="-")
                ctes[f"take_from_{table}"] = add_to(rollup, table, hours)
    return f"{with_ctes(ctes)}\nSELECT 1"


def keep_replaced_sql() -> str:
    """Returns a statement that adds sums of version 0.1.0, of a time whose rows may be deleted, to the followers."""
    ctes = {}
    for rollup in REPLACED_FOLLOWERS:
        stored, source = f"hours_of_{rollup.name}", f"replaced_sums.{rollup.table(HOUR)}"
        columns = ("workspace_id", "bucket", *rollup.keys, *rollup.measures)
        hours = f"SELECT\n{one_per_line(columns)}\nFROM {source}\nWHERE {IN_RANGE.format(time_column='bucket')}"
        ctes[stored] = packed_groups(rollup, hours) if rollup.packed else hours
        ctes[f"add_to_{rollup.table(HOUR)}"] = add_to(rollup, rollup.table(HOUR), f"SELECT *\nFROM {stored}")
        for width, table in rollup.tables.items():
            if width.length > HOUR.length:
                ctes[f"add_to_{table}"] = add_buckets(rollup, width, stored, "true")
    return f"{with_ctes(ctes)}\nSELECT coalesce(sum(calls), 0)\nFROM hours_of_{PLACES.name}"


def followed_rows_sql() -> str:
    """Returns a SELECT of the stored rows with some keys, of the time that the followers are filled for, as JSON."""
    keys = {name: f"batch.{name}" for name in KEY_COLUMNS}
    return f"""
SELECT coalesce(json_agg(found), '[]')::text
FROM (
    SELECT
{one_per_line(FOLLOWED_COLUMNS, 8)}
    FROM (
{indented(stored_rows_sql(key_arrays(), keys), 8)}
    ) AS stored
    WHERE timestamp >= %(followed_since)s AND timestamp < %(followed_until)s
) AS found
"""


def follow_changes_sql() -> str:
    """Returns a statement that takes rows away from all buckets of the followers, and adds others. Both are JSON."""
    names = tuple(name for name in FOLLOWED_COLUMNS if name != "workspace_id")
    types = one_per_line(f"{name} {STORED_COLUMNS[name]}" for name in names)
    followed = "\nUNION ALL\n".join(
        f"""
SELECT
{one_per_line(("%(workspace_id)s::uuid AS workspace_id", *names, *FOLLOWED_KEYS, f"{sign} AS sign"))}
FROM json_to_recordset(%({rows})s::json) AS rows (
{types}
)
""".strip()
        for rows, sign in (("before", -1), ("after", 1))
    )
    ctes = {"followed": followed, "labelled": LABELLED_ROWS}
    for rollup in FOLLOWERS:
        changes = f"{rollup.name}_changes"
        ctes[changes] = stored_groups_of_rows(rollup, rollup.widths[0], source_of(rollup))
        ctes[f"add_to_{rollup.narrowest}"] = add_to(rollup, rollup.narrowest, f"SELECT *\nFROM {changes}")
        for width, table in rollup.wider_tables.items():
            ctes[f"add_to_{table}"] = add_buckets(rollup, width, changes, HOUR_IS_FOLLOWED)
    return f"{with_ctes(ctes)}\nSELECT 1"


NULLABLE_KEYS = ("error_type",)
"""The keys of sets of users that may be NULL."""
HAS_CALL = ("user_number = lost.user_number", "calls > 0")
IS_IN_SET = (
    f"user_block = lost.user_number / {BLOCK_SIZE}",
    f"get_bit(user_bits, mod(lost.user_number, {BLOCK_SIZE})) = 1",
)


def remove_users_sql(user_set: UserSetTable, width: Width) -> str:
    """Returns an INSERT that removes the users who have lost a call, and have no other, from the sets of a width.

    It looks for another call of each of these users in the next narrower buckets, and reads no other user.
    """
    table, index = user_set.table(width), user_set.widths.index(width)
    keys, blocks = user_set.keys, (*user_set.keys, "user_block")
    ctes = {"lost": lost_sql(user_set, width)}
    ctes["gone"] = f"""
SELECT
{one_per_line(("bucket", *keys, f"{BLOCK_SQL} AS user_block", f"bit_or({BIT_SQL}) AS user_bits"))}
FROM lost
WHERE NOT EXISTS (
{indented(other_calls_sql(user_set, index))}
)
GROUP BY {column_numbers(len(blocks) + 1)}
"""
    stored = same_keys_sql(table, keys, "gone", "gone.bucket", "user_block = gone.user_block", selected="user_bits")
    columns = ("%(workspace_id)s::uuid AS workspace_id", "bucket", *(f"gone.{key}" for key in blocks))
    sets = f"""
SELECT
{one_per_line((*columns, "stored.user_bits & ~gone.user_bits AS user_bits"))}
FROM gone
CROSS JOIN LATERAL (
{indented(stored)}
) AS stored
""".strip()
    return f"{with_ctes(ctes)}\n{upsert(table, blocks, {'user_bits': 'excluded.user_bits'}, sets)}"


def lost_sql(user_set: UserSetTable, width: Width) -> str:
    """Returns a SELECT of the lost calls, which are sent as arrays, by the buckets of the width."""
    return f"""
SELECT DISTINCT
{one_per_line((f"time_bucket('{width.interval}', hour) AS bucket", *user_set.keys, *USERS.keys))}
FROM unnest(
    %(hour)s::timestamptz[], %(user_number)s::integer[], %(status)s::text[], %(error_type)s::text[]
) AS lost ({", ".join(LOST_CALL)})
WHERE {user_set.source.where}
"""


def other_calls_sql(user_set: UserSetTable, index: int) -> str:
    """Returns a SELECT that finds a row if the user of `lost` has a call in the bucket. It reads narrower buckets."""
    width = user_set.widths[index]
    narrower = user_set.widths[index - 1] if index else user_set.source.widths[0]
    source = user_set.table(narrower) if index else user_set.source.narrowest
    found = same_keys_sql(source, user_set.keys, "lost", "start", *(IS_IN_SET if index else HAS_CALL))
    return f"""
SELECT
FROM generate_series(
    bucket, bucket + interval '{width.interval}' - interval '{narrower.interval}', interval '{narrower.interval}'
) AS start
CROSS JOIN LATERAL (
{indented(found)}
) AS found
OFFSET 0
""".strip()


def same_keys_sql(
    table: str, keys: Iterable[str], other: str, bucket: str, *conditions: str, selected: str = ""
) -> str:
    """Returns a SELECT of the rows of one bucket with the keys of `other`.

    NULL is equal to NULL, in a branch of its own, because only = and IS NULL fit the index.
    """
    begin = ("workspace_id = %(workspace_id)s", f"bucket = {bucket}")
    branches: list[tuple[str, ...]] = [begin]
    for key in keys:
        equal, both_null = (f"{key} = {other}.{key}",), (f"{key} IS NULL", f"{other}.{key} IS NULL")
        choices = (equal, both_null) if key in NULLABLE_KEYS else (equal,)
        branches = [(*branch, *choice) for branch in branches for choice in choices]
    head = f"SELECT {selected}".rstrip()
    selects = (f"{head}\nFROM {table}\nWHERE {all_of(*branch, *conditions)}" for branch in branches)
    return "\nUNION ALL\n".join(selects) + "\nOFFSET 0"


def fill_sql() -> list[str]:
    state = f"""
INSERT INTO rollup_state (workspace_id, filled_until, followed_since, followed_until)
SELECT workspace_id, last_hour, timestamptz '2000-01-01 00:00:00+00', last_hour
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', max(timestamp) - interval '{CLOSING_LAG.seconds} seconds') AS last_hour
    FROM traces
    GROUP BY workspace_id
) AS newest
""".strip()
    narrowest = (
        add_to(rollup, rollup.narrowest, groups_of_rows(rollup, rollup.widths[0], ALL_ROWS))
        for rollup in CLOSED_ROLLUPS
        if rollup.is_filled_by_inserts
    )
    join = "\nJOIN rollup_state USING (workspace_id)"
    closed = closing_statements("{time_column} < filled_until", join)
    return [state, *narrowest, *closed.values(), *fill_followers_sql(join)]


def fill_followers_sql(join: str) -> Iterator[str]:
    rows_to_follow = f"SELECT\n{one_per_line((*FOLLOWED_COLUMNS, *FOLLOWED_KEYS, '1 AS sign'))}\nFROM traces"
    for rollup in FOLLOWERS:
        labels = f"\nCROSS JOIN LATERAL unnest(label_numbers) AS labels ({LABEL})" if rollup.is_of_labels else ""
        source = f"(\n{indented(rows_to_follow)}\n) AS stored{labels}{join}"
        rows_of_hours = stored_groups_of_rows(rollup, rollup.widths[0], source, "timestamp < followed_until")
        yield add_to(rollup, rollup.narrowest, rows_of_hours)
        for width in rollup.widths[1:]:
            yield add_buckets(rollup, width, rollup.narrowest, "true")


# --- All of them ---

HEADER = "-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.\n"


def postgresql_statements() -> dict[str, str]:
    """Returns the text of each statement's file by the name of the statement."""
    statements = {
        "insert": (
            "Stores the rows of a batch that are not stored yet, and adds them to the rollups.",
            insert_sql(has_late_rows=True),
        ),
        "insert_in_time": (
            "The same for a batch whose rows all lie in open hours: only the narrowest buckets change.",
            insert_sql(has_late_rows=False),
        ),
        "correct": (
            "Corrects stored rows, and the rollups with them. Returns the calls that were taken away from a user in a"
            " closed hour.",
            correct_sql(CHANGED_COLUMNS),
        ),
        "merge": (
            "Does the same for rows that were merged with another copy of their span: all columns may change.",
            correct_sql(MERGED_COLUMNS),
        ),
        "move": (
            "Copies stored rows to other timestamps, and moves the rollups with them: their old rows are deleted next."
            " Returns the calls that were taken away from a user in a closed hour.",
            move_sql(),
        ),
        "close_hours": (
            "Closes the hours from filled_until up to until: sums their narrowest buckets into the wider ones.",
            close_hours_sql(),
        ),
        "follow": (
            "Adds the rows of a time to the narrowest buckets of the followers. Returns how many these were.",
            follow_sql(),
        ),
        "follow_changes": (
            "Takes the old rows away from all buckets of the followers, and adds the new ones. Both come as JSON.",
            follow_changes_sql(),
        ),
        "followed_rows": (
            "Reads stored rows of the time that the followers are filled for.",
            followed_rows_sql(),
        ),
        "follow_wider": ("Adds whole hours of the followers to their wider buckets.", follow_wider_sql()),
        "keep_replaced": (
            "Adds the sums of an older version to those of a time whose rows may be deleted. Returns their calls.",
            keep_replaced_sql(),
        ),
        "unfollow": (
            "Deletes the hours of the followers of a time, and what is narrower, and takes them from wider buckets.",
            unfollow_sql(),
        ),
    }
    statements |= {
        f"remove_from_{table}": (
            "Removes users who have lost a call, and have no other, from the sets of these buckets.",
            remove_users_sql(user_set, width),
        )
        for user_set in USER_SET_TABLES
        for width, table in user_set.tables.items()
    }
    statements["fill"] = (
        "Fills every rollup from all stored rows, in benchmarks and in a test. The product does not run it.",
        ";\n\n".join(fill_sql()),
    )
    return {name: f"-- {text}\n{HEADER}{sql.strip()}\n" for name, (text, sql) in statements.items()}


SPAN_HASH = "span_hash"
SPAN_HASH_SQL = "hashtextextended(span_id, hashtextextended(trace_id, 0))"
"""Stands for the ids of a span in eight bytes. Two rows of a workspace and microsecond do not have the same one."""
NOT_OF_LABELS = ("workspace_id", "timestamp", "label_numbers", "session_id", "parent_span_id")
LABEL_ROW_COLUMNS = tuple(name for name in FOLLOWED_COLUMNS if name not in NOT_OF_LABELS)


def add_label_rows_sql(source: str) -> str:
    names = ("workspace_id", "timestamp", SPAN_HASH, LABEL, *LABEL_ROW_COLUMNS)
    return f"""
INSERT INTO label_rows (
{one_per_line(names)}
)
SELECT
{one_per_line(("workspace_id", "timestamp", SPAN_HASH_SQL, LABEL, *LABEL_ROW_COLUMNS))}
FROM {source}
CROSS JOIN LATERAL unnest(label_numbers) AS labels ({LABEL})
""".strip()


def delete_label_rows_sql() -> str:
    keys = f"SELECT batch.timestamp, {SPAN_HASH_SQL}\nFROM {key_arrays()}"
    return f"""
DELETE FROM label_rows
WHERE workspace_id = %(workspace_id)s
    AND timestamp BETWEEN %(first)s AND %(last)s
    AND (timestamp, {SPAN_HASH}) IN (
{indented(keys, 8)}
    )
"""


def restore_label_rows_sql() -> str:
    """Returns an INSERT of the labels that the rows with some keys have now."""
    keys = {name: f"batch.{name}" for name in KEY_COLUMNS}
    return add_label_rows_sql(f"(\n{indented(stored_rows_sql(key_arrays(), keys))}\n) AS stored")


def timescaledb_statements() -> dict[str, str]:
    """Returns the same for TimescaleDB, which fills the rollups itself."""
    returned = ("workspace_id", "trace_id", "span_id", *FOLLOWED_COLUMNS[1:])
    stored = with_ctes({"added": insert_rows_sql(returned), "labelled": add_label_rows_sql("added")})
    moved = with_ctes(move_ctes())
    statements = {
        "insert": (
            "Stores the rows of a batch that are not stored yet.",
            f"{stored}\nSELECT count(*)\nFROM added",
        ),
        "correct": ("Corrects stored rows.", correct_rows_sql(CHANGED_COLUMNS)),
        "merge": (
            "Does the same for rows that were merged with another copy of their span: all columns may change.",
            correct_rows_sql(MERGED_COLUMNS),
        ),
        "delete_label_rows": ("Deletes the labels of some rows.", delete_label_rows_sql()),
        "add_label_rows": ("Adds the labels of some rows, as these are now.", restore_label_rows_sql()),
        "add_label_rows_of_all": (
            "Adds the labels of all rows, in benchmarks. The product does not run it.",
            add_label_rows_sql("traces"),
        ),
        "move": ("Moves one row to another timestamp.", f"{moved}\nSELECT count(*)\nFROM moved"),
    }
    return {name: f"-- {text}\n{HEADER}{sql.strip()}\n" for name, (text, sql) in statements.items()}
