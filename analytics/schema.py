"""DDL of PostgreSQL that several migrations need: one for new databases, one for those that had less."""

from analytics.rollups import Rollup, Width

# Time before ids in the unique key: new rows then go to the end of its index, and windows are read from it. With what
# else questions ask of rows beside it, they need not be looked up in the table, where they are four times as wide.
COVERED = (
    *("operation", "agent_id", "provider", "model", "user_id", "status", "error_type", "latency_ms", "cost_usd"),
    *("input_tokens", "output_tokens"),
)
KEY = f"""
ALTER TABLE traces ADD CONSTRAINT traces_span_key
    UNIQUE (workspace_id, timestamp, trace_id, span_id) INCLUDE ({", ".join(COVERED)});
"""
# Records of the same call are at most hours apart: by day, new ones are together in the few pages that are in memory.
INDEXES = """
CREATE INDEX idx_traces_workspace_link
    ON traces (workspace_id, date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'), link)
    WHERE link IS NOT NULL;
CREATE INDEX idx_traces_workspace_trace ON traces (workspace_id, trace_id) WHERE said ? 'kind';
"""

KEY_TYPES = dict.fromkeys(("operation", "agent_id", "provider", "model", "status", "error_type"), 'text COLLATE "C"')
KEY_TYPES |= {"user_id": 'text COLLATE "C"', "latency_bucket": "integer"}
MEASURE_TYPES = {
    "calls": "integer",
    "errors": "integer",
    "timed_calls": "integer",
    "latency_ms": "double precision",
    "priced_calls": "integer",
    "cost_usd": "numeric",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
}


def table(rollup: Rollup, width: Width) -> str:
    columns = ["workspace_id uuid NOT NULL", "bucket timestamptz NOT NULL"]
    columns += [f"{key} {KEY_TYPES[key]}" for key in rollup.keys]
    columns += [f"{measure} {MEASURE_TYPES[measure]} NOT NULL" for measure in rollup.measures]
    columns += [f"UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, {', '.join(rollup.keys)})"]
    # Room on each page, so that counting up changes a row where it is and no index.
    return f"CREATE TABLE {rollup.table(width)} ({', '.join(columns)}) WITH (fillfactor = 70)"
