-- Adds sums under several filters, on TimescaleDB. Its policies fill them.

CREATE MATERIALIZED VIEW place_call_latency_hourly
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
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    latency_bucket(latency_ms) AS latency_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON place_call_latency_hourly (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, latency_bucket);

CREATE MATERIALIZED VIEW place_call_latency_daily
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
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    latency_bucket,
    sum(calls)::integer AS calls
FROM place_call_latency_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON place_call_latency_daily (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, latency_bucket);

CREATE MATERIALIZED VIEW place_call_first_token_hourly
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
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    latency_bucket(first_token_ms) AS first_token_bucket,
    sum(1)::integer AS calls
FROM traces
WHERE first_token_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON place_call_first_token_hourly (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, first_token_bucket);

CREATE MATERIALIZED VIEW place_call_first_token_daily
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
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    first_token_bucket,
    sum(calls)::integer AS calls
FROM place_call_first_token_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
WITH NO DATA;

CREATE INDEX ON place_call_first_token_daily (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, first_token_bucket);

CREATE MATERIALIZED VIEW place_call_users_hourly
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
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    user_number / 1024 AS user_range,
    user_number,
    sum(1)::integer AS calls
FROM traces
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
WITH NO DATA;

CREATE INDEX ON place_call_users_hourly (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range, user_number);

CREATE MATERIALIZED VIEW place_call_users_daily
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
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    user_range,
    user_number,
    sum(calls)::integer AS calls
FROM place_call_users_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
WITH NO DATA;

CREATE INDEX ON place_call_users_daily (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range, user_number);
