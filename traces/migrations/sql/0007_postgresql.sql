-- Makes new tables for the followers, on PostgreSQL and on Citus: with one row for each histogram, with sums by ten
-- minutes, and with sums under several filters. The old tables wait in a schema of their own until `manage.py refill`
-- has filled the new ones.

LOCK TABLE rollup_state IN ACCESS EXCLUSIVE MODE;

-- Writers wait behind the lock meanwhile, so it rather fails and is run again than waits for a long question.
SET LOCAL lock_timeout = '1s';

-- For Citus, which otherwise changes all shards at once and then refuses to change the schema.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

UPDATE rollup_state SET followed_since = NULL, followed_until = NULL;

CREATE SCHEMA replaced_sums;

-- A histogram has its values first, then the calls of each.
CREATE FUNCTION histogram_sum(stored integer[], added integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(value) || array_agg(calls), '{}')
    FROM (
        SELECT value, sum(calls)::integer AS calls
        FROM (
            SELECT * FROM unnest(stored[:cardinality(stored) / 2], stored[cardinality(stored) / 2 + 1:])
            UNION ALL
            SELECT * FROM unnest(added[:cardinality(added) / 2], added[cardinality(added) / 2 + 1:])
        ) AS parts (value, calls)
        GROUP BY value
        HAVING sum(calls) <> 0
    ) AS summed
$$;

ALTER TABLE places_hourly SET SCHEMA replaced_sums;

ALTER TABLE places_daily SET SCHEMA replaced_sums;

ALTER TABLE place_agents_hourly SET SCHEMA replaced_sums;

ALTER TABLE place_agents_daily SET SCHEMA replaced_sums;

ALTER TABLE place_models_hourly SET SCHEMA replaced_sums;

ALTER TABLE place_models_daily SET SCHEMA replaced_sums;

ALTER TABLE place_calls_hourly SET SCHEMA replaced_sums;

ALTER TABLE place_calls_daily SET SCHEMA replaced_sums;

ALTER TABLE agent_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE agent_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE model_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE model_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE place_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE place_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE status_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE status_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE first_token_hourly SET SCHEMA replaced_sums;

ALTER TABLE first_token_daily SET SCHEMA replaced_sums;

ALTER TABLE agent_first_token_hourly SET SCHEMA replaced_sums;

ALTER TABLE agent_first_token_daily SET SCHEMA replaced_sums;

ALTER TABLE model_first_token_hourly SET SCHEMA replaced_sums;

ALTER TABLE model_first_token_daily SET SCHEMA replaced_sums;

ALTER TABLE place_first_token_hourly SET SCHEMA replaced_sums;

ALTER TABLE place_first_token_daily SET SCHEMA replaced_sums;

ALTER TABLE status_first_token_hourly SET SCHEMA replaced_sums;

ALTER TABLE status_first_token_daily SET SCHEMA replaced_sums;

ALTER TABLE model_users_hourly SET SCHEMA replaced_sums;

ALTER TABLE model_users_daily SET SCHEMA replaced_sums;

ALTER TABLE model_users_weekly SET SCHEMA replaced_sums;

ALTER TABLE place_users_hourly SET SCHEMA replaced_sums;

ALTER TABLE place_users_daily SET SCHEMA replaced_sums;

ALTER TABLE place_users_weekly SET SCHEMA replaced_sums;

ALTER TABLE status_users_hourly SET SCHEMA replaced_sums;

ALTER TABLE status_users_daily SET SCHEMA replaced_sums;

ALTER TABLE status_users_weekly SET SCHEMA replaced_sums;

ALTER TABLE user_models_hourly SET SCHEMA replaced_sums;

ALTER TABLE user_models_daily SET SCHEMA replaced_sums;

ALTER TABLE user_models_weekly SET SCHEMA replaced_sums;

ALTER TABLE user_places_hourly SET SCHEMA replaced_sums;

ALTER TABLE user_places_daily SET SCHEMA replaced_sums;

ALTER TABLE user_places_weekly SET SCHEMA replaced_sums;

ALTER TABLE label_totals_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_totals_daily SET SCHEMA replaced_sums;

