"""Makes the SQL with which `manage.py verify` compares sums with the rows that they are made from.

Each statement sums the rows of a time once, by the narrowest buckets of a rollup, and compares all its tables with
that. It returns only what differs, at most %(limit)s buckets, and how many there are in all. So it needs little memory
here, and the server sorts on disk what does not fit into its own.

`{totals_hourly}` stands for the table in which sums are stored, and `{totals_hourly_since}` and `{totals_hourly_until}`
for the time that it is filled for: `traces/verify.py` knows these of each engine. A statement reads them in its own
snapshot, so traces may arrive meanwhile.
"""

from collections.abc import Iterable, Sequence

from traces.rollups.catalogue import (
    BIT_SQL,
    BLOCK_SIZE,
    BLOCK_SQL,
    CATALOGUE,
    HISTOGRAM,
    LABEL,
    WEEK,
    Rollup,
    UserSetTable,
    Width,
    is_same_sql,
    unpacked_sql,
)
from traces.rollups.schema import KEY_TYPES
from traces.rollups.statements import (
    FOLLOWED_COLUMNS,
    FOLLOWED_KEYS,
    HEADER,
    SPAN_HASH_SQL,
    SUMMED_COLUMNS,
    all_of,
    column_numbers,
    groups,
    groups_of_rows,
    indented,
    one_per_line,
    with_ctes,
)

TOLERANCES = {"latency_ms": "0.001", "duration_ms": "0.001", "squared_latency": "1"}
"""How far the sums of floats may be from the rows beside a millionth: adding in another order rounds differently."""
NUMBER_KEYS = {*KEY_TYPES, "user_block"}
ROW_COLUMNS = tuple(dict.fromkeys((*SUMMED_COLUMNS, *FOLLOWED_COLUMNS, *FOLLOWED_KEYS, "1 AS sign")))
WORKSPACE = "workspace_id = %(workspace_id)s"


def between(time_column: str, since: str = "", until: str = "") -> str:
    """Returns the condition for the time of the question, and for the time that a table is filled for."""
    conditions = [WORKSPACE, f"{time_column} >= %(start)s AND {time_column} < %(end)s"]
    if since:
        conditions.append(f"{time_column} >= {since} AND {time_column} < {until}")
    return all_of(*conditions)


def rows_sql(name: str, with_labels: bool = False) -> str:
    labels = f"\nCROSS JOIN LATERAL unnest(label_numbers) AS labels ({LABEL})" if with_labels else ""
    selected = f"""
SELECT
{one_per_line(ROW_COLUMNS)}
FROM traces
WHERE {between("timestamp", f"{{{name}_rows_since}}", f"{{{name}_rows_until}}")}
""".strip()
    return f"SELECT *\nFROM (\n{indented(selected)}\n) AS stored{labels}"


def differences_sql(entry: Rollup | UserSetTable, widths: Iterable[Width]) -> str:
    source = entry if isinstance(entry, Rollup) else entry.source
    has_labels = isinstance(entry, Rollup) and entry.is_of_labels
    parts = {"stored_rows": rows_sql(entry.name, has_labels), "summed": summed_sql(entry, source)}
    selects = (differences_of_table(entry, width) for width in widths)
    return f"""
{with_ctes(parts)}
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
{indented(f"{chr(10)}UNION ALL{chr(10)}".join(selects))}
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
"""


def summed_sql(entry: Rollup | UserSetTable, source: Rollup) -> str:
    if isinstance(entry, Rollup):
        return groups_of_rows(entry, entry.widths[0], "stored_rows")
    bucket = f"time_bucket('{entry.widths[0].interval}', timestamp)"
    keys = (*entry.keys, f"{BLOCK_SQL} AS user_block")
    return groups(keys, bucket, {"user_bits": f"bit_or({BIT_SQL})"}, "stored_rows", source.where_calls)


def differences_of_table(entry: Rollup | UserSetTable, width: Width) -> str:
    """Returns a SELECT of the buckets of one table. The measures that differ are JSON: what is stored, and of rows."""
    table = entry.table(width)
    keys = entry.keys if isinstance(entry, Rollup) else (*entry.keys, "user_block")
    measures = tuple(entry.measures) if isinstance(entry, Rollup) else ("user_bits",)
    is_narrowest = width == entry.widths[0]
    return f"""
SELECT
    '{table}' AS name,
    bucket,
    {key_sql(keys)} AS key,
    {measures_sql(measures)} AS measures
FROM (
    SELECT
{one_per_line(both_columns(keys, measures), 8)}
    FROM (
{indented(stored_sql(table, keys, measures), 8)}
    ) AS stored
    FULL JOIN (
{indented((narrowest_sql if is_narrowest else regrouped_sql)(table, width, keys, measures), 8)}
    ) AS of_rows
        ON {same_key_sql(keys)}
) AS both_sides
WHERE {differ_sql(measures)}
""".strip()


