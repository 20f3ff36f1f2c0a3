-- Stores all buckets of a histogram in one row, and adds sums by ten minutes and sums for any pair of filters, on
-- PostgreSQL and on Citus.

SET LOCAL statement_timeout = 0;

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

-- Questions may read them meanwhile. Whoever changes them waits.
LOCK TABLE
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
    label_tool_latency_daily
IN SHARE MODE;

CREATE TABLE agent_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

INSERT INTO agent_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    agent_id,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM agent_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE agent_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

INSERT INTO agent_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    agent_id,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM agent_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE model_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

INSERT INTO model_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM model_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE model_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

INSERT INTO model_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM model_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE place_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

INSERT INTO place_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM place_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE place_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

INSERT INTO place_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM place_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE status_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

INSERT INTO status_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM status_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE status_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

INSERT INTO status_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM status_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE first_token_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT first_token_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation)
)
WITH (fillfactor = 70);

INSERT INTO first_token_hourly_packed
SELECT
    workspace_id,
    bucket,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM first_token_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3;

CREATE TABLE first_token_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT first_token_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation)
)
WITH (fillfactor = 70);

INSERT INTO first_token_daily_packed
SELECT
    workspace_id,
    bucket,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM first_token_daily
WHERE calls <> 0
GROUP BY 1, 2, 3;

CREATE TABLE agent_first_token_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_first_token_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

INSERT INTO agent_first_token_hourly_packed
SELECT
    workspace_id,
    bucket,
    agent_id,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM agent_first_token_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE agent_first_token_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT agent_first_token_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, operation)
)
WITH (fillfactor = 70);

INSERT INTO agent_first_token_daily_packed
SELECT
    workspace_id,
    bucket,
    agent_id,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM agent_first_token_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE model_first_token_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_first_token_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

INSERT INTO model_first_token_hourly_packed
SELECT
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM model_first_token_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE model_first_token_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    model text COLLATE "C",
    provider text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT model_first_token_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, model, provider, operation)
)
WITH (fillfactor = 70);

INSERT INTO model_first_token_daily_packed
SELECT
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM model_first_token_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE place_first_token_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_first_token_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

INSERT INTO place_first_token_hourly_packed
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM place_first_token_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE place_first_token_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT place_first_token_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, operation)
)
WITH (fillfactor = 70);

INSERT INTO place_first_token_daily_packed
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM place_first_token_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE status_first_token_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_first_token_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

INSERT INTO status_first_token_hourly_packed
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM status_first_token_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE status_first_token_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT status_first_token_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, operation)
)
WITH (fillfactor = 70);

INSERT INTO status_first_token_daily_packed
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM status_first_token_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE label_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

INSERT INTO label_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM label_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE label_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

INSERT INTO label_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM label_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE label_first_token_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_first_token_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

INSERT INTO label_first_token_hourly_packed
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM label_first_token_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE label_first_token_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    operation text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_first_token_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, operation)
)
WITH (fillfactor = 70);

INSERT INTO label_first_token_daily_packed
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls),
    array_agg(first_token_bucket) || array_agg(calls)
FROM label_first_token_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE tool_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    operation,
    provider,
    model,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TABLE tool_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    operation text COLLATE "C",
    provider text COLLATE "C",
    model text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, operation, provider, model, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    operation,
    provider,
    model,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TABLE tool_agent_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_agent_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_agent_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    agent_id,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_agent_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE tool_agent_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    agent_id text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_agent_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, agent_id, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_agent_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    agent_id,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_agent_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE tool_place_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_place_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_place_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_place_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE tool_place_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    environment text COLLATE "C",
    release text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_place_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, environment, release, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_place_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_place_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE tool_status_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_status_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_status_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_status_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE tool_status_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    status text COLLATE "C",
    error_type text COLLATE "C",
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT tool_status_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, status, error_type, tool)
)
WITH (fillfactor = 70);

INSERT INTO tool_status_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM tool_status_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5;

CREATE TABLE label_tool_latency_hourly_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_tool_latency_hourly_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool)
)
WITH (fillfactor = 70);

INSERT INTO label_tool_latency_hourly_packed
SELECT
    workspace_id,
    bucket,
    label_number,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM label_tool_latency_hourly
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

CREATE TABLE label_tool_latency_daily_packed (
    workspace_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    label_number bigint,
    tool text COLLATE "C",
    calls integer NOT NULL,
    histogram integer[] NOT NULL,
    CONSTRAINT label_tool_latency_daily_packed_key UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, label_number, tool)
)
WITH (fillfactor = 70);

INSERT INTO label_tool_latency_daily_packed
SELECT
    workspace_id,
    bucket,
    label_number,
    tool,
    sum(calls),
    array_agg(latency_bucket) || array_agg(calls)
FROM label_tool_latency_daily
WHERE calls <> 0
GROUP BY 1, 2, 3, 4;

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

