-- Adds the followers on TimescaleDB.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.

ALTER TABLE traces
    ADD COLUMN environment text COLLATE "C",
    ADD COLUMN release text COLLATE "C",
    ADD COLUMN labels jsonb,
    ADD COLUMN tool text COLLATE "C",
    ADD COLUMN first_token_ms double precision,
    ADD COLUMN label_numbers bigint[];

-- The numbers of labels: traces/labels.py. The empty value stands for all values without a number of their own.
CREATE TABLE label_values (
    workspace_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    UNIQUE (workspace_id, name, value),
    UNIQUE (workspace_id, number)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

-- The labels that have sums of their own in a month.
CREATE TABLE label_months (
    workspace_id uuid NOT NULL,
    month date NOT NULL,
    number bigint NOT NULL,
    UNIQUE (workspace_id, month, number)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

CREATE TABLE label_rows (
    workspace_id uuid NOT NULL,
    timestamp timestamptz NOT NULL,
    span_hash bigint NOT NULL,
    label_number bigint NOT NULL,
    operation text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    status text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    latency_ms float8,
    cost_usd numeric,
    input_cost_usd numeric,
    output_cost_usd numeric,
    cache_read_cost_usd numeric,
    cache_write_cost_usd numeric,
    audio_cost_usd numeric,
    image_cost_usd numeric,
    search_cost_usd numeric,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    reasoning_tokens bigint,
    first_token_ms float8
);

SELECT create_hypertable('label_rows', by_range('timestamp', interval '1 day'), create_default_indexes => false);

CREATE INDEX idx_label_rows_span ON label_rows (workspace_id, timestamp, span_hash);

ALTER TABLE label_rows SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'workspace_id',
    timescaledb.orderby = 'timestamp'
);

CREATE MATERIALIZED VIEW places_hourly
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
    environment,
    release,
    status,
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
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd,
    sum(coalesce(cache_read_tokens, 0))::bigint AS cache_read_tokens,
    sum(coalesce(cache_write_tokens, 0))::bigint AS cache_write_tokens,
    sum(coalesce(reasoning_tokens, 0))::bigint AS reasoning_tokens,
    sum(coalesce(latency_ms * latency_ms, 0))::double precision AS squared_latency,
    sum(coalesce(cost_usd * cost_usd, 0))::numeric AS squared_cost
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON places_hourly (workspace_id, bucket, operation, environment, release, status);

CREATE MATERIALIZED VIEW places_daily
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
    environment,
    release,
    status,
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
    sum(search_cost_usd)::numeric AS search_cost_usd,
    sum(cache_read_tokens)::bigint AS cache_read_tokens,
    sum(cache_write_tokens)::bigint AS cache_write_tokens,
    sum(reasoning_tokens)::bigint AS reasoning_tokens,
    sum(squared_latency)::double precision AS squared_latency,
    sum(squared_cost)::numeric AS squared_cost
FROM places_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON places_daily (workspace_id, bucket, operation, environment, release, status);

CREATE MATERIALIZED VIEW place_agents_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    operation,
    agent_id,
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
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd,
    sum(coalesce(cache_read_tokens, 0))::bigint AS cache_read_tokens,
    sum(coalesce(cache_write_tokens, 0))::bigint AS cache_write_tokens,
    sum(coalesce(reasoning_tokens, 0))::bigint AS reasoning_tokens,
    sum(coalesce(latency_ms * latency_ms, 0))::double precision AS squared_latency,
    sum(coalesce(cost_usd * cost_usd, 0))::numeric AS squared_cost
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON place_agents_hourly (workspace_id, bucket, environment, release, operation, agent_id);

CREATE MATERIALIZED VIEW place_agents_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    operation,
    agent_id,
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
    sum(search_cost_usd)::numeric AS search_cost_usd,
    sum(cache_read_tokens)::bigint AS cache_read_tokens,
    sum(cache_write_tokens)::bigint AS cache_write_tokens,
    sum(reasoning_tokens)::bigint AS reasoning_tokens,
    sum(squared_latency)::double precision AS squared_latency,
    sum(squared_cost)::numeric AS squared_cost
FROM place_agents_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON place_agents_daily (workspace_id, bucket, environment, release, operation, agent_id);

CREATE MATERIALIZED VIEW place_models_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
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
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd,
    sum(coalesce(cache_read_tokens, 0))::bigint AS cache_read_tokens,
    sum(coalesce(cache_write_tokens, 0))::bigint AS cache_write_tokens,
    sum(coalesce(reasoning_tokens, 0))::bigint AS reasoning_tokens,
    sum(coalesce(latency_ms * latency_ms, 0))::double precision AS squared_latency,
    sum(coalesce(cost_usd * cost_usd, 0))::numeric AS squared_cost
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON place_models_hourly (workspace_id, bucket, environment, release, operation, provider, model);

CREATE MATERIALIZED VIEW place_models_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
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
    sum(search_cost_usd)::numeric AS search_cost_usd,
    sum(cache_read_tokens)::bigint AS cache_read_tokens,
    sum(cache_write_tokens)::bigint AS cache_write_tokens,
    sum(reasoning_tokens)::bigint AS reasoning_tokens,
    sum(squared_latency)::double precision AS squared_latency,
    sum(squared_cost)::numeric AS squared_cost
FROM place_models_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON place_models_daily (workspace_id, bucket, environment, release, operation, provider, model);

CREATE MATERIALIZED VIEW place_calls_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
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
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd,
    sum(coalesce(cache_read_tokens, 0))::bigint AS cache_read_tokens,
    sum(coalesce(cache_write_tokens, 0))::bigint AS cache_write_tokens,
    sum(coalesce(reasoning_tokens, 0))::bigint AS reasoning_tokens,
    sum(coalesce(latency_ms * latency_ms, 0))::double precision AS squared_latency,
    sum(coalesce(cost_usd * cost_usd, 0))::numeric AS squared_cost
FROM traces
WHERE true
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
WITH NO DATA;

CREATE INDEX ON place_calls_hourly (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type);

CREATE MATERIALIZED VIEW place_calls_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
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
    sum(search_cost_usd)::numeric AS search_cost_usd,
    sum(cache_read_tokens)::bigint AS cache_read_tokens,
    sum(cache_write_tokens)::bigint AS cache_write_tokens,
    sum(reasoning_tokens)::bigint AS reasoning_tokens,
    sum(squared_latency)::double precision AS squared_latency,
    sum(squared_cost)::numeric AS squared_cost
FROM place_calls_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
WITH NO DATA;

CREATE INDEX ON place_calls_daily (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type);

CREATE MATERIALIZED VIEW agent_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    agent_id,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON agent_latency_hourly (workspace_id, bucket, agent_id, operation, latency_bucket);

CREATE MATERIALIZED VIEW agent_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    agent_id,
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM agent_latency_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON agent_latency_daily (workspace_id, bucket, agent_id, operation, latency_bucket);

CREATE MATERIALIZED VIEW model_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    model,
    provider,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_latency_hourly (workspace_id, bucket, model, provider, operation, latency_bucket);

CREATE MATERIALIZED VIEW model_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM model_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_latency_daily (workspace_id, bucket, model, provider, operation, latency_bucket);

CREATE MATERIALIZED VIEW place_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON place_latency_hourly (workspace_id, bucket, environment, release, operation, latency_bucket);

CREATE MATERIALIZED VIEW place_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM place_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON place_latency_daily (workspace_id, bucket, environment, release, operation, latency_bucket);

CREATE MATERIALIZED VIEW status_latency_hourly
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
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON status_latency_hourly (workspace_id, bucket, status, error_type, operation, latency_bucket);

CREATE MATERIALIZED VIEW status_latency_daily
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
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM status_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON status_latency_daily (workspace_id, bucket, status, error_type, operation, latency_bucket);

CREATE MATERIALIZED VIEW first_token_hourly
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
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON first_token_hourly (workspace_id, bucket, operation, first_token_bucket);

CREATE MATERIALIZED VIEW first_token_daily
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
    first_token_bucket,
    sum(calls)::integer AS calls
FROM first_token_hourly
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON first_token_daily (workspace_id, bucket, operation, first_token_bucket);

CREATE MATERIALIZED VIEW agent_first_token_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    agent_id,
    operation,
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON agent_first_token_hourly (workspace_id, bucket, agent_id, operation, first_token_bucket);

CREATE MATERIALIZED VIEW agent_first_token_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    agent_id,
    operation,
    first_token_bucket,
    sum(calls)::integer AS calls
FROM agent_first_token_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON agent_first_token_daily (workspace_id, bucket, agent_id, operation, first_token_bucket);

CREATE MATERIALIZED VIEW model_first_token_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    model,
    provider,
    operation,
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_first_token_hourly (workspace_id, bucket, model, provider, operation, first_token_bucket);

CREATE MATERIALIZED VIEW model_first_token_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    first_token_bucket,
    sum(calls)::integer AS calls
FROM model_first_token_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_first_token_daily (workspace_id, bucket, model, provider, operation, first_token_bucket);

CREATE MATERIALIZED VIEW place_first_token_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    operation,
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON place_first_token_hourly (workspace_id, bucket, environment, release, operation, first_token_bucket);

CREATE MATERIALIZED VIEW place_first_token_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    operation,
    first_token_bucket,
    sum(calls)::integer AS calls
FROM place_first_token_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON place_first_token_daily (workspace_id, bucket, environment, release, operation, first_token_bucket);

CREATE MATERIALIZED VIEW status_first_token_hourly
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
    operation,
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON status_first_token_hourly (workspace_id, bucket, status, error_type, operation, first_token_bucket);

CREATE MATERIALIZED VIEW status_first_token_daily
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
    operation,
    first_token_bucket,
    sum(calls)::integer AS calls
FROM status_first_token_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON status_first_token_daily (workspace_id, bucket, status, error_type, operation, first_token_bucket);

CREATE MATERIALIZED VIEW model_users_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    model,
    provider,
    operation,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_users_hourly (workspace_id, bucket, model, provider, operation, user_number);

CREATE MATERIALIZED VIEW model_users_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM model_users_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_users_daily (workspace_id, bucket, model, provider, operation, user_number);

CREATE MATERIALIZED VIEW model_users_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM model_users_daily
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON model_users_weekly (workspace_id, bucket, model, provider, operation, user_number);

CREATE MATERIALIZED VIEW place_users_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON place_users_hourly (workspace_id, bucket, environment, release, user_number);

CREATE MATERIALIZED VIEW place_users_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM place_users_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON place_users_daily (workspace_id, bucket, environment, release, user_number);

CREATE MATERIALIZED VIEW place_users_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    environment,
    release,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM place_users_daily
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON place_users_weekly (workspace_id, bucket, environment, release, user_number);

CREATE MATERIALIZED VIEW status_users_hourly
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
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON status_users_hourly (workspace_id, bucket, status, error_type, user_number);

CREATE MATERIALIZED VIEW status_users_daily
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
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM status_users_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON status_users_daily (workspace_id, bucket, status, error_type, user_number);

CREATE MATERIALIZED VIEW status_users_weekly
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
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM status_users_daily
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON status_users_weekly (workspace_id, bucket, status, error_type, user_number);

CREATE MATERIALIZED VIEW user_models_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON user_models_hourly (workspace_id, bucket, model, provider, operation, agent_id, user_number);

CREATE MATERIALIZED VIEW user_models_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM user_models_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON user_models_daily (workspace_id, bucket, model, provider, operation, agent_id, user_number);

CREATE MATERIALIZED VIEW user_models_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM user_models_daily
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON user_models_weekly (workspace_id, bucket, model, provider, operation, agent_id, user_number);

CREATE MATERIALIZED VIEW user_places_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM traces
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE INDEX ON user_places_hourly (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number);

CREATE MATERIALIZED VIEW user_places_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM user_places_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE INDEX ON user_places_daily (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number);

CREATE MATERIALIZED VIEW user_places_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM user_places_daily
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
WITH NO DATA;

CREATE INDEX ON user_places_weekly (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number);

CREATE MATERIALIZED VIEW label_totals_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    operation,
    status,
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
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd,
    sum(coalesce(cache_read_tokens, 0))::bigint AS cache_read_tokens,
    sum(coalesce(cache_write_tokens, 0))::bigint AS cache_write_tokens,
    sum(coalesce(reasoning_tokens, 0))::bigint AS reasoning_tokens,
    sum(coalesce(latency_ms * latency_ms, 0))::double precision AS squared_latency,
    sum(coalesce(cost_usd * cost_usd, 0))::numeric AS squared_cost
FROM label_rows
WHERE true
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_totals_hourly (workspace_id, bucket, label_number, operation, status);

CREATE MATERIALIZED VIEW label_totals_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    operation,
    status,
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
    sum(search_cost_usd)::numeric AS search_cost_usd,
    sum(cache_read_tokens)::bigint AS cache_read_tokens,
    sum(cache_write_tokens)::bigint AS cache_write_tokens,
    sum(reasoning_tokens)::bigint AS reasoning_tokens,
    sum(squared_latency)::double precision AS squared_latency,
    sum(squared_cost)::numeric AS squared_cost
FROM label_totals_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_totals_daily (workspace_id, bucket, label_number, operation, status);

CREATE MATERIALIZED VIEW label_calls_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    operation,
    agent_id,
    provider,
    model,
    environment,
    release,
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
    sum(coalesce(search_cost_usd, 0))::numeric AS search_cost_usd,
    sum(coalesce(cache_read_tokens, 0))::bigint AS cache_read_tokens,
    sum(coalesce(cache_write_tokens, 0))::bigint AS cache_write_tokens,
    sum(coalesce(reasoning_tokens, 0))::bigint AS reasoning_tokens,
    sum(coalesce(latency_ms * latency_ms, 0))::double precision AS squared_latency,
    sum(coalesce(cost_usd * cost_usd, 0))::numeric AS squared_cost
FROM label_rows
WHERE true
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON label_calls_hourly (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type);

CREATE MATERIALIZED VIEW label_calls_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    operation,
    agent_id,
    provider,
    model,
    environment,
    release,
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
    sum(search_cost_usd)::numeric AS search_cost_usd,
    sum(cache_read_tokens)::bigint AS cache_read_tokens,
    sum(cache_write_tokens)::bigint AS cache_write_tokens,
    sum(reasoning_tokens)::bigint AS reasoning_tokens,
    sum(squared_latency)::double precision AS squared_latency,
    sum(squared_cost)::numeric AS squared_cost
FROM label_calls_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON label_calls_daily (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type);

CREATE MATERIALIZED VIEW label_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM label_rows
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_latency_hourly (workspace_id, bucket, label_number, operation, latency_bucket);

CREATE MATERIALIZED VIEW label_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM label_latency_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_latency_daily (workspace_id, bucket, label_number, operation, latency_bucket);

CREATE MATERIALIZED VIEW label_first_token_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    operation,
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM label_rows
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_first_token_hourly (workspace_id, bucket, label_number, operation, first_token_bucket);

CREATE MATERIALIZED VIEW label_first_token_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    operation,
    first_token_bucket,
    sum(calls)::integer AS calls
FROM label_first_token_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_first_token_daily (workspace_id, bucket, label_number, operation, first_token_bucket);

CREATE MATERIALIZED VIEW label_users_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    agent_id,
    user_number,
    sum(1)::integer AS calls,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd
FROM label_rows
WHERE user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_users_hourly (workspace_id, bucket, label_number, agent_id, user_number);

CREATE MATERIALIZED VIEW label_users_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    agent_id,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM label_users_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_users_daily (workspace_id, bucket, label_number, agent_id, user_number);

CREATE MATERIALIZED VIEW label_users_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    label_number,
    agent_id,
    user_number,
    sum(calls)::integer AS calls,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd
FROM label_users_daily
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_users_weekly (workspace_id, bucket, label_number, agent_id, user_number);

CREATE MATERIALIZED VIEW label_user_errors_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    status,
    error_type,
    user_number,
    sum(1)::integer AS calls
FROM label_rows
WHERE status <> 'success' AND user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON label_user_errors_hourly (workspace_id, bucket, label_number, status, error_type, user_number);

CREATE MATERIALIZED VIEW label_user_errors_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    status,
    error_type,
    user_number,
    sum(calls)::integer AS calls
FROM label_user_errors_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON label_user_errors_daily (workspace_id, bucket, label_number, status, error_type, user_number);

CREATE MATERIALIZED VIEW label_user_errors_weekly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '700 days'
) AS
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    label_number,
    status,
    error_type,
    user_number,
    sum(calls)::integer AS calls