def stored_sql(table: str, keys: Iterable[str], measures: Iterable[str]) -> str:
    """Returns the stored sums of each bucket and key."""
    return f"""
SELECT
{one_per_line(("bucket", *keys, *measures))}
FROM {{{table}}}
WHERE {between("bucket")}
    AND bucket < {{{table}_until}}
""".strip()


def narrowest_sql(table: str, width: Width, keys: Iterable[str], measures: Iterable[str]) -> str:
    # The time that the narrowest table is filled for is a condition on the rows.
    return f"SELECT {', '.join(('bucket', *keys, *measures))}\nFROM summed\nWHERE bucket < {{{table}_until}}"


def regrouped_sql(table: str, width: Width, keys: Sequence[str], measures: Iterable[str]) -> str:
    columns = (
        f"time_bucket('{width.interval}', bucket) AS bucket",
        *keys,
        *(f"{sum_sql(name)} AS {name}" for name in measures),
    )
    return f"""
SELECT
{one_per_line(columns)}
FROM summed
WHERE bucket >= {{{table}_since}} AND bucket < {{{table}_until}}
GROUP BY {column_numbers(len(keys) + 1)}
""".strip()


def sum_sql(name: str) -> str:
    return f"bit_or({name})" if name == "user_bits" else f"sum({name})"


def summed_copies(entry: Rollup | UserSetTable, table: str) -> str:
    """Returns an aggregate's table as SQL for a FROM. No key forbids it to have a bucket twice."""
    keys = entry.keys if isinstance(entry, Rollup) else (*entry.keys, "user_block")
    measures = tuple(entry.measures) if isinstance(entry, Rollup) else ("user_bits",)
    columns = ("workspace_id", "bucket", *keys)
    sums = (f"{sum_sql(name)} AS {name}" for name in measures)
    return f"(SELECT {', '.join((*columns, *sums))} FROM {table} GROUP BY {', '.join(columns)}) AS copies"


def unpacked_rows(rollup: Rollup, table: str) -> str:
    """Returns a packed table as SQL for a FROM, with a row for each value of the packed key.

    Where `calls` of a row is not the sum of its histogram, another row without a value has the difference.
    """
    keys = ("workspace_id", "bucket", *rollup.row_keys)
    parts = ", ".join((*keys, rollup.packed or "", "packed_calls AS calls"))
    in_all = f"(SELECT coalesce(sum(part), 0) FROM unnest({HISTOGRAM}[cardinality({HISTOGRAM}) / 2 + 1:]) AS part)"
    totals = ", ".join((*keys, "NULL::integer", f"calls - {in_all}"))
    return f"""(
SELECT {parts} FROM {unpacked_sql(rollup, table)}
UNION ALL
SELECT {totals} FROM {table} WHERE calls <> {in_all}
) AS unpacked"""


def both_columns(keys: Iterable[str], measures: Iterable[str]) -> list[str]:
    """Returns the columns of the join of what is stored with what rows give."""
    return [
        *(f"coalesce(stored.{name}, of_rows.{name}) AS {name}" for name in ("bucket", *keys)),
        *(
            f"{value_sql(f'{side}.{name}')} AS {prefix}_{name}"
            for name in measures
            for side, prefix in (("stored", "stored"), ("of_rows", "rows"))
        ),
    ]


def value_sql(column: str) -> str:
    return column if column.endswith("user_bits") else f"coalesce({column}, 0)"


def same_key_sql(keys: Iterable[str]) -> str:
    """Returns a condition that can be hashed. Numbers are not NULL, but those of users, which are not negative."""
    conditions = ["stored.bucket = of_rows.bucket"]
    for name in keys:
        left, right = f"stored.{name}", f"of_rows.{name}"
        if name == "user_number":
            conditions.append(f"coalesce({left}, -1) = coalesce({right}, -1)")
        elif name in NUMBER_KEYS:
            conditions.append(f"{left} = {right}")
        else:
            conditions.append(is_same_sql(left, right))
    return "\n        AND ".join(conditions)


