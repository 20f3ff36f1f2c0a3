-- The schema on TimescaleDB, whose extension the migration has made.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.

CREATE TABLE traces (
    workspace_id uuid NOT NULL,
    timestamp timestamptz NOT NULL,
    trace_id text COLLATE "C" NOT NULL,
    span_id text COLLATE "C" NOT NULL,
    parent_span_id text COLLATE "C",
    operation text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    agent_id text COLLATE "C" NOT NULL,
    provider text COLLATE "C",
    model text COLLATE "C",
    user_id text COLLATE "C",
    session_id text COLLATE "C",
    status text COLLATE "C" NOT NULL CHECK (status IN ('success', 'error', 'timeout')),
    error_type text COLLATE "C",
    error_message text COLLATE "C",
    latency_ms double precision CHECK (latency_ms >= 0 AND latency_ms < 'Infinity'),
    input_tokens bigint CHECK (input_tokens >= 0),
    output_tokens bigint CHECK (output_tokens >= 0),
    cache_read_tokens bigint CHECK (cache_read_tokens >= 0),
    cache_write_tokens bigint CHECK (cache_write_tokens >= 0),
    reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
    usage_details jsonb,
    cost_usd numeric CHECK (cost_usd >= 0 AND cost_usd < 'Infinity'),
    input_cost_usd numeric CHECK (input_cost_usd >= 0 AND input_cost_usd < 'Infinity'),
    output_cost_usd numeric CHECK (output_cost_usd >= 0 AND output_cost_usd < 'Infinity'),
    cache_read_cost_usd numeric CHECK (cache_read_cost_usd >= 0 AND cache_read_cost_usd < 'Infinity'),
    cache_write_cost_usd numeric CHECK (cache_write_cost_usd >= 0 AND cache_write_cost_usd < 'Infinity'),
    audio_cost_usd numeric CHECK (audio_cost_usd >= 0 AND audio_cost_usd < 'Infinity'),
    image_cost_usd numeric CHECK (image_cost_usd >= 0 AND image_cost_usd < 'Infinity'),
    search_cost_usd numeric CHECK (search_cost_usd >= 0 AND search_cost_usd < 'Infinity'),
    cost_source text COLLATE "C",
    price_id text COLLATE "C",
    response_id text COLLATE "C",
    attributes jsonb NOT NULL DEFAULT '{}',
    span_facts jsonb,
    link text COLLATE "C",
    user_number integer
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

-- A number stands for each user of a workspace in four bytes, and as one bit in the sets of users.
CREATE TABLE user_numbers (
    workspace_id uuid NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    UNIQUE (workspace_id, user_id),
    UNIQUE (workspace_id, number)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

-- The time comes before the ids: new rows go to the end of the index, and windows are read from it. Queries read the
-- columns of INCLUDE from the index too, which is a quarter as wide as the table.
ALTER TABLE traces ADD CONSTRAINT traces_span_key
    UNIQUE (workspace_id, timestamp, trace_id, span_id)
    INCLUDE (
        operation, agent_id, provider, model, user_number, status, error_type, latency_ms, cost_usd,
        input_tokens, output_tokens
    );

-- Finds other records of the same call, by day. traces/lookup.py says why it holds 8 bytes.
CREATE INDEX idx_traces_workspace_link ON traces (
    date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(link, uuid_hash_extended(workspace_id, 0))
)
WHERE link IS NOT NULL;

-- Finds by its response id a call that a provider's SDK recorded in a trace of its own: its link says other things.
CREATE INDEX idx_traces_workspace_response ON traces (
    date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(response_id, uuid_hash_extended(workspace_id, 0))
)
WHERE link LIKE 'provider:%';

-- Finds the rows of a trace, by week.
CREATE INDEX idx_traces_workspace_trace ON traces (
    date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
);

-- Finds the root of a trace, however old: a trace may last for weeks.
CREATE INDEX idx_traces_workspace_root ON traces (
    hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
)
WHERE parent_span_id IS NULL AND span_facts ? 'kind';

-- Finds the stored copy of a JSON item, by week. Spans of traces are found by their trace.
CREATE INDEX idx_traces_workspace_item ON traces (
    date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    hashtextextended(span_id, hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0)))
)
WHERE span_facts ? 'item';