ALTER TABLE label_calls_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_calls_daily SET SCHEMA replaced_sums;

ALTER TABLE label_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE label_first_token_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_first_token_daily SET SCHEMA replaced_sums;

ALTER TABLE label_users_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_users_daily SET SCHEMA replaced_sums;

ALTER TABLE label_users_weekly SET SCHEMA replaced_sums;

ALTER TABLE label_user_errors_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_user_errors_daily SET SCHEMA replaced_sums;

ALTER TABLE label_user_errors_weekly SET SCHEMA replaced_sums;

ALTER TABLE tools_hourly SET SCHEMA replaced_sums;

ALTER TABLE tools_daily SET SCHEMA replaced_sums;

ALTER TABLE tool_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE tool_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE tool_agent_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE tool_agent_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE tool_place_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE tool_place_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE tool_status_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE tool_status_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE label_tools_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_tools_daily SET SCHEMA replaced_sums;

ALTER TABLE label_tool_latency_hourly SET SCHEMA replaced_sums;

ALTER TABLE label_tool_latency_daily SET SCHEMA replaced_sums;

ALTER TABLE user_errors_hourly SET SCHEMA replaced_sums;

ALTER TABLE user_errors_daily SET SCHEMA replaced_sums;

ALTER TABLE user_errors_weekly SET SCHEMA replaced_sums;

ALTER TABLE user_failures_hourly SET SCHEMA replaced_sums;

ALTER TABLE user_failures_daily SET SCHEMA replaced_sums;

ALTER TABLE user_failures_weekly SET SCHEMA replaced_sums;

ALTER TABLE sessions_hourly SET SCHEMA replaced_sums;

ALTER TABLE sessions_daily SET SCHEMA replaced_sums;

ALTER TABLE session_totals_hourly SET SCHEMA replaced_sums;

ALTER TABLE session_totals_daily SET SCHEMA replaced_sums;

CREATE TABLE places_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT places_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, environment, release, status)
)
WITH (fillfactor = 70);

CREATE TABLE places_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT places_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, environment, release, status)
)
WITH (fillfactor = 70);

CREATE TABLE places_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT places_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, environment, release, status)
)
WITH (fillfactor = 70);

CREATE TABLE place_agents_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_agents_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE place_agents_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_agents_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE place_agents_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_agents_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE place_models_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_models_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE place_models_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_models_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE place_models_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_models_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE place_calls_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_calls_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type)
)
WITH (fillfactor = 70);

CREATE TABLE place_calls_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT place_calls_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type)
)
WITH (fillfactor = 70);

CREATE TABLE agent_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

CREATE TABLE agent_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

CREATE TABLE agent_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

CREATE TABLE model_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

CREATE TABLE model_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

CREATE TABLE model_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

CREATE TABLE status_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE status_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE status_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_call_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_call_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE first_token_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT first_token_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation)
)
WITH (fillfactor = 70);

CREATE TABLE first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation)
)
WITH (fillfactor = 70);

CREATE TABLE first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation)
)
WITH (fillfactor = 70);

CREATE TABLE agent_first_token_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_first_token_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

CREATE TABLE agent_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

CREATE TABLE agent_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

CREATE TABLE model_first_token_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_first_token_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

CREATE TABLE model_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

CREATE TABLE model_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_first_token_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_first_token_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

CREATE TABLE status_first_token_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_first_token_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE status_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE status_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_call_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_call_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation)
)
WITH (fillfactor = 70);

CREATE TABLE place_call_users_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    user_range integer,
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_users_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range)
)
WITH (fillfactor = 70);

CREATE TABLE place_call_users_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    user_range integer,
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_users_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range)
)
WITH (fillfactor = 70);

CREATE TABLE model_users_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT model_users_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE model_users_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT model_users_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE model_users_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT model_users_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE place_users_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT place_users_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE place_users_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT place_users_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE place_users_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT place_users_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE status_users_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT status_users_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE status_users_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT status_users_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE status_users_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT status_users_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_models_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT user_models_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_models_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT user_models_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_models_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT user_models_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_places_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT user_places_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_places_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT user_places_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_places_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT user_places_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE label_totals_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    status text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT label_totals_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, status)
)
WITH (fillfactor = 70);