def key_sql(keys: Iterable[str]) -> str:
    pairs = ", ".join(f"'{name}', {name}" for name in keys)
    return f"jsonb_build_object({pairs})"


def measures_sql(measures: Iterable[str]) -> str:
    different = ",\n".join(f"        '{name}', {difference_of(name)}" for name in measures)
    return f"jsonb_strip_nulls(jsonb_build_object(\n{different}\n    ))"


def differ_sql(measures: Iterable[str]) -> str:
    """Returns the condition that is cheap to check for buckets where nothing differs."""
    return "\n    OR ".join(is_different(name) for name in measures)


def is_different(name: str) -> str:
    stored, of_rows = f"stored_{name}", f"rows_{name}"
    if name == "user_bits":
        bits = f"coalesce({stored}, 0::bit({BLOCK_SIZE}))", f"coalesce({of_rows}, 0::bit({BLOCK_SIZE}))"
        return f"{bits[0]} <> {bits[1]}"
    if name in TOLERANCES:
        tolerance = f"{TOLERANCES[name]} + 0.000001 * greatest(abs({stored}), abs({of_rows}))"
        return f"abs({stored} - {of_rows}) > {tolerance}"
    return f"{stored} <> {of_rows}"


def difference_of(name: str) -> str:
    """Returns the SQL of the two values as a JSON array; NULL if they are equal."""
    values = [f"stored_{name}", f"rows_{name}"]
    if name == "user_bits":
        values = [f"coalesce(bit_count({value}), 0)" for value in values]
    return f"CASE WHEN {is_different(name)} THEN jsonb_build_array({', '.join(values)}) END"


# --- What is no rollup ---

SCORE_KEYS = ("name", "agent_id", "provider", "model", "category", "environment", "release")
SCORE_MEASURES = {
    "scores": "count(*)",
    "numbers": "count(number)",
    "number": "coalesce(sum(number), 0)",
    "squared_number": "coalesce(sum(number * number), 0)",
}


def score_sums_of(name: str) -> tuple[str, str]:
    return (
        f"coalesce(sum({name}) FILTER (WHERE is_stored), 0) AS stored_{name}",
        f"coalesce(sum({name}) FILTER (WHERE NOT is_stored), 0) AS rows_{name}",
    )


def score_sums_sql() -> str:
    keys, names = ", ".join(SCORE_KEYS), ", ".join(SCORE_MEASURES)
    counted = ", ".join(f"{sql} AS {name}" for name, sql in SCORE_MEASURES.items())
    sums = [column for name in SCORE_MEASURES for column in score_sums_of(name)]
    key = ", ".join(f"'{name}', {name}" for name in SCORE_KEYS)
    different = ", ".join(f"'{name}', {difference_of(name)}" for name in SCORE_MEASURES)
    return f"""
SELECT 'score_sums' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        bucket,
        jsonb_build_object({key.replace("'name', name", "'name', score_name")}) AS key,
        jsonb_strip_nulls(jsonb_build_object({different})) AS measures
    FROM (
        SELECT
            bucket, name AS score_name, {keys.removeprefix("name, ")},
{one_per_line(sums, 12)}
        FROM (
            SELECT true AS is_stored, bucket, {keys}, {names}
            FROM score_sums
            WHERE {WORKSPACE} AND bucket >= %(start)s AND bucket < %(end)s
            UNION ALL
            SELECT
                false, date_bin('1 hour', timestamp, timestamptz '2000-01-03 00:00:00+00') AS bucket, {keys},
                {counted}
            FROM scores
            WHERE {WORKSPACE} AND timestamp >= %(start)s AND timestamp < %(end)s
            GROUP BY bucket, {keys}
        ) AS both_sides
        GROUP BY bucket, {keys}
    ) AS sums
) AS compared
WHERE measures <> '{{{{}}}}'
ORDER BY bucket
LIMIT %(limit)s
"""


