"""Makes the schema of each engine from the catalogue, for the initial migration."""

from traces.rollups.catalogue import (
    BIT_SQL,
    BLOCK_SIZE,
    BLOCK_SQL,
    CATALOGUE,
    DAY,
    HOUR,
    MEASURES,
    MINUTE,
    ROW_KEYS,
    TEN_MINUTES,
    WEEK,
    ZERO_LATENCY_BUCKET,
    Rollup,
    UserSetTable,
    Width,
)
from traces.rollups.statements import HEADER, column_numbers, one_per_line
from traces.row import COST_COLUMNS

# Text is compared byte by byte. Comparing by the rules of a language makes every index and sort slower, and no answer
# needs it.
TEXT = 'text COLLATE "C"'
# By default PostgreSQL looks at a table again when a tenth of it has changed: in a large one that is weeks of traces.
FRESH_STATISTICS = "WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000)"
COST_COLUMN_DEFINITIONS = ",\n    ".join(
    f"{name} numeric CHECK ({name} >= 0 AND {name} < 'Infinity')" for name in COST_COLUMNS
)
TRACES = f"""
CREATE TABLE traces (
    workspace_id uuid NOT NULL,
    timestamp timestamptz NOT NULL,
    trace_id {TEXT} NOT NULL,
    span_id {TEXT} NOT NULL,
    parent_span_id {TEXT},
    operation {TEXT} NOT NULL,
    name {TEXT},
    agent_id {TEXT} NOT NULL,
    provider {TEXT},
    model {TEXT},
    user_id {TEXT},
    session_id {TEXT},
    environment {TEXT},
    release {TEXT},
    labels jsonb,
    tool {TEXT},
    status {TEXT} NOT NULL CHECK (status IN ('success', 'error', 'timeout')),
    error_type {TEXT},
    error_message {TEXT},
    latency_ms double precision CHECK (latency_ms >= 0 AND latency_ms < 'Infinity'),
    first_token_ms double precision CHECK (first_token_ms >= 0 AND first_token_ms < 'Infinity'),
    input_tokens bigint CHECK (input_tokens >= 0),
    output_tokens bigint CHECK (output_tokens >= 0),
    cache_read_tokens bigint CHECK (cache_read_tokens >= 0),
    cache_write_tokens bigint CHECK (cache_write_tokens >= 0),
    reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
    usage_details jsonb,
    cost_usd numeric CHECK (cost_usd >= 0 AND cost_usd < 'Infinity'),
    {COST_COLUMN_DEFINITIONS},
    cost_source {TEXT},
    price_id {TEXT},
    response_id {TEXT},
    attributes jsonb NOT NULL DEFAULT '{{}}',
    span_facts jsonb,
    link {TEXT},
    user_number integer
)
{FRESH_STATISTICS}
"""
USER_NUMBERS = f"""
-- A number stands for each user of a workspace in four bytes, and as one bit in the sets of users.
CREATE TABLE user_numbers (
    workspace_id uuid NOT NULL,
    user_id {TEXT} NOT NULL,
    number integer NOT NULL,
    UNIQUE (workspace_id, user_id),
    UNIQUE (workspace_id, number)
)
{FRESH_STATISTICS}
"""
SCORES = f"""
-- What people, evaluators and code think of a trace, a span or a session: traces/scores.py.
CREATE TABLE scores (
    workspace_id uuid NOT NULL,
    id {TEXT} NOT NULL,
    timestamp timestamptz NOT NULL,
    name {TEXT} NOT NULL,
    trace_id {TEXT},
    span_id {TEXT},
    session_id {TEXT},
    number numeric CHECK (number > '-Infinity' AND number < 'Infinity'),
    category {TEXT},
    comment {TEXT},
    source {TEXT} NOT NULL,
    author {TEXT},
    agent_id {TEXT},
    provider {TEXT},
    model {TEXT},
    operation {TEXT},
    user_id {TEXT},
    UNIQUE (workspace_id, id),
    CHECK (num_nonnulls(number, category) > 0)
)
{FRESH_STATISTICS}
"""
SCORES_BY_TIME = """
CREATE INDEX idx_scores_workspace_time ON scores (workspace_id, timestamp, id)
"""
SCORES_BY_NAME = """
CREATE INDEX idx_scores_workspace_name ON scores (workspace_id, name, timestamp, id)
"""
SCORES_BY_TRACE = """
CREATE INDEX idx_scores_workspace_trace ON scores (workspace_id, trace_id) WHERE trace_id IS NOT NULL
"""
SCORE_SUMS = f"""
-- An ordinary table on every engine: the writers of scores fill it.
CREATE TABLE score_sums_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    name {TEXT} NOT NULL,
    agent_id {TEXT},
    provider {TEXT},
    model {TEXT},
    category {TEXT},
    scores bigint NOT NULL,
    numbers bigint NOT NULL,
    number numeric NOT NULL,
    squared_number numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, name, agent_id, provider, model, category)
)
{FRESH_STATISTICS}
"""
SCORE_SCHEMA = (SCORES, SCORES_BY_TIME, SCORES_BY_NAME, SCORES_BY_TRACE, SCORE_SUMS)
SPAN_KEY = """
-- The time comes before the ids: new rows go to the end of the index, and windows are read from it. Queries read the
-- columns of INCLUDE from the index too, which is a quarter as wide as the table.
ALTER TABLE traces ADD CONSTRAINT traces_span_key
    UNIQUE (workspace_id, timestamp, trace_id, span_id)
    INCLUDE (
        operation, agent_id, provider, model, user_number, status, error_type, latency_ms, cost_usd,
        input_tokens, output_tokens
    )
"""
LINK_INDEX = """
-- Finds other records of the same call, by day. traces/lookup.py says why it holds 8 bytes.
CREATE INDEX idx_traces_workspace_link ON traces (
    date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(link, uuid_hash_extended(workspace_id, 0))
)
WHERE link IS NOT NULL
"""
RESPONSE_INDEX = """
-- Finds by its response id a call that a provider's SDK recorded in a trace of its own: its link says other things.
CREATE INDEX idx_traces_workspace_response ON traces (
    date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(response_id, uuid_hash_extended(workspace_id, 0))
)
WHERE link LIKE 'provider:%'
"""
TRACE_INDEX = """
-- Finds the rows of a trace, by week.
CREATE INDEX idx_traces_workspace_trace ON traces (
    date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
)
"""
ITEM_INDEX = """
-- Finds the stored copy of a JSON item, by week. Spans of traces are found by their trace.
CREATE INDEX idx_traces_workspace_item ON traces (
    date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(span_id, hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0)))
)
WHERE span_facts ? 'item'
"""
ROOT_INDEX = """
-- Finds the root of a trace, however old: a trace may last for weeks.
CREATE INDEX idx_traces_workspace_root ON traces (
    hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
)
WHERE parent_span_id IS NULL AND span_facts ? 'kind'
"""
ERROR_INDEX = """
-- The few failed rows, with all columns that queries about failures filter by or count.
CREATE INDEX idx_traces_error_analysis ON traces (workspace_id, status, coalesce(error_type, ''), timestamp)
    INCLUDE (operation, agent_id, provider, model, user_number, error_type)
    WHERE status <> 'success'
"""
INDEXES = (SPAN_KEY, LINK_INDEX, RESPONSE_INDEX, TRACE_INDEX, ROOT_INDEX, ITEM_INDEX, ERROR_INDEX)
# TimescaleDB has time_bucket. date_bin from the same Monday gives the same minutes, hours, days and weeks.
TIME_BUCKET = """
CREATE FUNCTION time_bucket(width interval, moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin(width, moment, timestamptz '2000-01-03 00:00:00+00')
"""
LATENCY_BUCKET = f"""
-- OpenTelemetry's exponential histogram at scale 5: bucket i holds (2^(i/32), 2^((i+1)/32)]. Zero has its own bucket.
CREATE FUNCTION latency_bucket(latency_ms double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN latency_ms > 0 THEN ceil(ln(latency_ms) * 32 / ln(2::double precision))::integer - 1
    WHEN latency_ms = 0 THEN {ZERO_LATENCY_BUCKET}
END
"""
ROLLUP_STATE = """
-- The start of the open hours, which only the narrowest buckets of the rollups hold.
CREATE TABLE rollup_state (
    workspace_id uuid PRIMARY KEY,
    filled_until timestamptz NOT NULL
)
"""

