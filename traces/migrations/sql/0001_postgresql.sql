-- The schema on PostgreSQL, and on Citus before it is distributed.
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

CREATE FUNCTION time_bucket(width interval, moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin(width, moment, timestamptz '2000-01-03 00:00:00+00');

-- OpenTelemetry's exponential histogram at scale 5: bucket i holds (2^(i/32), 2^((i+1)/32)]. Zero has its own bucket.
CREATE FUNCTION latency_bucket(latency_ms double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN latency_ms > 0 THEN ceil(ln(latency_ms) * 32 / ln(2::double precision))::integer - 1
    WHEN latency_ms = 0 THEN -100000
END;

-- The start of the open hours, which only the narrowest buckets of the rollups hold.
CREATE TABLE rollup_state (
    workspace_id uuid PRIMARY KEY,
    filled_until timestamptz NOT NULL
);

CREATE TABLE totals_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, status)
)
WITH (fillfactor = 70);

CREATE TABLE totals_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, status)
)
WITH (fillfactor = 70);

CREATE TABLE totals_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, status)
)
WITH (fillfactor = 70);

CREATE TABLE models_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE models_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE models_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model)
)
WITH (fillfactor = 70);

CREATE TABLE agents_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE agents_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE agents_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE calls_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, agent_id, provider, model, status, error_type)
)
WITH (fillfactor = 70);

CREATE TABLE calls_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
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
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, agent_id, provider, model, status, error_type)
)
WITH (fillfactor = 70);

CREATE TABLE latency_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE latency_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE users_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE users_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE users_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE users_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE user_agents_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE user_agents_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE user_agents_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE user_agents_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_number integer,
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    priced_calls integer NOT NULL,
    cost_usd numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_number, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE failures_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_number integer,
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_number)
)
WITH (fillfactor = 70);

CREATE TABLE errors_ten_minutely (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE errors_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE errors_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE errors_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    agent_id text COLLATE "C",
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, agent_id)
)
WITH (fillfactor = 70);

CREATE TABLE call_latency_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    agent_id text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    latency_bucket integer,
    calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, agent_id, provider, model, latency_bucket)
)
WITH (fillfactor = 70);

CREATE TABLE user_sets_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_block integer,
    user_bits bit(4096) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_block)
)
WITH (fillfactor = 70);

CREATE TABLE user_sets_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_block integer,
    user_bits bit(4096) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_block)
)
WITH (fillfactor = 70);

CREATE TABLE user_sets_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    user_block integer,
    user_bits bit(4096) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_block)
)
WITH (fillfactor = 70);

CREATE TABLE failure_sets_hourly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_block integer,
    user_bits bit(4096) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_block)
)
WITH (fillfactor = 70);

CREATE TABLE failure_sets_daily (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_block integer,
    user_bits bit(4096) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_block)
)
WITH (fillfactor = 70);

CREATE TABLE failure_sets_weekly (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    user_block integer,
    user_bits bit(4096) NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, user_block)
)
WITH (fillfactor = 70);

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
