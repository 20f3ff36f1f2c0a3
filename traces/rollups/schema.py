"""Makes the SQL of the migrations that add the followers, for each engine, from the catalogue."""

from traces.rollups.catalogue import (
    DAY,
    FOLLOWERS,
    HOUR,
    LABEL,
    ROW_KEYS,
    TOKEN_COLUMNS,
    WEEK,
    Rollup,
    Width,
)
from traces.rollups.statements import HEADER, LABEL_ROW_COLUMNS, SPAN_HASH, column_numbers, one_per_line
from traces.row import COLUMNS, COST_COLUMNS

# Text is compared byte by byte. Comparing by the rules of a language makes every index and sort slower, and no answer
# needs it.
TEXT = 'text COLLATE "C"'
# By default PostgreSQL looks at a table again when a tenth of it has changed: in a large one that is weeks of traces.
FRESH_STATISTICS = "WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000)"
NEW_COLUMNS = f"""
ALTER TABLE traces
    ADD COLUMN environment {TEXT},
    ADD COLUMN release {TEXT},
    ADD COLUMN labels jsonb,
    ADD COLUMN tool {TEXT},
    ADD COLUMN first_token_ms double precision,
    ADD COLUMN label_numbers bigint[]
"""
# Writers read `rollup_state` first. So this waits for those that run, and no later one waits with a lock of its own.
LOCKS = "LOCK TABLE rollup_state, traces, scores IN ACCESS EXCLUSIVE MODE"
INDEXES = {
    # Finds the rows of a user.
    "idx_traces_workspace_user": ("workspace_id, user_number, timestamp", "user_number IS NOT NULL"),
    # Finds the rows of a session. It holds 8 bytes instead of the id.
    "idx_traces_workspace_session": (
        "hashtextextended(session_id, uuid_hash_extended(workspace_id, 0)), timestamp",
        "session_id IS NOT NULL",
    ),
}
LABEL_VALUES = f"""
-- The numbers of labels: traces/labels.py. The empty value stands for all values without a number of their own.
CREATE TABLE label_values (
    workspace_id uuid NOT NULL,
    name {TEXT} NOT NULL,
    value {TEXT} NOT NULL,
    number bigint NOT NULL,
    UNIQUE (workspace_id, name, value),
    UNIQUE (workspace_id, number)
)
{FRESH_STATISTICS}
"""
LABEL_MONTHS = f"""
-- The labels that have sums of their own in a month.
CREATE TABLE label_months (
    workspace_id uuid NOT NULL,
    month date NOT NULL,
    number bigint NOT NULL,
    UNIQUE (workspace_id, month, number)
)
{FRESH_STATISTICS}
"""
FOLLOWED_TIME = """
-- The time of the rows that the followers have. NULL: `manage.py refill` has not begun to fill them.
ALTER TABLE rollup_state
    ADD COLUMN followed_since timestamptz,
    ADD COLUMN followed_until timestamptz
"""
SCORE_COLUMNS = f"""
ALTER TABLE scores
    ADD COLUMN environment {TEXT},
    ADD COLUMN release {TEXT},
    ADD COLUMN labels jsonb
"""
SCORE_PLACES = f"""
-- The sums of scores with environment and release. Processes of the previous version go on adding to score_sums_hourly.
CREATE TABLE score_places_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    name {TEXT} NOT NULL,
    agent_id {TEXT},
    provider {TEXT},
    model {TEXT},
    category {TEXT},
    environment {TEXT},
    release {TEXT},
    scores bigint NOT NULL,
    numbers bigint NOT NULL,
    number numeric NOT NULL,
    squared_number numeric NOT NULL,
    CONSTRAINT score_places_key UNIQUE NULLS NOT DISTINCT
        (workspace_id, bucket, name, agent_id, provider, model, category, environment, release)
)
{FRESH_STATISTICS}
"""
SCORE_SUMS = f"""
-- What both tables add up to. A score that was stored in one and replaced in the other is taken away there.
CREATE VIEW score_sums AS
SELECT
    workspace_id,
    bucket,
    name,
    agent_id,
    provider,
    model,
    category,
    NULL::{TEXT} AS environment,
    NULL::{TEXT} AS release,
    scores,
    numbers,
    number,
    squared_number
FROM score_sums_hourly
UNION ALL
SELECT
    workspace_id,
    bucket,
    name,
    agent_id,
    provider,
    model,
    category,
    environment,
    release,
    scores,
    numbers,
    number,
    squared_number
FROM score_places_hourly
"""
SCORE_SCHEMA = (SCORE_COLUMNS, SCORE_PLACES, SCORE_SUMS)
COMMON = (NEW_COLUMNS, LABEL_VALUES, LABEL_MONTHS)

KEY_TYPES = {
    "user_number": "integer",
    "latency_bucket": "integer",
    "first_token_bucket": "integer",
    LABEL: "bigint",
}
"""The types of the keys that are no texts."""
MEASURE_TYPES = {
    "calls": "integer",
    "errors": "integer",
    "timed_calls": "integer",
    "latency_ms": "double precision",
    "priced_calls": "integer",
    "cost_usd": "numeric",
    **dict.fromkeys(COST_COLUMNS, "numeric"),
    **dict.fromkeys(TOKEN_COLUMNS, "bigint"),
    "model_calls": "integer",
    "traces": "integer",
    "duration_ms": "double precision",
    "squared_latency": "double precision",
    "squared_cost": "numeric",
}


