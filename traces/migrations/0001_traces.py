"""One row per span: narrow columns for analysis, and `attributes`."""

from django.db import migrations

TRACES = """
CREATE TABLE traces (
    workspace_id uuid NOT NULL,
    timestamp timestamptz NOT NULL,
    trace_id text NOT NULL,
    span_id text NOT NULL,
    parent_span_id text,
    operation text NOT NULL,
    name text,
    agent_id text NOT NULL,
    provider text,
    model text,
    user_id text,
    session_id text,
    status text NOT NULL CHECK (status IN ('success', 'error', 'timeout')),
    error_type text,
    error_message text,
    latency_ms double precision CHECK (latency_ms >= 0 AND latency_ms < 'Infinity'),
    input_tokens bigint CHECK (input_tokens >= 0),
    output_tokens bigint CHECK (output_tokens >= 0),
    cache_read_tokens bigint CHECK (cache_read_tokens >= 0),
    cache_write_tokens bigint CHECK (cache_write_tokens >= 0),
    reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
    cost_usd numeric CHECK (cost_usd >= 0 AND cost_usd < 'Infinity'),
    cost_source text,
    price_id text,
    response_id text,
    attributes jsonb NOT NULL DEFAULT '{}',
    UNIQUE (workspace_id, trace_id, span_id, timestamp)
);

CREATE INDEX idx_traces_workspace_timestamp_status ON traces (workspace_id, timestamp, status);
"""

# TimescaleDB has time_bucket; elsewhere date_bin from the same Monday gives the same minutes, hours and days.
TIME_BUCKET = """
DO $$
BEGIN
    IF to_regprocedure('time_bucket(interval, timestamptz)') IS NULL THEN
        CREATE FUNCTION time_bucket(width interval, moment timestamptz) RETURNS timestamptz
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN date_bin(width, moment, timestamptz '2000-01-03 00:00:00+00');
    END IF;
END
$$
"""


class Migration(migrations.Migration):
    operations = (
        migrations.RunSQL(TRACES, "DROP TABLE traces"),
        migrations.RunSQL(TIME_BUCKET, migrations.RunSQL.noop),
    )
