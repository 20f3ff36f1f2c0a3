"""DDL of PostgreSQL that several migrations need: one for new databases, one for those that had less."""

from traces.lookup import LINK_HOURS, TRACE_HOURS, hash64, period_start
from traces.rollups import SET_SIZE, Rollup, Sets, Width

# Time before ids in the unique key: new rows then go to the end of its index, and windows are read from it. With what
# else questions ask of rows beside it, they need not be looked up in the table, where they are four times as wide.
COVERED = (
    *("operation", "agent_id", "provider", "model", "user_number", "status", "error_type", "latency_ms", "cost_usd"),
    *("input_tokens", "output_tokens"),
)
KEY = f"""
ALTER TABLE traces ADD CONSTRAINT traces_span_key
    UNIQUE (workspace_id, timestamp, trace_id, span_id) INCLUDE ({", ".join(COVERED)});
"""

# Of the few rows that failed, all that questions about them narrow by or count.
FAILED = """
CREATE INDEX idx_traces_error_analysis ON traces (workspace_id, status, coalesce(error_type, ''), timestamp)
    INCLUDE (operation, agent_id, provider, model, user_number, error_type)
    WHERE status <> 'success'
"""


# Numbers tell users apart in four bytes, and make up sets.
USER_NUMBERS = (
    # First, since it keeps writers away.
    "ALTER TABLE traces ADD COLUMN user_number integer",
    """
    CREATE TABLE user_numbers (
        workspace_id uuid NOT NULL,
        user_id text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        UNIQUE (workspace_id, user_id),
        UNIQUE (workspace_id, number)
    )
    """,
    """
    INSERT INTO user_numbers (workspace_id, user_id, number)
    SELECT workspace_id, user_id, row_number() OVER (PARTITION BY workspace_id ORDER BY min(timestamp), user_id) - 1
    FROM traces
    WHERE user_id IS NOT NULL
    GROUP BY workspace_id, user_id
    """,
    """
    UPDATE traces
    SET user_number = number
    FROM user_numbers
    WHERE user_numbers.workspace_id = traces.workspace_id AND user_numbers.user_id = traces.user_id
    """,
)
USER_NUMBERS_BACK = ("ALTER TABLE traces DROP COLUMN user_number", "DROP TABLE user_numbers")
CLOSED_HOURS = """
CREATE TABLE closed_hours (
    workspace_id uuid PRIMARY KEY,
    closed_before timestamptz NOT NULL
)
"""

INDEXES = (
    f"CREATE INDEX idx_traces_workspace_link ON traces ({period_start(LINK_HOURS)}, {hash64('link')})"
    " WHERE link IS NOT NULL",
    f"CREATE INDEX idx_traces_workspace_trace ON traces ({period_start(TRACE_HOURS)}, {hash64('trace_id')})"
    " WHERE span_facts ? 'kind'",
)

KEY_TYPES = dict.fromkeys(("operation", "agent_id", "provider", "model", "status", "error_type"), 'text COLLATE "C"')
KEY_TYPES |= {"user_number": "integer", "latency_bucket": "integer", "chunk": "integer"}
MEASURE_TYPES = {
    "calls": "integer",
    "errors": "integer",
    "timed_calls": "integer",
    "latency_ms": "double precision",
    "priced_calls": "integer",
    "cost_usd": "numeric",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "users": f"bit({SET_SIZE})",
}


def table(counted: Rollup | Sets, width: Width) -> str:
    if isinstance(counted, Sets):
        return bucket_table(counted.table(width), (*counted.keys, "chunk"), ("users",))
    return bucket_table(counted.table(width), counted.keys, tuple(counted.measures))


def bucket_table(name: str, keys: tuple[str, ...], measures: tuple[str, ...]) -> str:
    columns = ["workspace_id uuid NOT NULL", "bucket timestamptz NOT NULL"]
    columns += [f"{key} {KEY_TYPES[key]}" for key in keys]
    columns += [f"{measure} {MEASURE_TYPES[measure]} NOT NULL" for measure in measures]
    columns += [f"UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, {', '.join(keys)})"]
    # Room on each page, so that counting up changes a row where it is and no index.
    return f"CREATE TABLE {name} ({', '.join(columns)}) WITH (fillfactor = 70)"
