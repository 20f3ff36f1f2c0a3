-- Adds the followers on PostgreSQL, and on Citus.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.

LOCK TABLE rollup_state, traces, scores IN ACCESS EXCLUSIVE MODE;

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

-- The time of the rows that the followers have. NULL: `manage.py refill` has not begun to fill them.
ALTER TABLE rollup_state
    ADD COLUMN followed_since timestamptz,
    ADD COLUMN followed_until timestamptz;

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

CREATE TABLE agent_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT agent_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE agent_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT agent_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE model_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT model_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE model_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT model_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE place_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT place_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE place_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT place_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE status_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT status_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE status_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT status_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE agent_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT agent_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE agent_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT agent_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE model_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT model_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE model_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT model_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE place_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT place_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE place_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT place_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE status_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT status_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE status_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT status_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation, first_token_bucket)
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
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT label_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE label_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT label_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE label_first_token_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT label_first_token_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, first_token_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE label_first_token_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    first_token_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT label_first_token_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation, first_token_bucket)
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

CREATE TABLE tool_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_agent_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_agent_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_agent_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_agent_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_place_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_place_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_place_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_place_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_status_latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_status_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE tool_status_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT tool_status_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool, latency_bucket)
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
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT label_tool_latency_hourly_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE label_tool_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    CONSTRAINT label_tool_latency_daily_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool, latency_bucket)
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