# As `traces/labels.py` numbers them: a value that is not listed in its month counts among the others of its name.
ROW_NUMBERS = f"""
WITH stored AS (
    SELECT
        timestamp,
        trace_id,
        span_id,
        user_id,
        user_number,
        labels,
        label_numbers,
        date_trunc('month', timestamp AT TIME ZONE 'UTC')::date AS month
    FROM traces
    WHERE {WORKSPACE}
        AND timestamp >= %(start)s AND timestamp < %(end)s
        AND (user_id IS NOT NULL OR user_number IS NOT NULL OR labels IS NOT NULL OR label_numbers IS NOT NULL)
), different AS (
    SELECT DISTINCT month, labels
    FROM stored
    WHERE labels IS NOT NULL
), listed AS MATERIALIZED (
    SELECT month, name, value, number
    FROM label_values
    JOIN label_months USING (workspace_id, number)
    WHERE {WORKSPACE} AND month IN (SELECT month FROM different)
), right_labels AS (
    SELECT
        different.month,
        labels,
        array_agg(DISTINCT coalesce(own.number, others.number) ORDER BY coalesce(own.number, others.number))
            FILTER (WHERE coalesce(own.number, others.number) IS NOT NULL) AS numbers
    FROM different
    CROSS JOIN LATERAL jsonb_each_text(labels) AS label (name, value)
    LEFT JOIN listed AS own
        ON own.month = different.month AND own.name = label.name AND own.value = label.value
    LEFT JOIN listed AS others
        ON others.month = different.month AND others.name = label.name AND others.value = ''
    GROUP BY 1, 2
), compared AS (
    SELECT
        timestamp AS bucket,
        jsonb_build_object('trace_id', trace_id, 'span_id', span_id) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'user_number',
            CASE WHEN user_number IS DISTINCT FROM known.number
                THEN jsonb_build_array(coalesce(user_number::text, 'none'), coalesce(known.number::text, 'none'))
            END,
            'label_numbers',
            CASE WHEN coalesce(label_numbers, '{{{{}}}}') <> coalesce(numbers, '{{{{}}}}')
                THEN jsonb_build_array(coalesce(label_numbers::text, 'none'), coalesce(numbers::text, 'none'))
            END
        )) AS measures
    FROM stored
    LEFT JOIN (
        SELECT user_id, number
        FROM user_numbers
        WHERE {WORKSPACE}
    ) AS known USING (user_id)
    LEFT JOIN right_labels USING (month, labels)
)
SELECT 'traces' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM compared
WHERE measures <> '{{{{}}}}'
ORDER BY bucket
LIMIT %(limit)s
"""
LABEL_ROWS = f"""
SELECT 'label_rows' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        timestamp AS bucket,
        jsonb_build_object('span_hash', span_hash, '{LABEL}', {LABEL}) AS key,
        jsonb_build_object(
            'rows', jsonb_build_array(sum(is_stored::integer), sum((NOT is_stored)::integer))
        ) AS measures
    FROM (
        SELECT true AS is_stored, timestamp, span_hash, {LABEL}
        FROM label_rows
        WHERE {WORKSPACE} AND timestamp >= %(start)s AND timestamp < %(end)s
        UNION ALL
        SELECT false, timestamp, {SPAN_HASH_SQL}, {LABEL}
        FROM traces
        CROSS JOIN LATERAL unnest(label_numbers) AS labels ({LABEL})
        WHERE {WORKSPACE} AND timestamp >= %(start)s AND timestamp < %(end)s
    ) AS both_sides
    GROUP BY timestamp, span_hash, {LABEL}
    HAVING sum(is_stored::integer) <> sum((NOT is_stored)::integer)
) AS compared
ORDER BY bucket
LIMIT %(limit)s
"""


def statements() -> dict[str, str]:
    """Returns the text of each statement's file by its name."""
    texts = {
        "score_sums": ("Compares the sums of scores with the scores.", score_sums_sql()),
        "row_numbers": ("Compares the numbers of users and labels on rows with their names.", ROW_NUMBERS),
        "label_rows": ("Compares the rows of labels, on TimescaleDB, with the labels of rows.", LABEL_ROWS),
    }
    for entry in CATALOGUE:
        narrow = [width for width in entry.widths if width != WEEK]
        texts[entry.name] = (f"Compares {entry.name} with the rows of a day.", differences_sql(entry, narrow))
        if WEEK in entry.widths:
            weekly = entry.table(WEEK)
            texts[weekly] = (f"Compares {weekly} with the rows of a week.", differences_sql(entry, [WEEK]))
    return {name: f"-- {text}\n{HEADER}{sql.strip()}\n" for name, (text, sql) in texts.items()}