FROM label_user_errors_daily
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON label_user_errors_weekly (workspace_id, bucket, label_number, status, error_type, user_number);

CREATE MATERIALIZED VIEW tools_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    tool,
    agent_id,
    environment,
    release,
    status,
    error_type,
    operation,
    provider,
    model,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms
FROM traces
WHERE operation = 'execute_tool'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON tools_hourly (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model);

CREATE MATERIALIZED VIEW tools_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    tool,
    agent_id,
    environment,
    release,
    status,
    error_type,
    operation,
    provider,
    model,
    sum(calls)::integer AS calls,
    sum(errors)::integer AS errors,
    sum(timed_calls)::integer AS timed_calls,
    sum(latency_ms)::double precision AS latency_ms
FROM tools_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON tools_daily (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model);

CREATE MATERIALIZED VIEW tool_latency_hourly
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
    tool,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON tool_latency_hourly (workspace_id, bucket, operation, provider, model, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_latency_daily
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
    tool,
    latency_bucket,
    sum(calls)::integer AS calls
FROM tool_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON tool_latency_daily (workspace_id, bucket, operation, provider, model, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_agent_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    agent_id,
    tool,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON tool_agent_latency_hourly (workspace_id, bucket, agent_id, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_agent_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    agent_id,
    tool,
    latency_bucket,
    sum(calls)::integer AS calls
FROM tool_agent_latency_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON tool_agent_latency_daily (workspace_id, bucket, agent_id, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_place_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    tool,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON tool_place_latency_hourly (workspace_id, bucket, environment, release, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_place_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    tool,
    latency_bucket,
    sum(calls)::integer AS calls
FROM tool_place_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON tool_place_latency_daily (workspace_id, bucket, environment, release, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_status_latency_hourly
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
    tool,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON tool_status_latency_hourly (workspace_id, bucket, status, error_type, tool, latency_bucket);

CREATE MATERIALIZED VIEW tool_status_latency_daily
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
    tool,
    latency_bucket,
    sum(calls)::integer AS calls
FROM tool_status_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON tool_status_latency_daily (workspace_id, bucket, status, error_type, tool, latency_bucket);

CREATE MATERIALIZED VIEW label_tools_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    tool,
    sum(1)::integer AS calls,
    sum((status <> 'success')::integer)::integer AS errors,
    sum((latency_ms IS NOT NULL)::integer)::integer AS timed_calls,
    sum(coalesce(latency_ms, 0))::double precision AS latency_ms
FROM label_rows
WHERE operation = 'execute_tool'
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON label_tools_hourly (workspace_id, bucket, label_number, tool);

CREATE MATERIALIZED VIEW label_tools_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    tool,
    sum(calls)::integer AS calls,
    sum(errors)::integer AS errors,
    sum(timed_calls)::integer AS timed_calls,
    sum(latency_ms)::double precision AS latency_ms
FROM label_tools_hourly
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE INDEX ON label_tools_daily (workspace_id, bucket, label_number, tool);

CREATE MATERIALIZED VIEW label_tool_latency_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    tool,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM label_rows
WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_tool_latency_hourly (workspace_id, bucket, label_number, tool, latency_bucket);

CREATE MATERIALIZED VIEW label_tool_latency_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    tool,
    latency_bucket,
    sum(calls)::integer AS calls
FROM label_tool_latency_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON label_tool_latency_daily (workspace_id, bucket, label_number, tool, latency_bucket);

CREATE MATERIALIZED VIEW user_errors_hourly
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
    user_number,
    sum(1)::integer AS calls
FROM traces
WHERE status <> 'success' AND user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON user_errors_hourly (workspace_id, bucket, status, error_type, agent_id, user_number);

CREATE MATERIALIZED VIEW user_errors_daily
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
    user_number,
    sum(calls)::integer AS calls
FROM user_errors_hourly
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON user_errors_daily (workspace_id, bucket, status, error_type, agent_id, user_number);

CREATE MATERIALIZED VIEW user_errors_weekly
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
    user_number,
    sum(calls)::integer AS calls
FROM user_errors_daily
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX ON user_errors_weekly (workspace_id, bucket, status, error_type, agent_id, user_number);

CREATE MATERIALIZED VIEW user_failures_hourly
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
    environment,
    release,
    operation,
    provider,
    model,
    user_number,
    sum(1)::integer AS calls
FROM traces
WHERE status <> 'success' AND user_number IS NOT NULL AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON user_failures_hourly (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number);

CREATE MATERIALIZED VIEW user_failures_daily
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
    environment,
    release,
    operation,
    provider,
    model,
    user_number,
    sum(calls)::integer AS calls
FROM user_failures_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON user_failures_daily (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number);

CREATE MATERIALIZED VIEW user_failures_weekly
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
    environment,
    release,
    operation,
    provider,
    model,
    user_number,
    sum(calls)::integer AS calls
FROM user_failures_daily
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON user_failures_weekly (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number);

CREATE MATERIALIZED VIEW sessions_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    session_id,
    user_number,
    agent_id,
    environment,
    release,
    sum(1)::integer AS calls,
    sum((operation IN ('chat', 'text_completion', 'generate_content', 'embeddings'))::integer)::integer AS model_calls,
    sum((operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND status <> 'success')::integer)::integer AS errors,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens,
    sum((parent_span_id IS NULL)::integer)::integer AS traces,
    sum(CASE WHEN parent_span_id IS NULL THEN coalesce(latency_ms, 0) ELSE 0 END)::double precision AS duration_ms
FROM traces
WHERE session_id IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON sessions_hourly (workspace_id, bucket, session_id, user_number, agent_id, environment, release);

CREATE MATERIALIZED VIEW sessions_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    session_id,
    user_number,
    agent_id,
    environment,
    release,
    sum(calls)::integer AS calls,
    sum(model_calls)::integer AS model_calls,
    sum(errors)::integer AS errors,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens,
    sum(traces)::integer AS traces,
    sum(duration_ms)::double precision AS duration_ms
FROM sessions_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
WITH NO DATA;

CREATE INDEX ON sessions_daily (workspace_id, bucket, session_id, user_number, agent_id, environment, release);

CREATE MATERIALIZED VIEW session_totals_hourly
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '10 days'
) AS
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    agent_id,
    environment,
    release,
    sum(1)::integer AS calls,
    sum((operation IN ('chat', 'text_completion', 'generate_content', 'embeddings'))::integer)::integer AS model_calls,
    sum((operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND status <> 'success')::integer)::integer AS errors,
    sum((cost_usd IS NOT NULL)::integer)::integer AS priced_calls,
    sum(coalesce(cost_usd, 0))::numeric AS cost_usd,
    sum(coalesce(input_tokens, 0))::bigint AS input_tokens,
    sum(coalesce(output_tokens, 0))::bigint AS output_tokens,
    sum((parent_span_id IS NULL)::integer)::integer AS traces,
    sum(CASE WHEN parent_span_id IS NULL THEN coalesce(latency_ms, 0) ELSE 0 END)::double precision AS duration_ms
FROM traces
WHERE session_id IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON session_totals_hourly (workspace_id, bucket, agent_id, environment, release);

CREATE MATERIALIZED VIEW session_totals_daily
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '100 days'
) AS
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    agent_id,
    environment,
    release,
    sum(calls)::integer AS calls,
    sum(model_calls)::integer AS model_calls,
    sum(errors)::integer AS errors,
    sum(priced_calls)::integer AS priced_calls,
    sum(cost_usd)::numeric AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens,
    sum(traces)::integer AS traces,
    sum(duration_ms)::double precision AS duration_ms
FROM session_totals_hourly
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

CREATE INDEX ON session_totals_daily (workspace_id, bucket, agent_id, environment, release);

ALTER TABLE scores
    ADD COLUMN environment text COLLATE "C",
    ADD COLUMN release text COLLATE "C",
    ADD COLUMN labels jsonb;

-- The sums of scores with environment and release. Processes of the previous version go on adding to score_sums_hourly.
CREATE TABLE score_places_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    name text COLLATE "C" NOT NULL,
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    category text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    scores bigint NOT NULL,
    numbers bigint NOT NULL,
    number numeric NOT NULL,
    squared_number numeric NOT NULL,
    CONSTRAINT score_places_key UNIQUE NULLS NOT DISTINCT
        (workspace_id, bucket, name, agent_id, provider, model, category, environment, release)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

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
    NULL::text COLLATE "C" AS environment,
    NULL::text COLLATE "C" AS release,
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
FROM score_places_hourly;