ALTER TABLE agent_latency_hourly_packed RENAME TO agent_latency_hourly;

ALTER INDEX agent_latency_hourly_packed_key RENAME TO agent_latency_hourly_key;

ALTER TABLE agent_latency_daily_packed RENAME TO agent_latency_daily;

ALTER INDEX agent_latency_daily_packed_key RENAME TO agent_latency_daily_key;

ALTER TABLE model_latency_hourly_packed RENAME TO model_latency_hourly;

ALTER INDEX model_latency_hourly_packed_key RENAME TO model_latency_hourly_key;

ALTER TABLE model_latency_daily_packed RENAME TO model_latency_daily;

ALTER INDEX model_latency_daily_packed_key RENAME TO model_latency_daily_key;

ALTER TABLE place_latency_hourly_packed RENAME TO place_latency_hourly;

ALTER INDEX place_latency_hourly_packed_key RENAME TO place_latency_hourly_key;

ALTER TABLE place_latency_daily_packed RENAME TO place_latency_daily;

ALTER INDEX place_latency_daily_packed_key RENAME TO place_latency_daily_key;

ALTER TABLE status_latency_hourly_packed RENAME TO status_latency_hourly;

ALTER INDEX status_latency_hourly_packed_key RENAME TO status_latency_hourly_key;

ALTER TABLE status_latency_daily_packed RENAME TO status_latency_daily;

ALTER INDEX status_latency_daily_packed_key RENAME TO status_latency_daily_key;

ALTER TABLE first_token_hourly_packed RENAME TO first_token_hourly;

ALTER INDEX first_token_hourly_packed_key RENAME TO first_token_hourly_key;

ALTER TABLE first_token_daily_packed RENAME TO first_token_daily;

ALTER INDEX first_token_daily_packed_key RENAME TO first_token_daily_key;

ALTER TABLE agent_first_token_hourly_packed RENAME TO agent_first_token_hourly;

ALTER INDEX agent_first_token_hourly_packed_key RENAME TO agent_first_token_hourly_key;

ALTER TABLE agent_first_token_daily_packed RENAME TO agent_first_token_daily;

ALTER INDEX agent_first_token_daily_packed_key RENAME TO agent_first_token_daily_key;

ALTER TABLE model_first_token_hourly_packed RENAME TO model_first_token_hourly;

ALTER INDEX model_first_token_hourly_packed_key RENAME TO model_first_token_hourly_key;

ALTER TABLE model_first_token_daily_packed RENAME TO model_first_token_daily;

ALTER INDEX model_first_token_daily_packed_key RENAME TO model_first_token_daily_key;

ALTER TABLE place_first_token_hourly_packed RENAME TO place_first_token_hourly;

ALTER INDEX place_first_token_hourly_packed_key RENAME TO place_first_token_hourly_key;

ALTER TABLE place_first_token_daily_packed RENAME TO place_first_token_daily;

ALTER INDEX place_first_token_daily_packed_key RENAME TO place_first_token_daily_key;

ALTER TABLE status_first_token_hourly_packed RENAME TO status_first_token_hourly;

ALTER INDEX status_first_token_hourly_packed_key RENAME TO status_first_token_hourly_key;

ALTER TABLE status_first_token_daily_packed RENAME TO status_first_token_daily;

ALTER INDEX status_first_token_daily_packed_key RENAME TO status_first_token_daily_key;

ALTER TABLE label_latency_hourly_packed RENAME TO label_latency_hourly;

ALTER INDEX label_latency_hourly_packed_key RENAME TO label_latency_hourly_key;

ALTER TABLE label_latency_daily_packed RENAME TO label_latency_daily;

ALTER INDEX label_latency_daily_packed_key RENAME TO label_latency_daily_key;

ALTER TABLE label_first_token_hourly_packed RENAME TO label_first_token_hourly;

ALTER INDEX label_first_token_hourly_packed_key RENAME TO label_first_token_hourly_key;

ALTER TABLE label_first_token_daily_packed RENAME TO label_first_token_daily;

ALTER INDEX label_first_token_daily_packed_key RENAME TO label_first_token_daily_key;

ALTER TABLE tool_latency_hourly_packed RENAME TO tool_latency_hourly;

ALTER INDEX tool_latency_hourly_packed_key RENAME TO tool_latency_hourly_key;

ALTER TABLE tool_latency_daily_packed RENAME TO tool_latency_daily;

ALTER INDEX tool_latency_daily_packed_key RENAME TO tool_latency_daily_key;

ALTER TABLE tool_agent_latency_hourly_packed RENAME TO tool_agent_latency_hourly;

ALTER INDEX tool_agent_latency_hourly_packed_key RENAME TO tool_agent_latency_hourly_key;

ALTER TABLE tool_agent_latency_daily_packed RENAME TO tool_agent_latency_daily;