CREATE TABLE label_totals_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    status text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT label_totals_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, status)
)
WITH (fillfactor = 70);

CREATE TABLE label_calls_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT label_calls_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type)
)
WITH (fillfactor = 70);

CREATE TABLE label_calls_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_cost_usd numeric NOT NULL,
    output_cost_usd numeric NOT NULL,
    cache_read_cost_usd numeric NOT NULL,
    cache_write_cost_usd numeric NOT NULL,
    audio_cost_usd numeric NOT NULL,
    image_cost_usd numeric NOT NULL,
    search_cost_usd numeric NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    squared_latency double precision NOT NULL,
    squared_cost numeric NOT NULL,
    CONSTRAINT label_calls_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type)
)
WITH (fillfactor = 70);

CREATE TABLE label_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

CREATE TABLE label_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

CREATE TABLE label_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

CREATE TABLE label_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

CREATE TABLE label_users_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT label_users_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE label_users_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT label_users_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE label_users_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    CONSTRAINT label_users_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE label_user_errors_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT label_user_errors_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE label_user_errors_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT label_user_errors_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE label_user_errors_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT label_user_errors_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE tools_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    tool text COLLATE "C",
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    CONSTRAINT tools_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE tools_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    tool text COLLATE "C",
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    CONSTRAINT tools_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE tool_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_agent_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_agent_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_agent_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_agent_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_agent_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_agent_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_place_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_place_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_place_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_place_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_place_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_place_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_status_latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_status_latency_ten_minutely_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_status_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_status_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool)
)
WITH (fillfactor = 70);

CREATE TABLE tool_status_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_status_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool)
)
WITH (fillfactor = 70);

CREATE TABLE label_tools_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    CONSTRAINT label_tools_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool)
)
WITH (fillfactor = 70);

CREATE TABLE label_tools_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    calls integer NOT NULL,
    errors integer NOT NULL,
    timed_calls integer NOT NULL,
    latency_ms double precision NOT NULL,
    CONSTRAINT label_tools_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool)
)
WITH (fillfactor = 70);

CREATE TABLE label_tool_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_tool_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool)
)
WITH (fillfactor = 70);

CREATE TABLE label_tool_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_tool_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool)
)
WITH (fillfactor = 70);

CREATE TABLE user_errors_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT user_errors_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_errors_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT user_errors_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_errors_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT user_errors_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_failures_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT user_failures_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_failures_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT user_failures_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_failures_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    CONSTRAINT user_failures_weekly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE sessions_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    session_id text COLLATE "C",
    user_number integer,
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    calls integer NOT NULL,
    model_calls integer NOT NULL,
    errors integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    traces integer NOT NULL,
    duration_ms double precision NOT NULL,
    CONSTRAINT sessions_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, session_id, user_number, agent_id, environment, release)
)
WITH (fillfactor = 70);

CREATE TABLE sessions_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    session_id text COLLATE "C",
    user_number integer,
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    calls integer NOT NULL,
    model_calls integer NOT NULL,
    errors integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    traces integer NOT NULL,
    duration_ms double precision NOT NULL,
    CONSTRAINT sessions_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, session_id, user_number, agent_id, environment, release)
)
WITH (fillfactor = 70);

CREATE TABLE session_totals_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    calls integer NOT NULL,
    model_calls integer NOT NULL,
    errors integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    traces integer NOT NULL,
    duration_ms double precision NOT NULL,
    CONSTRAINT session_totals_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, environment, release)
)
WITH (fillfactor = 70);

CREATE TABLE session_totals_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    environment text COLLATE "C",
    release text COLLATE "C",
    calls integer NOT NULL,
    model_calls integer NOT NULL,
    errors integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    traces integer NOT NULL,
    duration_ms double precision NOT NULL,
    CONSTRAINT session_totals_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, environment, release)
)
WITH (fillfactor = 70);

-- A new database has nothing to replace.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM rollup_state) THEN
        SET LOCAL client_min_messages = warning;
        DROP SCHEMA replaced_sums CASCADE;
    END IF;
END
$$;