-- The few failed rows, with all columns that queries about failures filter by or count.
CREATE INDEX idx_traces_error_analysis ON traces (workspace_id, status, coalesce(error_type, ''), timestamp)
    INCLUDE (operation, agent_id, provider, model, user_number, error_type)
    WHERE status <> 'success';

-- OpenTelemetry's exponential histogram at scale 5: bucket i holds (2^(i/32), 2^((i+1)/32)]. Zero has its own bucket.
CREATE FUNCTION latency_bucket(latency_ms double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN latency_ms > 0 THEN ceil(ln(latency_ms) * 32 / ln(2::double precision))::integer - 1
    WHEN latency_ms = 0 THEN -100000
END;

SELECT create_hypertable('traces', by_range('timestamp', interval '1 day'), create_default_indexes => false);

ALTER TABLE traces SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'workspace_id',
    timescaledb.orderby = 'timestamp'
);

-- Without a limit: a late batch may decompress more rows than the default allows, and would be refused.
DO $$
BEGIN
    EXECUTE format(
        'ALTER DATABASE %I SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0',
        current_database()
    );
END
$$;

CREATE MATERIALIZED VIEW totals_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 minute', timestamp) AS bucket,
    operation,
    status,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON totals_minutely (workspace_id, bucket, operation, status);

CREATE MATERIALIZED VIEW totals_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    operation,
    status,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON totals_hourly (workspace_id, bucket, operation, status);

CREATE MATERIALIZED VIEW totals_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    status,
    sum(calls)::integer AS calls,
    sum(errors)::integer AS errors,
    sum(timed_calls)::integer AS timed_calls,
    sum(latency_ms)::double precision AS latency_ms,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens
FROM totals_hourly
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON totals_daily (workspace_id, bucket, operation, status);

CREATE MATERIALIZED VIEW models_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 minute', timestamp) AS bucket,
    operation,
    provider,
    model,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens,
    sum(coalesce(input_cost_usd, 0))::numeric AS input_cost_usd,
    sum(coalesce(output_cost_usd, 0))::numeric AS output_cost_usd,
    sum(coalesce(cache_read_cost_usd, 0))::numeric AS cache_read_cost_usd,
    sum(coalesce(cache_write_cost_usd, 0))::numeric AS cache_write_cost_usd,
    sum(coalesce(audio_cost_usd, 0))::numeric AS audio_cost_usd,
    sum(coalesce(image_cost_usd, 0))::numeric AS image_cost_usd,
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON models_minutely (workspace_id, bucket, operation, provider, model);

CREATE MATERIALIZED VIEW models_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    operation,
    provider,
    model,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens,
    sum(coalesce(input_cost_usd, 0))::numeric AS input_cost_usd,
    sum(coalesce(output_cost_usd, 0))::numeric AS output_cost_usd,
    sum(coalesce(cache_read_cost_usd, 0))::numeric AS cache_read_cost_usd,
    sum(coalesce(cache_write_cost_usd, 0))::numeric AS cache_write_cost_usd,
    sum(coalesce(audio_cost_usd, 0))::numeric AS audio_cost_usd,
    sum(coalesce(image_cost_usd, 0))::numeric AS image_cost_usd,
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON models_hourly (workspace_id, bucket, operation, provider, model);

CREATE MATERIALIZED VIEW models_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    provider,
    model,
    sum(calls)::integer AS calls,
    sum(errors)::integer AS errors,
    sum(timed_calls)::integer AS timed_calls,
    sum(latency_ms)::double precision AS latency_ms,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens,
    sum(input_cost_usd)::numeric AS input_cost_usd,
    sum(output_cost_usd)::numeric AS output_cost_usd,
    sum(cache_read_cost_usd)::numeric AS cache_read_cost_usd,
    sum(cache_write_cost_usd)::numeric AS cache_write_cost_usd,
    sum(audio_cost_usd)::numeric AS audio_cost_usd,
    sum(image_cost_usd)::numeric AS image_cost_usd,
    sum(search_cost_usd)::numeric AS search_cost_usd
FROM models_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON models_daily (workspace_id, bucket, operation, provider, model);