SMALL_KEYS = ("user_number", "latency_bucket", "user_block")
"""Keys that are integers. All others are texts."""
MEASURE_TYPES = {
    "calls": "integer",
    "errors": "integer",
    "timed_calls": "integer",
    "latency_ms": "double precision",
    "priced_calls": "integer",
    "cost_usd": "numeric",
    **dict.fromkeys(COST_COLUMNS, "numeric"),
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "user_bits": f"bit({BLOCK_SIZE})",
}


def keys_of(entry: Rollup | UserSetTable) -> tuple[str, ...]:
    return (*entry.keys, "user_block") if isinstance(entry, UserSetTable) else entry.keys


def measures_of(entry: Rollup | UserSetTable) -> tuple[str, ...]:
    return ("user_bits",) if isinstance(entry, UserSetTable) else tuple(entry.measures)


def rollup_table(entry: Rollup | UserSetTable, width: Width) -> str:
    keys = keys_of(entry)
    columns = (
        "workspace_id uuid NOT NULL",
        "bucket timestamptz NOT NULL",
        *(f"{key} {'integer' if key in SMALL_KEYS else TEXT}" for key in keys),
        *(f"{name} {MEASURE_TYPES[name]} NOT NULL" for name in measures_of(entry)),
        f"UNIQUE NULLS NOT DISTINCT ({', '.join(('workspace_id', 'bucket', *keys))})",
    )
    # Each page has free space, so that a changed row stays on its page and no index changes.
    return f"""
CREATE TABLE {entry.table(width)} (
{one_per_line(columns)}
)
WITH (fillfactor = 70)
"""


