-- Stores the calls of all buckets of a histogram in one row, and adds sums for any pair of filters, on PostgreSQL and
-- on Citus. The followers are emptied: `manage.py refill` fills them from the rows.

LOCK TABLE rollup_state IN ACCESS EXCLUSIVE MODE;

UPDATE rollup_state SET followed_since = NULL, followed_until = NULL;

TRUNCATE
    places_hourly,
    places_daily,
    place_agents_hourly,
    place_agents_daily,
    place_models_hourly,
    place_models_daily,
    place_calls_hourly,
    place_calls_daily,
    model_users_hourly,
    model_users_daily,
    model_users_weekly,
    place_users_hourly,
    place_users_daily,
    place_users_weekly,
    status_users_hourly,
    status_users_daily,
    status_users_weekly,
    user_models_hourly,
    user_models_daily,
    user_models_weekly,
    user_places_hourly,
    user_places_daily,
    user_places_weekly,
    label_totals_hourly,
    label_totals_daily,
    label_calls_hourly,
    label_calls_daily,
    label_users_hourly,
    label_users_daily,
    label_users_weekly,
    label_user_errors_hourly,
    label_user_errors_daily,
    label_user_errors_weekly,
    tools_hourly,
    tools_daily,
    label_tools_hourly,
    label_tools_daily,
    user_errors_hourly,
    user_errors_daily,
    user_errors_weekly,
    user_failures_hourly,
    user_failures_daily,
    user_failures_weekly,
    sessions_hourly,
    sessions_daily,
    session_totals_hourly,
    session_totals_daily;

DROP TABLE
    agent_latency_hourly,
    agent_latency_daily,
    model_latency_hourly,
    model_latency_daily,
    place_latency_hourly,
    place_latency_daily,
    status_latency_hourly,
    status_latency_daily,
    first_token_hourly,
    first_token_daily,
    agent_first_token_hourly,
    agent_first_token_daily,
    model_first_token_hourly,
    model_first_token_daily,
    place_first_token_hourly,
    place_first_token_daily,
    status_first_token_hourly,
    status_first_token_daily,
    label_latency_hourly,
    label_latency_daily,
    label_first_token_hourly,
    label_first_token_daily,
    tool_latency_hourly,
    tool_latency_daily,
    tool_agent_latency_hourly,
    tool_agent_latency_daily,
    tool_place_latency_hourly,
    tool_place_latency_daily,
    tool_status_latency_hourly,
    tool_status_latency_daily,
    label_tool_latency_hourly,
    label_tool_latency_daily;

-- A histogram has its buckets first, then the calls of each.
CREATE FUNCTION histogram_sum(stored integer[], added integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(bucket) || array_agg(calls), '{}')
    FROM (
        SELECT bucket, sum(calls)::integer AS calls
        FROM (
            SELECT * FROM unnest(stored[:cardinality(stored) / 2], stored[cardinality(stored) / 2 + 1:])
            UNION ALL
            SELECT * FROM unnest(added[:cardinality(added) / 2], added[cardinality(added) / 2 + 1:])
        ) AS parts (bucket, calls)
        GROUP BY bucket
        HAVING sum(calls) <> 0
    ) AS summed
$$;

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
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_users_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation)
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
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_call_users_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation)
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