ALTER INDEX tool_agent_latency_daily_packed_key RENAME TO tool_agent_latency_daily_key;

ALTER TABLE tool_place_latency_hourly_packed RENAME TO tool_place_latency_hourly;

ALTER INDEX tool_place_latency_hourly_packed_key RENAME TO tool_place_latency_hourly_key;

ALTER TABLE tool_place_latency_daily_packed RENAME TO tool_place_latency_daily;

ALTER INDEX tool_place_latency_daily_packed_key RENAME TO tool_place_latency_daily_key;

ALTER TABLE tool_status_latency_hourly_packed RENAME TO tool_status_latency_hourly;

ALTER INDEX tool_status_latency_hourly_packed_key RENAME TO tool_status_latency_hourly_key;

ALTER TABLE tool_status_latency_daily_packed RENAME TO tool_status_latency_daily;

ALTER INDEX tool_status_latency_daily_packed_key RENAME TO tool_status_latency_daily_key;

ALTER TABLE label_tool_latency_hourly_packed RENAME TO label_tool_latency_hourly;

ALTER INDEX label_tool_latency_hourly_packed_key RENAME TO label_tool_latency_hourly_key;

ALTER TABLE label_tool_latency_daily_packed RENAME TO label_tool_latency_daily;

ALTER INDEX label_tool_latency_daily_packed_key RENAME TO label_tool_latency_daily_key;

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

-- The rows of the hour that is not full yet go to the narrowest buckets, from which hours and days are summed.
WITH not_full AS (
    DELETE FROM places_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO places_ten_minutely (
    workspace_id,
    bucket,
    operation,
    environment,
    release,
    status,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    audio_cost_usd,
    image_cost_usd,
    search_cost_usd,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    squared_latency,
    squared_cost
)
SELECT
    workspace_id,
    bucket,
    operation,
    environment,
    release,
    status,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    audio_cost_usd,
    image_cost_usd,
    search_cost_usd,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    squared_latency,
    squared_cost
FROM not_full;

WITH not_full AS (
    DELETE FROM place_agents_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO place_agents_ten_minutely (
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    agent_id,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    audio_cost_usd,
    image_cost_usd,
    search_cost_usd,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    squared_latency,
    squared_cost
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    agent_id,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    audio_cost_usd,
    image_cost_usd,
    search_cost_usd,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    squared_latency,
    squared_cost
FROM not_full;

WITH not_full AS (
    DELETE FROM place_models_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO place_models_ten_minutely (
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    provider,
    model,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    audio_cost_usd,
    image_cost_usd,
    search_cost_usd,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    squared_latency,
    squared_cost
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    provider,
    model,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    audio_cost_usd,
    image_cost_usd,
    search_cost_usd,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    squared_latency,
    squared_cost
FROM not_full;

WITH not_full AS (
    DELETE FROM agent_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO agent_latency_ten_minutely (
    workspace_id,
    bucket,
    agent_id,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    agent_id,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM model_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO model_latency_ten_minutely (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM place_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO place_latency_ten_minutely (
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM status_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO status_latency_ten_minutely (
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM first_token_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO first_token_ten_minutely (
    workspace_id,
    bucket,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM agent_first_token_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO agent_first_token_ten_minutely (
    workspace_id,
    bucket,
    agent_id,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    agent_id,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM model_first_token_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO model_first_token_ten_minutely (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM place_first_token_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO place_first_token_ten_minutely (
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM status_first_token_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO status_first_token_ten_minutely (
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    operation,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM tool_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO tool_latency_ten_minutely (
    workspace_id,
    bucket,
    operation,
    provider,
    model,
    tool,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    operation,
    provider,
    model,
    tool,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM tool_agent_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO tool_agent_latency_ten_minutely (
    workspace_id,
    bucket,
    agent_id,
    tool,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    agent_id,
    tool,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM tool_place_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO tool_place_latency_ten_minutely (
    workspace_id,
    bucket,
    environment,
    release,
    tool,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    tool,
    calls,
    histogram
FROM not_full;

WITH not_full AS (
    DELETE FROM tool_status_latency_hourly AS hours
    USING rollup_state AS state
    WHERE hours.workspace_id = state.workspace_id AND bucket >= time_bucket('1 hour', followed_until)
    RETURNING hours.*
)
INSERT INTO tool_status_latency_ten_minutely (
    workspace_id,
    bucket,
    status,
    error_type,
    tool,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    status,
    error_type,
    tool,
    calls,
    histogram
FROM not_full;

-- At the end, since writers wait from here on. The new tables are used from the next day on: before it they lack rows,
-- which `manage.py refill --again` adds.
ALTER TABLE rollup_state ADD COLUMN added_since timestamptz NOT NULL DEFAULT '2000-01-01 00:00:00+00';

UPDATE rollup_state
SET added_since = time_bucket('24 hours', followed_until + interval '24 hours')
WHERE followed_until IS NOT NULL;