def rollup_table(rollup: Rollup, width: Width) -> str:
    columns = (
        "workspace_id uuid NOT NULL",
        "bucket timestamptz NOT NULL",
        *(f"{key} {KEY_TYPES.get(key, TEXT)}" for key in rollup.keys),
        *(f"{name} {MEASURE_TYPES[name]} NOT NULL" for name in rollup.measures),
        f"CONSTRAINT {rollup.table(width)}_key UNIQUE NULLS NOT DISTINCT"
        f" ({', '.join(('workspace_id', 'bucket', *rollup.keys))})",
    )
    # Each page has free space, so that a changed row stays on its page and no index changes.
    return f"""
CREATE TABLE {rollup.table(width)} (
{one_per_line(columns)}
)
WITH (fillfactor = 70)
"""


def postgresql_schema() -> list[str]:
    tables = [rollup_table(rollup, width) for rollup in FOLLOWERS for width in rollup.widths]
    return [LOCKS, *COMMON, FOLLOWED_TIME, *tables, *SCORE_SCHEMA]


def postgresql_indexes() -> list[str]:
    """Returns statements that build the indexes while rows are written. They can run again after one has failed."""
    return [
        statement
        for name, (columns, where) in INDEXES.items()
        for statement in (
            f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
            f"CREATE INDEX CONCURRENTLY {name} ON traces ({columns}) WHERE {where}",
        )
    ]


# --- TimescaleDB ---

LABEL_ROW_TYPES = COLUMNS | KEY_TYPES | {"workspace_id": "uuid", SPAN_HASH: "bigint"}
# An aggregate cannot read the elements of an array, so each label has a row of its own.
LABEL_ROWS = f"""
CREATE TABLE label_rows (
    workspace_id uuid NOT NULL,
    timestamp timestamptz NOT NULL,
    {SPAN_HASH} bigint NOT NULL,
    {LABEL} bigint NOT NULL,
{one_per_line(f"{name} {LABEL_ROW_TYPES[name].replace('text', TEXT)}" for name in LABEL_ROW_COLUMNS)}
)
"""
LABEL_HYPERTABLE = """
SELECT create_hypertable('label_rows', by_range('timestamp', interval '1 day'), create_default_indexes => false)
"""
LABEL_ROWS_INDEX = f"""
CREATE INDEX idx_label_rows_span ON label_rows (workspace_id, timestamp, {SPAN_HASH})
"""
LABEL_COLUMNSTORE = """
ALTER TABLE label_rows SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'workspace_id',
    timescaledb.orderby = 'timestamp'
)
"""
# Chunks of the aggregates: few enough to plan a window of 400 days quickly.
CHUNK_INTERVALS = {HOUR: "10 days", DAY: "100 days", WEEK: "700 days"}


def timescaledb_schema() -> list[str]:
    aggregates = [
        statement
        for rollup in FOLLOWERS
        for width in rollup.widths
        for statement in (aggregate(rollup, width), aggregate_index(rollup, width))
    ]
    labels = (LABEL_ROWS, LABEL_HYPERTABLE, LABEL_ROWS_INDEX, LABEL_COLUMNSTORE)
    return [*COMMON, *labels, *aggregates, *SCORE_SCHEMA]


def timescaledb_indexes() -> list[str]:
    """Returns the same. It has no way to build them concurrently, but its compressed rows are not in them."""
    return [
        statement
        for name, (columns, where) in INDEXES.items()
        for statement in (
            f"DROP INDEX IF EXISTS {name}",
            f"CREATE INDEX {name} ON traces ({columns}) WHERE {where}",
        )
    ]


def aggregate(rollup: Rollup, width: Width) -> str:
    """Returns the SQL for a continuous aggregate. Days and weeks sum narrower aggregates, hours sum rows.

    It is a real-time aggregate: rows that are not summed yet are read from its source.
    """
    narrower = [other for other in rollup.widths if other.length < width.length]
    rows = "label_rows" if rollup.is_of_labels else "traces"
    source, time_column = (rollup.table(narrower[-1]), "bucket") if narrower else (rows, "timestamp")
    keys = rollup.keys if narrower else tuple(ROW_KEYS.get(key, key) for key in rollup.keys)
    sums = {name: name if narrower else sql for name, sql in rollup.measures.items()}
    columns = (
        "workspace_id",
        f"time_bucket('{width.interval}', {time_column}) AS bucket",
        *keys,
        *(f"sum({sql})::{MEASURE_TYPES[name]} AS {name}" for name, sql in sums.items()),
    )
    where = "" if narrower else f"\nWHERE {rollup.where_calls}"
    return f"""
CREATE MATERIALIZED VIEW {rollup.table(width)}
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


def aggregate_index(rollup: Rollup, width: Width) -> str:
    """Returns an index by all columns that queries filter by. TimescaleDB's own index is by time alone."""
    key = ", ".join(("workspace_id", "bucket", *rollup.keys))
    return f"\nCREATE INDEX ON {rollup.table(width)} ({key})\n"


def as_file(title: str, statements: list[str]) -> str:
    return f"-- {title}\n{HEADER}\n" + ";\n\n".join(statement.strip() for statement in statements) + ";\n"


def files() -> dict[str, str]:
    """Returns the texts that the migrations run, by the names of the files."""
    return {
        "0002_postgresql": as_file("Adds the followers on PostgreSQL, and on Citus.", postgresql_schema()),
        "0002_timescaledb": as_file("Adds the followers on TimescaleDB.", timescaledb_schema()),
        "0003_postgresql": as_file("Adds indexes for users and sessions.", postgresql_indexes()),
        "0003_timescaledb": as_file("Adds indexes for users and sessions.", timescaledb_indexes()),
    }