def postgresql_schema() -> list[str]:
    tables = [rollup_table(entry, width) for entry in CATALOGUE for width in entry.widths]
    return [
        *(TRACES, USER_NUMBERS, *INDEXES),
        *(TIME_BUCKET, LATENCY_BUCKET, ROLLUP_STATE, *tables, *SCORE_SCHEMA),
    ]


# --- TimescaleDB ---

HYPERTABLE = """
SELECT create_hypertable('traces', by_range('timestamp', interval '1 day'), create_default_indexes => false)
"""
COLUMNSTORE = """
ALTER TABLE traces SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'workspace_id',
    timescaledb.orderby = 'timestamp'
)
"""
DECOMPRESSION = """
-- Without a limit: a late batch may decompress more rows than the default allows, and would be refused.
DO $$
BEGIN
    EXECUTE format(
        'ALTER DATABASE %I SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0',
        current_database()
    );
END
$$
"""
# Chunks of the aggregates: few enough to plan a window of 400 days quickly.
CHUNK_INTERVALS = {MINUTE: "10 days", TEN_MINUTES: "10 days", HOUR: "10 days", DAY: "100 days", WEEK: "700 days"}
# Questions read these columns of thousands of rows at once. The index holds a copy of them, and keeps the rows of a
# workspace next to each other, so the table itself is not read.
INCLUDED = {
    "agents": tuple(MEASURES),
    "latency": ("calls",),
    "users": ("calls",),
    "failures": ("calls",),
    "errors": ("calls",),
}


def timescaledb_schema() -> list[str]:
    aggregates = [
        statement
        for entry in CATALOGUE
        for width in entry.widths
        for statement in (aggregate(entry, width), aggregate_index(entry, width))
    ]
    return [
        *(TRACES, USER_NUMBERS, *INDEXES, LATENCY_BUCKET),
        *(HYPERTABLE, COLUMNSTORE, DECOMPRESSION, *aggregates, *SCORE_SCHEMA),
    ]


def aggregate(entry: Rollup | UserSetTable, width: Width) -> str:
    """Returns the SQL for a continuous aggregate. Days and weeks sum narrower aggregates, all others sum rows.

    It is a real-time aggregate: rows that are not summed yet are read from its source.
    """
    narrower = [other for other in entry.widths if HOUR.length <= other.length < width.length]
    source, time_column = (entry.table(narrower[-1]), "bucket") if narrower else ("traces", "timestamp")
    keys = keys_of(entry) if narrower else tuple(row_key(key) for key in keys_of(entry))
    columns = (
        "workspace_id",
        f"time_bucket('{width.interval}', {time_column}) AS bucket",
        *keys,
        *(f"{sum_sql(entry, name, bool(narrower))} AS {name}" for name in measures_of(entry)),
    )
    rollup = entry.source if isinstance(entry, UserSetTable) else entry
    where = "" if narrower else f"\nWHERE {rollup.where_calls}"
    return f"""
CREATE MATERIALIZED VIEW {entry.table(width)}
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '{CHUNK_INTERVALS[width]}'
) AS
SELECT
{one_per_line(columns)}
FROM {source}{where}
GROUP BY {column_numbers(len(keys) + 2)}
WITH NO DATA
"""


def row_key(key: str) -> str:
    return f"{BLOCK_SQL} AS user_block" if key == "user_block" else ROW_KEYS.get(key, key)


def sum_sql(entry: Rollup | UserSetTable, name: str, is_of_buckets: bool) -> str:
    if isinstance(entry, UserSetTable):
        return f"bit_or({'user_bits' if is_of_buckets else BIT_SQL})"
    return f"sum({name if is_of_buckets else entry.measures[name]})::{MEASURE_TYPES[name]}"


def aggregate_index(entry: Rollup | UserSetTable, width: Width) -> str:
    """Returns an index by all columns that queries filter by. TimescaleDB's own index is by time alone."""
    included = f" INCLUDE ({', '.join(INCLUDED[entry.name])})" if entry.name in INCLUDED else ""
    key = ", ".join(("workspace_id", "bucket", *keys_of(entry)))
    return f"\nCREATE INDEX ON {entry.table(width)} ({key}){included}\n"


def as_file(title: str, statements: list[str]) -> str:
    return f"-- {title}\n{HEADER}\n" + ";\n\n".join(statement.strip() for statement in statements) + ";\n"


def files() -> dict[str, str]:
    """Returns for each engine the text that the initial migration runs."""
    return {
        "postgresql": as_file("The schema on PostgreSQL, and on Citus before it is distributed.", postgresql_schema()),
        "timescaledb": as_file(
            "The schema on TimescaleDB, whose extension the migration has made.", timescaledb_schema()
        ),
    }
