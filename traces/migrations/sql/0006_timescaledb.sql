-- Makes the views that other tools read, on TimescaleDB: docs/sql.md.
-- Their names, columns and types stay as they are. A change of one of them is a schema of its own, observability_v2.

CREATE SCHEMA observability_v1;

-- Which role sees which workspace. NULL: all. `manage.py read_role` writes it.
CREATE TABLE observability_v1.readers (
    role_name name PRIMARY KEY,
    workspace_id uuid
);

-- The rights of a view are those of its owner, and current_user is the reader. A security barrier: no function of a
-- reader sees a row before the workspace is checked.
CREATE VIEW observability_v1.calls WITH (security_barrier) AS
SELECT
    call.workspace_id,
    call.timestamp AS started_at,
    call.trace_id,
    call.span_id,
    call.parent_span_id,
    call.operation,
    call.agent_id,
    call.provider,
    call.model,
    call.user_id,
    call.session_id,
    call.environment,
    call.release,
    call.labels,
    call.status,
    call.error_type,
    call.latency_ms,
    call.first_token_ms,
    call.input_tokens,
    call.output_tokens,
    call.cache_read_tokens,
    call.cache_write_tokens,
    call.reasoning_tokens,
    call.cost_usd,
    call.cost_source
FROM traces AS call
WHERE call.operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    AND call.workspace_id = ANY (ARRAY(
    SELECT reader.workspace_id
    FROM observability_v1.readers AS reader
    WHERE reader.role_name = current_user AND reader.workspace_id IS NOT NULL
    UNION ALL
    SELECT known.workspace_id
    FROM totals_daily AS known
    WHERE EXISTS (
        SELECT FROM observability_v1.readers AS reader
        WHERE reader.role_name = current_user AND reader.workspace_id IS NULL
    )
));

CREATE VIEW observability_v1.traces WITH (security_barrier) AS
SELECT
    span.workspace_id,
    span.trace_id,
    min(span.timestamp) AS started_at,
    (extract(epoch FROM max(span.timestamp + make_interval(secs => coalesce(span.latency_ms, 0) / 1000)) - min(span.timestamp))
        * 1000)::double precision AS latency_ms,
    count(*) AS spans,
    coalesce(sum(span.input_tokens), 0)::double precision + coalesce(sum(span.output_tokens), 0)::double precision AS tokens,
    sum(span.cost_usd)::double precision AS cost_usd
FROM traces AS span
WHERE span.workspace_id = ANY (ARRAY(
    SELECT reader.workspace_id
    FROM observability_v1.readers AS reader
    WHERE reader.role_name = current_user AND reader.workspace_id IS NOT NULL
    UNION ALL
    SELECT known.workspace_id
    FROM totals_daily AS known
    WHERE EXISTS (
        SELECT FROM observability_v1.readers AS reader
        WHERE reader.role_name = current_user AND reader.workspace_id IS NULL
    )
))
GROUP BY span.workspace_id, span.trace_id;

CREATE VIEW observability_v1.spend_by_hour WITH (security_barrier) AS
SELECT
    sums.workspace_id,
    sums.bucket AS hour,
    sums.agent_id,
    sums.provider,
    sums.model,
    sums.status,
    sums.error_type,
    sums.calls::bigint AS calls,
    sums.errors::bigint AS errors,
    (sums.calls - sums.priced_calls)::bigint AS unpriced_calls,
    sums.cost_usd,
    sums.input_tokens,
    sums.output_tokens
FROM calls_hourly AS sums
WHERE sums.operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    AND sums.workspace_id = ANY (ARRAY(
    SELECT reader.workspace_id
    FROM observability_v1.readers AS reader
    WHERE reader.role_name = current_user AND reader.workspace_id IS NOT NULL
    UNION ALL
    SELECT known.workspace_id
    FROM totals_daily AS known
    WHERE EXISTS (
        SELECT FROM observability_v1.readers AS reader
        WHERE reader.role_name = current_user AND reader.workspace_id IS NULL
    )
));

-- Days of UTC. Those of another zone are sums of hours.
CREATE VIEW observability_v1.spend_by_day WITH (security_barrier) AS
SELECT
    sums.workspace_id,
    (sums.bucket AT TIME ZONE 'UTC')::date AS day,
    sums.agent_id,
    sums.provider,
    sums.model,
    sum(sums.calls)::bigint AS calls,
    sum(sums.errors)::bigint AS errors,
    sum(sums.calls - sums.priced_calls)::bigint AS unpriced_calls,
    sum(sums.cost_usd) AS cost_usd,
    sum(sums.input_tokens)::bigint AS input_tokens,
    sum(sums.output_tokens)::bigint AS output_tokens
FROM calls_hourly AS sums
WHERE sums.operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    AND sums.workspace_id = ANY (ARRAY(
    SELECT reader.workspace_id
    FROM observability_v1.readers AS reader
    WHERE reader.role_name = current_user AND reader.workspace_id IS NOT NULL
    UNION ALL
    SELECT known.workspace_id
    FROM totals_daily AS known
    WHERE EXISTS (
        SELECT FROM observability_v1.readers AS reader
        WHERE reader.role_name = current_user AND reader.workspace_id IS NULL
    )
))
GROUP BY 1, 2, 3, 4, 5;