CREATE MATERIALIZED VIEW agents_ten_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    operation,
    agent_id,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON agents_ten_minutely (workspace_id, bucket, operation, agent_id) INCLUDE (calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens);

CREATE MATERIALIZED VIEW agents_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    operation,
    agent_id,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON agents_hourly (workspace_id, bucket, operation, agent_id) INCLUDE (calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens);

CREATE MATERIALIZED VIEW agents_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    agent_id,
    sum(calls)::integer AS calls,
    sum(errors)::integer AS errors,
    sum(timed_calls)::integer AS timed_calls,
    sum(latency_ms)::double precision AS latency_ms,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens
FROM agents_hourly
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON agents_daily (workspace_id, bucket, operation, agent_id) INCLUDE (calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens);

CREATE MATERIALIZED VIEW calls_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens,
    sum(coalesce(input_cost_usd, 0))::numeric AS input_cost_usd,
    sum(coalesce(output_cost_usd, 0))::numeric AS output_cost_usd,
    sum(coalesce(cache_read_cost_usd, 0))::numeric AS cache_read_cost_usd,
    sum(coalesce(cache_write_cost_usd, 0))::numeric AS cache_write_cost_usd,
    sum(coalesce(audio_cost_usd, 0))::numeric AS audio_cost_usd,
    sum(coalesce(image_cost_usd, 0))::numeric AS image_cost_usd,
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE INDEX ON calls_hourly (workspace_id, bucket, operation, agent_id, provider, model, status, error_type);

CREATE MATERIALIZED VIEW calls_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(calls)::integer AS calls,
    sum(errors)::integer AS errors,
    sum(timed_calls)::integer AS timed_calls,
    sum(latency_ms)::double precision AS latency_ms,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens,
    sum(input_cost_usd)::numeric AS input_cost_usd,
    sum(output_cost_usd)::numeric AS output_cost_usd,
    sum(cache_read_cost_usd)::numeric AS cache_read_cost_usd,
    sum(cache_write_cost_usd)::numeric AS cache_write_cost_usd,
    sum(audio_cost_usd)::numeric AS audio_cost_usd,
    sum(image_cost_usd)::numeric AS image_cost_usd,
    sum(search_cost_usd)::numeric AS search_cost_usd
FROM calls_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE INDEX ON calls_daily (workspace_id, bucket, operation, agent_id, provider, model, status, error_type);

CREATE MATERIALIZED VIEW latency_ten_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON latency_ten_minutely (workspace_id, bucket, operation, latency_bucket) INCLUDE (calls);

CREATE MATERIALIZED VIEW latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON latency_hourly (workspace_id, bucket, operation, latency_bucket) INCLUDE (calls);

CREATE MATERIALIZED VIEW latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM latency_hourly
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON latency_daily (workspace_id, bucket, operation, latency_bucket) INCLUDE (calls);

CREATE MATERIALIZED VIEW users_ten_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON users_ten_minutely (workspace_id, bucket, user_number) INCLUDE (calls);

CREATE MATERIALIZED VIEW users_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON users_hourly (workspace_id, bucket, user_number) INCLUDE (calls);

CREATE MATERIALIZED VIEW users_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM users_hourly
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON users_daily (workspace_id, bucket, user_number) INCLUDE (calls);

CREATE MATERIALIZED VIEW users_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM users_daily
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON users_weekly (workspace_id, bucket, user_number) INCLUDE (calls);

CREATE MATERIALIZED VIEW user_agents_ten_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    user_number,
    agent_id,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON user_agents_ten_minutely (workspace_id, bucket, user_number, agent_id);

CREATE MATERIALIZED VIEW user_agents_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    user_number,
    agent_id,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON user_agents_hourly (workspace_id, bucket, user_number, agent_id);

CREATE MATERIALIZED VIEW user_agents_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    user_number,
    agent_id,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM user_agents_hourly
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON user_agents_daily (workspace_id, bucket, user_number, agent_id);

CREATE MATERIALIZED VIEW user_agents_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    user_number,
    agent_id,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM user_agents_daily
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON user_agents_weekly (workspace_id, bucket, user_number, agent_id);

