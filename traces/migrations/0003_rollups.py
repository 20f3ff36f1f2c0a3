"""Rollups by hour and day, and indexes that grow at their end instead of everywhere."""

from django.db import migrations

from traces.rollups import FILL, KEPT, ZERO_LATENCY_BUCKET
from traces.schema import CLOSED_HOURS, FAILED, KEY, USER_NUMBERS, USER_NUMBERS_BACK, table

# Text is compared byte by byte: the rules of a language cost every index and every sort, and no answer needs them.
TEXTS = (
    *("trace_id", "span_id", "parent_span_id", "operation", "name", "agent_id", "provider", "model", "user_id"),
    *("session_id", "status", "error_type", "error_message", "cost_source", "price_id", "response_id", "link"),
)
TRACES = f"""
ALTER TABLE traces {", ".join(f'ALTER COLUMN {name} TYPE text COLLATE "C"' for name in TEXTS)};
ALTER TABLE traces DROP CONSTRAINT traces_workspace_id_trace_id_span_id_timestamp_key;
DROP INDEX idx_traces_workspace_timestamp_status;
DROP INDEX idx_traces_workspace_link;
"""
TRACES_BACK = """
CREATE INDEX idx_traces_workspace_link ON traces (workspace_id, link, timestamp) WHERE link IS NOT NULL;
CREATE INDEX idx_traces_workspace_timestamp_status ON traces (workspace_id, timestamp, status);
ALTER TABLE traces ADD UNIQUE (workspace_id, trace_id, span_id, timestamp);
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


class Migration(migrations.Migration):
    dependencies = (("traces", "0002_said"),)

    operations = (
        # Filling takes as long as there are rows.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(TRACES, TRACES_BACK),
        migrations.RunSQL(USER_NUMBERS, USER_NUMBERS_BACK),
        migrations.RunSQL(KEY, "ALTER TABLE traces DROP CONSTRAINT traces_span_key"),
        migrations.RunSQL(FAILED, "DROP INDEX idx_traces_error_analysis"),
        migrations.RunSQL(LATENCY_BUCKET, "DROP FUNCTION latency_bucket"),
        migrations.RunSQL(CLOSED_HOURS, "DROP TABLE closed_hours"),
        *(
            migrations.RunSQL(table(counted, width), f"DROP TABLE {counted.table(width)}")
            for counted in KEPT
            for width in counted.widths
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in FILL),
    )
