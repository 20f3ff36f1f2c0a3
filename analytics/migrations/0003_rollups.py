"""Rollups by hour and day, and indexes that grow at their end instead of everywhere."""

from django.db import migrations

from analytics.rollups import FILL, ROLLUPS, ZERO_LATENCY_BUCKET, Rollup

# Text is compared byte by byte: the rules of a language cost every index and every sort, and no answer needs them.
TEXTS = (
    *("trace_id", "span_id", "parent_span_id", "operation", "name", "agent_id", "provider", "model", "user_id"),
    *("session_id", "status", "error_type", "error_message", "cost_source", "price_id", "response_id", "link"),
)
# Time before ids in the unique key: new rows then go to the end of its index, and windows are read from it. With what
# else questions ask of rows beside it, they need not be looked up in the table, where they are four times as wide.
COVERED = (
    *("operation", "agent_id", "provider", "model", "user_id", "status", "error_type", "latency_ms", "cost_usd"),
    *("input_tokens", "output_tokens"),
)
# Records of the same call are at most hours apart: by day, new ones are together in the few pages that are in memory.
TRACES = f"""
ALTER TABLE traces {", ".join(f'ALTER COLUMN {name} TYPE text COLLATE "C"' for name in TEXTS)};
ALTER TABLE traces ADD CONSTRAINT traces_span_key
    UNIQUE (workspace_id, timestamp, trace_id, span_id) INCLUDE ({", ".join(COVERED)});
ALTER TABLE traces DROP CONSTRAINT traces_workspace_id_trace_id_span_id_timestamp_key;
DROP INDEX idx_traces_workspace_timestamp_status;
DROP INDEX idx_traces_workspace_link;
CREATE INDEX idx_traces_workspace_link
    ON traces (workspace_id, date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'), link)
    WHERE link IS NOT NULL;
CREATE INDEX idx_traces_workspace_trace ON traces (workspace_id, trace_id) WHERE said ? 'kind';
CREATE INDEX idx_traces_error_analysis ON traces (workspace_id, status, coalesce(error_type, ''), timestamp)
    WHERE status <> 'success';
"""
TRACES_BACK = """
DROP INDEX idx_traces_workspace_trace, idx_traces_workspace_link, idx_traces_error_analysis;
CREATE INDEX idx_traces_workspace_link ON traces (workspace_id, link, timestamp) WHERE link IS NOT NULL;
CREATE INDEX idx_traces_workspace_timestamp_status ON traces (workspace_id, timestamp, status);
ALTER TABLE traces ADD UNIQUE (workspace_id, trace_id, span_id, timestamp);
ALTER TABLE traces DROP CONSTRAINT traces_span_key;
"""

# OpenTelemetry's exponential histogram at scale 5: bucket i holds (2^(i/32), 2^((i+1)/32)]. Zero has one of its own,
# below every other.
LATENCY_BUCKET = f"""
CREATE FUNCTION latency_bucket(latency_ms double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN latency_ms > 0 THEN ceil(ln(latency_ms) * 32 / ln(2::double precision))::integer - 1
            WHEN latency_ms = 0 THEN {ZERO_LATENCY_BUCKET}
       END
"""

CLOSED_DAYS = """
CREATE TABLE closed_days (
    workspace_id uuid PRIMARY KEY,
    closed_before timestamptz NOT NULL
)
"""

KEYS = dict.fromkeys(("operation", "agent_id", "provider", "model", "status", "error_type"), 'text COLLATE "C"')
KEYS |= {"user_id": 'text COLLATE "C"', "latency_bucket": "integer"}
MEASURES = {
    "calls": "integer",
    "errors": "integer",
    "timed_calls": "integer",
    "latency_ms": "double precision",
    "priced_calls": "integer",
    "cost_usd": "numeric",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
}


def table(name: str, rollup: Rollup) -> str:
    columns = ["workspace_id uuid NOT NULL", "bucket timestamptz NOT NULL"]
    columns += [f"{key} {KEYS[key]}" for key in rollup.keys]
    columns += [f"{measure} {MEASURES[measure]} NOT NULL" for measure in rollup.measures]
    columns += [f"UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, {', '.join(rollup.keys)})"]
    # Room on each page, so that counting up changes a row where it is and no index.
    return f"CREATE TABLE {name} ({', '.join(columns)}) WITH (fillfactor = 70)"


class Migration(migrations.Migration):
    dependencies = (("analytics", "0002_said"),)

    operations = (
        # Filling takes as long as there are rows.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(TRACES, TRACES_BACK),
        migrations.RunSQL(LATENCY_BUCKET, "DROP FUNCTION latency_bucket"),
        migrations.RunSQL(CLOSED_DAYS, "DROP TABLE closed_days"),
        *(
            migrations.RunSQL(table(name, rollup), f"DROP TABLE {name}")
            for rollup in ROLLUPS
            for name in rollup.tables.values()
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in FILL),
    )