CREATE MATERIALIZED VIEW failures_ten_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    status,
    error_type,
    user_number,
    sum(1)::integer AS calls
FROM traces
WHERE status <> 'success' AND user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON failures_ten_minutely (workspace_id, bucket, status, error_type, user_number) INCLUDE (calls);

CREATE MATERIALIZED VIEW errors_ten_minutely
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    status,
    error_type,
    agent_id,
    sum(1)::integer AS calls
FROM traces
WHERE status <> 'success' AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON errors_ten_minutely (workspace_id, bucket, status, error_type, agent_id) INCLUDE (calls);

CREATE MATERIALIZED VIEW errors_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    status,
    error_type,
    agent_id,
    sum(1)::integer AS calls
FROM traces
WHERE status <> 'success' AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON errors_hourly (workspace_id, bucket, status, error_type, agent_id) INCLUDE (calls);

CREATE MATERIALIZED VIEW errors_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    sum(calls)::integer AS calls
FROM errors_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON errors_daily (workspace_id, bucket, status, error_type, agent_id) INCLUDE (calls);

CREATE MATERIALIZED VIEW errors_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    sum(calls)::integer AS calls
FROM errors_daily
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON errors_weekly (workspace_id, bucket, status, error_type, agent_id) INCLUDE (calls);

CREATE MATERIALIZED VIEW call_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', timestamp) AS bucket,
    operation,
    agent_id,
    provider,
    model,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON call_latency_daily (workspace_id, bucket, operation, agent_id, provider, model, latency_bucket);

CREATE MATERIALIZED VIEW user_sets_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON user_sets_hourly (workspace_id, bucket, user_block);

CREATE MATERIALIZED VIEW user_sets_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    user_block,
    bit_or(user_bits) AS user_bits
FROM user_sets_hourly
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON user_sets_daily (workspace_id, bucket, user_block);

CREATE MATERIALIZED VIEW user_sets_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    user_block,
    bit_or(user_bits) AS user_bits
FROM user_sets_daily
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX ON user_sets_weekly (workspace_id, bucket, user_block);

CREATE MATERIALIZED VIEW failure_sets_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    status,
    error_type,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM traces
WHERE status <> 'success' AND user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON failure_sets_hourly (workspace_id, bucket, status, error_type, user_block);

CREATE MATERIALIZED VIEW failure_sets_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    status,
    error_type,
    user_block,
    bit_or(user_bits) AS user_bits
FROM failure_sets_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON failure_sets_daily (workspace_id, bucket, status, error_type, user_block);

CREATE MATERIALIZED VIEW failure_sets_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    status,
    error_type,
    user_block,
    bit_or(user_bits) AS user_bits
FROM failure_sets_daily
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON failure_sets_weekly (workspace_id, bucket, status, error_type, user_block);

-- What people, evaluators and code think of a trace, a span or a session: traces/scores.py.
CREATE TABLE scores (
    workspace_id uuid NOT NULL,
    id text COLLATE "C" NOT NULL,
    timestamp timestamptz NOT NULL,
    name text COLLATE "C" NOT NULL,
    trace_id text COLLATE "C",
    span_id text COLLATE "C",
    session_id text COLLATE "C",
    number numeric CHECK (number > '-Infinity' AND number < 'Infinity'),
    category text COLLATE "C",
    comment text COLLATE "C",
    source text COLLATE "C" NOT NULL,
    author text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    operation text COLLATE "C",
    user_id text COLLATE "C",
    UNIQUE (workspace_id, id),
    CHECK (num_nonnulls(number, category) > 0)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

CREATE INDEX idx_scores_workspace_time ON scores (workspace_id, timestamp, id);

CREATE INDEX idx_scores_workspace_name ON scores (workspace_id, name, timestamp, id);

CREATE INDEX idx_scores_workspace_trace ON scores (workspace_id, trace_id) WHERE trace_id IS NOT NULL;

-- An ordinary table on every engine: the writers of scores fill it.
CREATE TABLE score_sums_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    name text COLLATE "C" NOT NULL,
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    category text COLLATE "C",
    scores bigint NOT NULL,
    numbers bigint NOT NULL,
    number numeric NOT NULL,
    squared_number numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, name, agent_id, provider, model, category)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);
