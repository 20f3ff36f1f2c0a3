-- Fills every rollup from all stored rows, in benchmarks and in a test. The product does not run it.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
INSERT INTO rollup_state (workspace_id, filled_until, followed_since, followed_until)
SELECT workspace_id, last_hour, timestamptz '2000-01-01 00:00:00+00', last_hour
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', max(timestamp) - interval '600 seconds') AS last_hour
    FROM traces
    GROUP BY workspace_id
) AS newest;

INSERT INTO totals_minutely (
    workspace_id,
    bucket,
    operation,
    status,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens
)
SELECT
    workspace_id,
    time_bucket('1 minute', timestamp) AS bucket,
    operation,
    status,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, status) DO UPDATE SET
    calls = totals_minutely.calls + excluded.calls,
    errors = totals_minutely.errors + excluded.errors,
    timed_calls = totals_minutely.timed_calls + excluded.timed_calls,
    latency_ms = totals_minutely.latency_ms + excluded.latency_ms,
    priced_calls = totals_minutely.priced_calls + excluded.priced_calls,
    cost_usd = totals_minutely.cost_usd + excluded.cost_usd,
    input_tokens = totals_minutely.input_tokens + excluded.input_tokens,
    output_tokens = totals_minutely.output_tokens + excluded.output_tokens;

INSERT INTO models_minutely (
    workspace_id,
    bucket,
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
    search_cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 minute', timestamp) AS bucket,
    operation,
    provider,
    model,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, operation, provider, model) DO UPDATE SET
    calls = models_minutely.calls + excluded.calls,
    errors = models_minutely.errors + excluded.errors,
    timed_calls = models_minutely.timed_calls + excluded.timed_calls,
    latency_ms = models_minutely.latency_ms + excluded.latency_ms,
    priced_calls = models_minutely.priced_calls + excluded.priced_calls,
    cost_usd = models_minutely.cost_usd + excluded.cost_usd,
    input_tokens = models_minutely.input_tokens + excluded.input_tokens,
    output_tokens = models_minutely.output_tokens + excluded.output_tokens,
    input_cost_usd = models_minutely.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = models_minutely.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = models_minutely.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = models_minutely.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = models_minutely.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = models_minutely.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = models_minutely.search_cost_usd + excluded.search_cost_usd;

INSERT INTO agents_ten_minutely (
    workspace_id,
    bucket,
    operation,
    agent_id,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens
)
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    operation,
    agent_id,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, agent_id) DO UPDATE SET
    calls = agents_ten_minutely.calls + excluded.calls,
    errors = agents_ten_minutely.errors + excluded.errors,
    timed_calls = agents_ten_minutely.timed_calls + excluded.timed_calls,
    latency_ms = agents_ten_minutely.latency_ms + excluded.latency_ms,
    priced_calls = agents_ten_minutely.priced_calls + excluded.priced_calls,
    cost_usd = agents_ten_minutely.cost_usd + excluded.cost_usd,
    input_tokens = agents_ten_minutely.input_tokens + excluded.input_tokens,
    output_tokens = agents_ten_minutely.output_tokens + excluded.output_tokens;

INSERT INTO calls_hourly (
    workspace_id,
    bucket,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
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
    search_cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT (workspace_id, bucket, operation, agent_id, provider, model, status, error_type) DO UPDATE SET
    calls = calls_hourly.calls + excluded.calls,
    errors = calls_hourly.errors + excluded.errors,
    timed_calls = calls_hourly.timed_calls + excluded.timed_calls,
    latency_ms = calls_hourly.latency_ms + excluded.latency_ms,
    priced_calls = calls_hourly.priced_calls + excluded.priced_calls,
    cost_usd = calls_hourly.cost_usd + excluded.cost_usd,
    input_tokens = calls_hourly.input_tokens + excluded.input_tokens,
    output_tokens = calls_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = calls_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = calls_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = calls_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = calls_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = calls_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = calls_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = calls_hourly.search_cost_usd + excluded.search_cost_usd;

INSERT INTO latency_ten_minutely (
    workspace_id,
    bucket,
    operation,
    latency_bucket,
    calls
)
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    operation,
    latency_bucket,
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
    calls = latency_ten_minutely.calls + excluded.calls;

INSERT INTO users_ten_minutely (
    workspace_id,
    bucket,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
    calls = users_ten_minutely.calls + excluded.calls,
    priced_calls = users_ten_minutely.priced_calls + excluded.priced_calls,
    cost_usd = users_ten_minutely.cost_usd + excluded.cost_usd;

INSERT INTO user_agents_ten_minutely (
    workspace_id,
    bucket,
    user_number,
    agent_id,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    user_number,
    agent_id,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
    calls = user_agents_ten_minutely.calls + excluded.calls,
    priced_calls = user_agents_ten_minutely.priced_calls + excluded.priced_calls,
    cost_usd = user_agents_ten_minutely.cost_usd + excluded.cost_usd;

INSERT INTO failures_ten_minutely (
    workspace_id,
    bucket,
    status,
    error_type,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    status,
    error_type,
    user_number,
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
    calls = failures_ten_minutely.calls + excluded.calls;

INSERT INTO errors_ten_minutely (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    calls
)
SELECT
    workspace_id,
    time_bucket('10 minutes', timestamp) AS bucket,
    status,
    error_type,
    agent_id,
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
WHERE status <> 'success' AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
    calls = errors_ten_minutely.calls + excluded.calls;

INSERT INTO totals_hourly (
    workspace_id,
    bucket,
    operation,
    status,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    operation,
    status,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM totals_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, status) DO UPDATE SET
    calls = totals_hourly.calls + excluded.calls,
    errors = totals_hourly.errors + excluded.errors,
    timed_calls = totals_hourly.timed_calls + excluded.timed_calls,
    latency_ms = totals_hourly.latency_ms + excluded.latency_ms,
    priced_calls = totals_hourly.priced_calls + excluded.priced_calls,
    cost_usd = totals_hourly.cost_usd + excluded.cost_usd,
    input_tokens = totals_hourly.input_tokens + excluded.input_tokens,
    output_tokens = totals_hourly.output_tokens + excluded.output_tokens;

INSERT INTO totals_daily (
    workspace_id,
    bucket,
    operation,
    status,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    status,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM totals_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, status) DO UPDATE SET
    calls = totals_daily.calls + excluded.calls,
    errors = totals_daily.errors + excluded.errors,
    timed_calls = totals_daily.timed_calls + excluded.timed_calls,
    latency_ms = totals_daily.latency_ms + excluded.latency_ms,
    priced_calls = totals_daily.priced_calls + excluded.priced_calls,
    cost_usd = totals_daily.cost_usd + excluded.cost_usd,
    input_tokens = totals_daily.input_tokens + excluded.input_tokens,
    output_tokens = totals_daily.output_tokens + excluded.output_tokens;

INSERT INTO models_hourly (
    workspace_id,
    bucket,
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
    search_cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    operation,
    provider,
    model,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd
FROM models_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, operation, provider, model) DO UPDATE SET
    calls = models_hourly.calls + excluded.calls,
    errors = models_hourly.errors + excluded.errors,
    timed_calls = models_hourly.timed_calls + excluded.timed_calls,
    latency_ms = models_hourly.latency_ms + excluded.latency_ms,
    priced_calls = models_hourly.priced_calls + excluded.priced_calls,
    cost_usd = models_hourly.cost_usd + excluded.cost_usd,
    input_tokens = models_hourly.input_tokens + excluded.input_tokens,
    output_tokens = models_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = models_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = models_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = models_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = models_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = models_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = models_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = models_hourly.search_cost_usd + excluded.search_cost_usd;

INSERT INTO models_daily (
    workspace_id,
    bucket,
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
    search_cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    provider,
    model,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd
FROM models_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, operation, provider, model) DO UPDATE SET
    calls = models_daily.calls + excluded.calls,
    errors = models_daily.errors + excluded.errors,
    timed_calls = models_daily.timed_calls + excluded.timed_calls,
    latency_ms = models_daily.latency_ms + excluded.latency_ms,
    priced_calls = models_daily.priced_calls + excluded.priced_calls,
    cost_usd = models_daily.cost_usd + excluded.cost_usd,
    input_tokens = models_daily.input_tokens + excluded.input_tokens,
    output_tokens = models_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = models_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = models_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = models_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = models_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = models_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = models_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = models_daily.search_cost_usd + excluded.search_cost_usd;

INSERT INTO agents_hourly (
    workspace_id,
    bucket,
    operation,
    agent_id,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    operation,
    agent_id,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM agents_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, agent_id) DO UPDATE SET
    calls = agents_hourly.calls + excluded.calls,
    errors = agents_hourly.errors + excluded.errors,
    timed_calls = agents_hourly.timed_calls + excluded.timed_calls,
    latency_ms = agents_hourly.latency_ms + excluded.latency_ms,
    priced_calls = agents_hourly.priced_calls + excluded.priced_calls,
    cost_usd = agents_hourly.cost_usd + excluded.cost_usd,
    input_tokens = agents_hourly.input_tokens + excluded.input_tokens,
    output_tokens = agents_hourly.output_tokens + excluded.output_tokens;

INSERT INTO agents_daily (
    workspace_id,
    bucket,
    operation,
    agent_id,
    calls,
    errors,
    timed_calls,
    latency_ms,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    agent_id,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM agents_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, agent_id) DO UPDATE SET
    calls = agents_daily.calls + excluded.calls,
    errors = agents_daily.errors + excluded.errors,
    timed_calls = agents_daily.timed_calls + excluded.timed_calls,
    latency_ms = agents_daily.latency_ms + excluded.latency_ms,
    priced_calls = agents_daily.priced_calls + excluded.priced_calls,
    cost_usd = agents_daily.cost_usd + excluded.cost_usd,
    input_tokens = agents_daily.input_tokens + excluded.input_tokens,
    output_tokens = agents_daily.output_tokens + excluded.output_tokens;

INSERT INTO calls_daily (
    workspace_id,
    bucket,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
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
    search_cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd
FROM calls_hourly
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT (workspace_id, bucket, operation, agent_id, provider, model, status, error_type) DO UPDATE SET
    calls = calls_daily.calls + excluded.calls,
    errors = calls_daily.errors + excluded.errors,
    timed_calls = calls_daily.timed_calls + excluded.timed_calls,
    latency_ms = calls_daily.latency_ms + excluded.latency_ms,
    priced_calls = calls_daily.priced_calls + excluded.priced_calls,
    cost_usd = calls_daily.cost_usd + excluded.cost_usd,
    input_tokens = calls_daily.input_tokens + excluded.input_tokens,
    output_tokens = calls_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = calls_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = calls_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = calls_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = calls_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = calls_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = calls_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = calls_daily.search_cost_usd + excluded.search_cost_usd;

INSERT INTO latency_hourly (
    workspace_id,
    bucket,
    operation,
    latency_bucket,
    calls
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    operation,
    latency_bucket,
    sum(calls) AS calls
FROM latency_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
    calls = latency_hourly.calls + excluded.calls;

INSERT INTO latency_daily (
    workspace_id,
    bucket,
    operation,
    latency_bucket,
    calls
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    latency_bucket,
    sum(calls) AS calls
FROM latency_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
    calls = latency_daily.calls + excluded.calls;

INSERT INTO users_hourly (
    workspace_id,
    bucket,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM users_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
    calls = users_hourly.calls + excluded.calls,
    priced_calls = users_hourly.priced_calls + excluded.priced_calls,
    cost_usd = users_hourly.cost_usd + excluded.cost_usd;

INSERT INTO users_daily (
    workspace_id,
    bucket,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM users_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
    calls = users_daily.calls + excluded.calls,
    priced_calls = users_daily.priced_calls + excluded.priced_calls,
    cost_usd = users_daily.cost_usd + excluded.cost_usd;

INSERT INTO users_weekly (
    workspace_id,
    bucket,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM users_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
    calls = users_weekly.calls + excluded.calls,
    priced_calls = users_weekly.priced_calls + excluded.priced_calls,
    cost_usd = users_weekly.cost_usd + excluded.cost_usd;

INSERT INTO user_agents_hourly (
    workspace_id,
    bucket,
    user_number,
    agent_id,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    user_number,
    agent_id,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_agents_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
    calls = user_agents_hourly.calls + excluded.calls,
    priced_calls = user_agents_hourly.priced_calls + excluded.priced_calls,
    cost_usd = user_agents_hourly.cost_usd + excluded.cost_usd;

INSERT INTO user_agents_daily (
    workspace_id,
    bucket,
    user_number,
    agent_id,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    user_number,
    agent_id,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_agents_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
    calls = user_agents_daily.calls + excluded.calls,
    priced_calls = user_agents_daily.priced_calls + excluded.priced_calls,
    cost_usd = user_agents_daily.cost_usd + excluded.cost_usd;

INSERT INTO user_agents_weekly (
    workspace_id,
    bucket,
    user_number,
    agent_id,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    user_number,
    agent_id,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_agents_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
    calls = user_agents_weekly.calls + excluded.calls,
    priced_calls = user_agents_weekly.priced_calls + excluded.priced_calls,
    cost_usd = user_agents_weekly.cost_usd + excluded.cost_usd;

INSERT INTO errors_hourly (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    calls
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    sum(calls) AS calls
FROM errors_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
    calls = errors_hourly.calls + excluded.calls;

INSERT INTO errors_daily (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    calls
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    sum(calls) AS calls
FROM errors_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
    calls = errors_daily.calls + excluded.calls;

INSERT INTO errors_weekly (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    calls
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    sum(calls) AS calls
FROM errors_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
    calls = errors_weekly.calls + excluded.calls;

INSERT INTO user_sets_hourly (
    workspace_id,
    bucket,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM users_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until AND calls > 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
    user_bits = user_sets_hourly.user_bits | excluded.user_bits;

INSERT INTO user_sets_daily (
    workspace_id,
    bucket,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM users_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until AND calls > 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
    user_bits = user_sets_daily.user_bits | excluded.user_bits;

INSERT INTO user_sets_weekly (
    workspace_id,
    bucket,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM users_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until AND calls > 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
    user_bits = user_sets_weekly.user_bits | excluded.user_bits;

INSERT INTO failure_sets_hourly (
    workspace_id,
    bucket,
    status,
    error_type,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    time_bucket('1 hour', bucket) AS bucket,
    status,
    error_type,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM failures_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until AND calls > 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
    user_bits = failure_sets_hourly.user_bits | excluded.user_bits;

INSERT INTO failure_sets_daily (
    workspace_id,
    bucket,
    status,
    error_type,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    status,
    error_type,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM failures_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until AND calls > 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
    user_bits = failure_sets_daily.user_bits | excluded.user_bits;

INSERT INTO failure_sets_weekly (
    workspace_id,
    bucket,
    status,
    error_type,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    status,
    error_type,
    user_number / 4096 AS user_block,
    bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
FROM failures_ten_minutely
JOIN rollup_state USING (workspace_id)
WHERE bucket < filled_until AND calls > 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
    user_bits = failure_sets_weekly.user_bits | excluded.user_bits;

INSERT INTO call_latency_daily (
    workspace_id,
    bucket,
    operation,
    agent_id,
    provider,
    model,
    latency_bucket,
    calls
)
SELECT
    workspace_id,
    time_bucket('24 hours', timestamp) AS bucket,
    operation,
    agent_id,
    provider,
    model,
    latency_bucket,
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        agent_id,
        provider,
        model,
        status,
        error_type,
        user_number,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        latency_bucket(latency_ms) AS latency_bucket,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE latency_ms IS NOT NULL AND timestamp < filled_until
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, operation, agent_id, provider, model, latency_bucket) DO UPDATE SET
    calls = call_latency_daily.calls + excluded.calls;

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
    time_bucket('10 minutes', timestamp) AS bucket,
    operation,
    environment,
    release,
    status,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd,
    sum(sign * coalesce(cache_read_tokens, 0)) AS cache_read_tokens,
    sum(sign * coalesce(cache_write_tokens, 0)) AS cache_write_tokens,
    sum(sign * coalesce(reasoning_tokens, 0)) AS reasoning_tokens,
    sum(sign * coalesce(latency_ms * latency_ms, 0)) AS squared_latency,
    sum(sign * coalesce(cost_usd * cost_usd, 0)) AS squared_cost
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE true AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, operation, environment, release, status) DO UPDATE SET
    calls = places_ten_minutely.calls + excluded.calls,
    errors = places_ten_minutely.errors + excluded.errors,
    timed_calls = places_ten_minutely.timed_calls + excluded.timed_calls,
    latency_ms = places_ten_minutely.latency_ms + excluded.latency_ms,
    priced_calls = places_ten_minutely.priced_calls + excluded.priced_calls,
    cost_usd = places_ten_minutely.cost_usd + excluded.cost_usd,
    input_tokens = places_ten_minutely.input_tokens + excluded.input_tokens,
    output_tokens = places_ten_minutely.output_tokens + excluded.output_tokens,
    input_cost_usd = places_ten_minutely.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = places_ten_minutely.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = places_ten_minutely.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = places_ten_minutely.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = places_ten_minutely.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = places_ten_minutely.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = places_ten_minutely.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = places_ten_minutely.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = places_ten_minutely.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = places_ten_minutely.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = places_ten_minutely.squared_latency + excluded.squared_latency,
    squared_cost = places_ten_minutely.squared_cost + excluded.squared_cost;

INSERT INTO places_hourly (
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
    time_bucket('1 hour', bucket) AS bucket,
    operation,
    environment,
    release,
    status,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM places_ten_minutely
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, operation, environment, release, status) DO UPDATE SET
    calls = places_hourly.calls + excluded.calls,
    errors = places_hourly.errors + excluded.errors,
    timed_calls = places_hourly.timed_calls + excluded.timed_calls,
    latency_ms = places_hourly.latency_ms + excluded.latency_ms,
    priced_calls = places_hourly.priced_calls + excluded.priced_calls,
    cost_usd = places_hourly.cost_usd + excluded.cost_usd,
    input_tokens = places_hourly.input_tokens + excluded.input_tokens,
    output_tokens = places_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = places_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = places_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = places_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = places_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = places_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = places_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = places_hourly.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = places_hourly.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = places_hourly.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = places_hourly.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = places_hourly.squared_latency + excluded.squared_latency,
    squared_cost = places_hourly.squared_cost + excluded.squared_cost;

INSERT INTO places_daily (
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
    time_bucket('24 hours', bucket) AS bucket,
    operation,
    environment,
    release,
    status,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM places_ten_minutely
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, operation, environment, release, status) DO UPDATE SET
    calls = places_daily.calls + excluded.calls,
    errors = places_daily.errors + excluded.errors,
    timed_calls = places_daily.timed_calls + excluded.timed_calls,
    latency_ms = places_daily.latency_ms + excluded.latency_ms,
    priced_calls = places_daily.priced_calls + excluded.priced_calls,
    cost_usd = places_daily.cost_usd + excluded.cost_usd,
    input_tokens = places_daily.input_tokens + excluded.input_tokens,
    output_tokens = places_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = places_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = places_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = places_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = places_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = places_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = places_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = places_daily.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = places_daily.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = places_daily.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = places_daily.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = places_daily.squared_latency + excluded.squared_latency,
    squared_cost = places_daily.squared_cost + excluded.squared_cost;

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
    time_bucket('10 minutes', timestamp) AS bucket,
    environment,
    release,
    operation,
    agent_id,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd,
    sum(sign * coalesce(cache_read_tokens, 0)) AS cache_read_tokens,
    sum(sign * coalesce(cache_write_tokens, 0)) AS cache_write_tokens,
    sum(sign * coalesce(reasoning_tokens, 0)) AS reasoning_tokens,
    sum(sign * coalesce(latency_ms * latency_ms, 0)) AS squared_latency,
    sum(sign * coalesce(cost_usd * cost_usd, 0)) AS squared_cost
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE true AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id) DO UPDATE SET
    calls = place_agents_ten_minutely.calls + excluded.calls,
    errors = place_agents_ten_minutely.errors + excluded.errors,
    timed_calls = place_agents_ten_minutely.timed_calls + excluded.timed_calls,
    latency_ms = place_agents_ten_minutely.latency_ms + excluded.latency_ms,
    priced_calls = place_agents_ten_minutely.priced_calls + excluded.priced_calls,
    cost_usd = place_agents_ten_minutely.cost_usd + excluded.cost_usd,
    input_tokens = place_agents_ten_minutely.input_tokens + excluded.input_tokens,
    output_tokens = place_agents_ten_minutely.output_tokens + excluded.output_tokens,
    input_cost_usd = place_agents_ten_minutely.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_agents_ten_minutely.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_agents_ten_minutely.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_agents_ten_minutely.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_agents_ten_minutely.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_agents_ten_minutely.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_agents_ten_minutely.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_agents_ten_minutely.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_agents_ten_minutely.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_agents_ten_minutely.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_agents_ten_minutely.squared_latency + excluded.squared_latency,
    squared_cost = place_agents_ten_minutely.squared_cost + excluded.squared_cost;

INSERT INTO place_agents_hourly (
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
    time_bucket('1 hour', bucket) AS bucket,
    environment,
    release,
    operation,
    agent_id,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM place_agents_ten_minutely
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id) DO UPDATE SET
    calls = place_agents_hourly.calls + excluded.calls,
    errors = place_agents_hourly.errors + excluded.errors,
    timed_calls = place_agents_hourly.timed_calls + excluded.timed_calls,
    latency_ms = place_agents_hourly.latency_ms + excluded.latency_ms,
    priced_calls = place_agents_hourly.priced_calls + excluded.priced_calls,
    cost_usd = place_agents_hourly.cost_usd + excluded.cost_usd,
    input_tokens = place_agents_hourly.input_tokens + excluded.input_tokens,
    output_tokens = place_agents_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = place_agents_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_agents_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_agents_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_agents_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_agents_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_agents_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_agents_hourly.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_agents_hourly.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_agents_hourly.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_agents_hourly.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_agents_hourly.squared_latency + excluded.squared_latency,
    squared_cost = place_agents_hourly.squared_cost + excluded.squared_cost;

INSERT INTO place_agents_daily (
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
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    operation,
    agent_id,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM place_agents_ten_minutely
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id) DO UPDATE SET
    calls = place_agents_daily.calls + excluded.calls,
    errors = place_agents_daily.errors + excluded.errors,
    timed_calls = place_agents_daily.timed_calls + excluded.timed_calls,
    latency_ms = place_agents_daily.latency_ms + excluded.latency_ms,
    priced_calls = place_agents_daily.priced_calls + excluded.priced_calls,
    cost_usd = place_agents_daily.cost_usd + excluded.cost_usd,
    input_tokens = place_agents_daily.input_tokens + excluded.input_tokens,
    output_tokens = place_agents_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = place_agents_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_agents_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_agents_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_agents_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_agents_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_agents_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_agents_daily.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_agents_daily.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_agents_daily.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_agents_daily.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_agents_daily.squared_latency + excluded.squared_latency,
    squared_cost = place_agents_daily.squared_cost + excluded.squared_cost;

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
    time_bucket('10 minutes', timestamp) AS bucket,
    environment,
    release,
    operation,
    provider,
    model,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd,
    sum(sign * coalesce(cache_read_tokens, 0)) AS cache_read_tokens,
    sum(sign * coalesce(cache_write_tokens, 0)) AS cache_write_tokens,
    sum(sign * coalesce(reasoning_tokens, 0)) AS reasoning_tokens,
    sum(sign * coalesce(latency_ms * latency_ms, 0)) AS squared_latency,
    sum(sign * coalesce(cost_usd * cost_usd, 0)) AS squared_cost
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE true AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, environment, release, operation, provider, model) DO UPDATE SET
    calls = place_models_ten_minutely.calls + excluded.calls,
    errors = place_models_ten_minutely.errors + excluded.errors,
    timed_calls = place_models_ten_minutely.timed_calls + excluded.timed_calls,
    latency_ms = place_models_ten_minutely.latency_ms + excluded.latency_ms,
    priced_calls = place_models_ten_minutely.priced_calls + excluded.priced_calls,
    cost_usd = place_models_ten_minutely.cost_usd + excluded.cost_usd,
    input_tokens = place_models_ten_minutely.input_tokens + excluded.input_tokens,
    output_tokens = place_models_ten_minutely.output_tokens + excluded.output_tokens,
    input_cost_usd = place_models_ten_minutely.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_models_ten_minutely.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_models_ten_minutely.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_models_ten_minutely.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_models_ten_minutely.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_models_ten_minutely.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_models_ten_minutely.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_models_ten_minutely.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_models_ten_minutely.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_models_ten_minutely.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_models_ten_minutely.squared_latency + excluded.squared_latency,
    squared_cost = place_models_ten_minutely.squared_cost + excluded.squared_cost;

INSERT INTO place_models_hourly (
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
    time_bucket('1 hour', bucket) AS bucket,
    environment,
    release,
    operation,
    provider,
    model,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM place_models_ten_minutely
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, environment, release, operation, provider, model) DO UPDATE SET
    calls = place_models_hourly.calls + excluded.calls,
    errors = place_models_hourly.errors + excluded.errors,
    timed_calls = place_models_hourly.timed_calls + excluded.timed_calls,
    latency_ms = place_models_hourly.latency_ms + excluded.latency_ms,
    priced_calls = place_models_hourly.priced_calls + excluded.priced_calls,
    cost_usd = place_models_hourly.cost_usd + excluded.cost_usd,
    input_tokens = place_models_hourly.input_tokens + excluded.input_tokens,
    output_tokens = place_models_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = place_models_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_models_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_models_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_models_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_models_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_models_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_models_hourly.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_models_hourly.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_models_hourly.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_models_hourly.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_models_hourly.squared_latency + excluded.squared_latency,
    squared_cost = place_models_hourly.squared_cost + excluded.squared_cost;

INSERT INTO place_models_daily (
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
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    operation,
    provider,
    model,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM place_models_ten_minutely
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, environment, release, operation, provider, model) DO UPDATE SET
    calls = place_models_daily.calls + excluded.calls,
    errors = place_models_daily.errors + excluded.errors,
    timed_calls = place_models_daily.timed_calls + excluded.timed_calls,
    latency_ms = place_models_daily.latency_ms + excluded.latency_ms,
    priced_calls = place_models_daily.priced_calls + excluded.priced_calls,
    cost_usd = place_models_daily.cost_usd + excluded.cost_usd,
    input_tokens = place_models_daily.input_tokens + excluded.input_tokens,
    output_tokens = place_models_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = place_models_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_models_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_models_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_models_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_models_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_models_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_models_daily.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_models_daily.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_models_daily.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_models_daily.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_models_daily.squared_latency + excluded.squared_latency,
    squared_cost = place_models_daily.squared_cost + excluded.squared_cost;

INSERT INTO place_calls_hourly (
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
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
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd,
    sum(sign * coalesce(cache_read_tokens, 0)) AS cache_read_tokens,
    sum(sign * coalesce(cache_write_tokens, 0)) AS cache_write_tokens,
    sum(sign * coalesce(reasoning_tokens, 0)) AS reasoning_tokens,
    sum(sign * coalesce(latency_ms * latency_ms, 0)) AS squared_latency,
    sum(sign * coalesce(cost_usd * cost_usd, 0)) AS squared_cost
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE true AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type) DO UPDATE SET
    calls = place_calls_hourly.calls + excluded.calls,
    errors = place_calls_hourly.errors + excluded.errors,
    timed_calls = place_calls_hourly.timed_calls + excluded.timed_calls,
    latency_ms = place_calls_hourly.latency_ms + excluded.latency_ms,
    priced_calls = place_calls_hourly.priced_calls + excluded.priced_calls,
    cost_usd = place_calls_hourly.cost_usd + excluded.cost_usd,
    input_tokens = place_calls_hourly.input_tokens + excluded.input_tokens,
    output_tokens = place_calls_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = place_calls_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_calls_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_calls_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_calls_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_calls_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_calls_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_calls_hourly.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_calls_hourly.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_calls_hourly.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_calls_hourly.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_calls_hourly.squared_latency + excluded.squared_latency,
    squared_cost = place_calls_hourly.squared_cost + excluded.squared_cost;

INSERT INTO place_calls_daily (
    workspace_id,
    bucket,
    environment,
    release,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
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
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    operation,
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM place_calls_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type) DO UPDATE SET
    calls = place_calls_daily.calls + excluded.calls,
    errors = place_calls_daily.errors + excluded.errors,
    timed_calls = place_calls_daily.timed_calls + excluded.timed_calls,
    latency_ms = place_calls_daily.latency_ms + excluded.latency_ms,
    priced_calls = place_calls_daily.priced_calls + excluded.priced_calls,
    cost_usd = place_calls_daily.cost_usd + excluded.cost_usd,
    input_tokens = place_calls_daily.input_tokens + excluded.input_tokens,
    output_tokens = place_calls_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = place_calls_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = place_calls_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = place_calls_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = place_calls_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = place_calls_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = place_calls_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = place_calls_daily.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = place_calls_daily.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = place_calls_daily.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = place_calls_daily.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = place_calls_daily.squared_latency + excluded.squared_latency,
    squared_cost = place_calls_daily.squared_cost + excluded.squared_cost;

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        agent_id,
        operation,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
    calls = agent_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(agent_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO agent_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        agent_id,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM agent_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
    calls = agent_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(agent_latency_hourly.histogram, excluded.histogram);

INSERT INTO agent_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        agent_id,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM agent_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
    calls = agent_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(agent_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        model,
        provider,
        operation,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
    calls = model_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(model_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO model_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        model,
        provider,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM model_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
    calls = model_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(model_latency_hourly.histogram, excluded.histogram);

INSERT INTO model_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        model,
        provider,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM model_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
    calls = model_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(model_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        environment,
        release,
        operation,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
    calls = place_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(place_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO place_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        environment,
        release,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM place_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
    calls = place_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(place_latency_hourly.histogram, excluded.histogram);

INSERT INTO place_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM place_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
    calls = place_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(place_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        status,
        error_type,
        operation,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
    calls = status_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(status_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO status_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        status,
        error_type,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM status_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
    calls = status_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(status_latency_hourly.histogram, excluded.histogram);

INSERT INTO status_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        status,
        error_type,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM status_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
    calls = status_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(status_latency_daily.histogram, excluded.histogram);

INSERT INTO place_call_latency_hourly (
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
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
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation) DO UPDATE SET
    calls = place_call_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(place_call_latency_hourly.histogram, excluded.histogram);

INSERT INTO place_call_latency_daily (
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
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
        sum(packed_calls) AS calls
    FROM place_call_latency_hourly
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation) DO UPDATE SET
    calls = place_call_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(place_call_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, operation) DO UPDATE SET
    calls = first_token_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(first_token_ten_minutely.histogram, excluded.histogram);

INSERT INTO first_token_hourly (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, operation) DO UPDATE SET
    calls = first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(first_token_hourly.histogram, excluded.histogram);

INSERT INTO first_token_daily (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, operation) DO UPDATE SET
    calls = first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(first_token_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        agent_id,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
    calls = agent_first_token_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(agent_first_token_ten_minutely.histogram, excluded.histogram);

INSERT INTO agent_first_token_hourly (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        agent_id,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM agent_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
    calls = agent_first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(agent_first_token_hourly.histogram, excluded.histogram);

INSERT INTO agent_first_token_daily (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        agent_id,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM agent_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
    calls = agent_first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(agent_first_token_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        model,
        provider,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
    calls = model_first_token_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(model_first_token_ten_minutely.histogram, excluded.histogram);

INSERT INTO model_first_token_hourly (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        model,
        provider,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM model_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
    calls = model_first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(model_first_token_hourly.histogram, excluded.histogram);

INSERT INTO model_first_token_daily (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        model,
        provider,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM model_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
    calls = model_first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(model_first_token_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        environment,
        release,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
    calls = place_first_token_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(place_first_token_ten_minutely.histogram, excluded.histogram);

INSERT INTO place_first_token_hourly (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        environment,
        release,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM place_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
    calls = place_first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(place_first_token_hourly.histogram, excluded.histogram);

INSERT INTO place_first_token_daily (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM place_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
    calls = place_first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(place_first_token_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        status,
        error_type,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
    calls = status_first_token_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(status_first_token_ten_minutely.histogram, excluded.histogram);

INSERT INTO status_first_token_hourly (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        status,
        error_type,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM status_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
    calls = status_first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(status_first_token_hourly.histogram, excluded.histogram);

INSERT INTO status_first_token_daily (
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
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        status,
        error_type,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM status_first_token_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
    calls = status_first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(status_first_token_daily.histogram, excluded.histogram);

INSERT INTO place_call_first_token_hourly (
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
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
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation) DO UPDATE SET
    calls = place_call_first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(place_call_first_token_hourly.histogram, excluded.histogram);

INSERT INTO place_call_first_token_daily (
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
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
        sum(packed_calls) AS calls
    FROM place_call_first_token_hourly
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation) DO UPDATE SET
    calls = place_call_first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(place_call_first_token_daily.histogram, excluded.histogram);

INSERT INTO place_call_users_hourly (
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    user_range,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    user_range,
    sum(calls) AS calls,
    array_agg(user_number) || array_agg(calls::integer) AS histogram
FROM (
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
        user_range,
        user_number,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range) DO UPDATE SET
    calls = place_call_users_hourly.calls + excluded.calls,
    histogram = histogram_sum(place_call_users_hourly.histogram, excluded.histogram);

INSERT INTO place_call_users_daily (
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    user_range,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    environment,
    release,
    agent_id,
    provider,
    model,
    status,
    error_type,
    operation,
    user_range,
    sum(calls) AS calls,
    array_agg(user_number) || array_agg(calls::integer) AS histogram
FROM (
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
        sum(packed_calls) AS calls
    FROM place_call_users_hourly
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (user_number, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range) DO UPDATE SET
    calls = place_call_users_daily.calls + excluded.calls,
    histogram = histogram_sum(place_call_users_daily.histogram, excluded.histogram);

INSERT INTO model_users_hourly (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    model,
    provider,
    operation,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
    calls = model_users_hourly.calls + excluded.calls,
    priced_calls = model_users_hourly.priced_calls + excluded.priced_calls,
    cost_usd = model_users_hourly.cost_usd + excluded.cost_usd;

INSERT INTO model_users_daily (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM model_users_hourly
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
    calls = model_users_daily.calls + excluded.calls,
    priced_calls = model_users_daily.priced_calls + excluded.priced_calls,
    cost_usd = model_users_daily.cost_usd + excluded.cost_usd;

INSERT INTO model_users_weekly (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM model_users_hourly
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
    calls = model_users_weekly.calls + excluded.calls,
    priced_calls = model_users_weekly.priced_calls + excluded.priced_calls,
    cost_usd = model_users_weekly.cost_usd + excluded.cost_usd;

INSERT INTO place_users_hourly (
    workspace_id,
    bucket,
    environment,
    release,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
    calls = place_users_hourly.calls + excluded.calls,
    priced_calls = place_users_hourly.priced_calls + excluded.priced_calls,
    cost_usd = place_users_hourly.cost_usd + excluded.cost_usd;

INSERT INTO place_users_daily (
    workspace_id,
    bucket,
    environment,
    release,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM place_users_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
    calls = place_users_daily.calls + excluded.calls,
    priced_calls = place_users_daily.priced_calls + excluded.priced_calls,
    cost_usd = place_users_daily.cost_usd + excluded.cost_usd;

INSERT INTO place_users_weekly (
    workspace_id,
    bucket,
    environment,
    release,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    environment,
    release,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM place_users_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
    calls = place_users_weekly.calls + excluded.calls,
    priced_calls = place_users_weekly.priced_calls + excluded.priced_calls,
    cost_usd = place_users_weekly.cost_usd + excluded.cost_usd;

INSERT INTO status_users_hourly (
    workspace_id,
    bucket,
    status,
    error_type,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    status,
    error_type,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
    calls = status_users_hourly.calls + excluded.calls,
    priced_calls = status_users_hourly.priced_calls + excluded.priced_calls,
    cost_usd = status_users_hourly.cost_usd + excluded.cost_usd;

INSERT INTO status_users_daily (
    workspace_id,
    bucket,
    status,
    error_type,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    status,
    error_type,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM status_users_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
    calls = status_users_daily.calls + excluded.calls,
    priced_calls = status_users_daily.priced_calls + excluded.priced_calls,
    cost_usd = status_users_daily.cost_usd + excluded.cost_usd;

INSERT INTO status_users_weekly (
    workspace_id,
    bucket,
    status,
    error_type,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    status,
    error_type,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM status_users_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
    calls = status_users_weekly.calls + excluded.calls,
    priced_calls = status_users_weekly.priced_calls + excluded.priced_calls,
    cost_usd = status_users_weekly.cost_usd + excluded.cost_usd;

INSERT INTO user_models_hourly (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
    calls = user_models_hourly.calls + excluded.calls,
    priced_calls = user_models_hourly.priced_calls + excluded.priced_calls,
    cost_usd = user_models_hourly.cost_usd + excluded.cost_usd;

INSERT INTO user_models_daily (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_models_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
    calls = user_models_daily.calls + excluded.calls,
    priced_calls = user_models_daily.priced_calls + excluded.priced_calls,
    cost_usd = user_models_daily.cost_usd + excluded.cost_usd;

INSERT INTO user_models_weekly (
    workspace_id,
    bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    model,
    provider,
    operation,
    agent_id,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_models_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
    calls = user_models_weekly.calls + excluded.calls,
    priced_calls = user_models_weekly.priced_calls + excluded.priced_calls,
    cost_usd = user_models_weekly.cost_usd + excluded.cost_usd;

INSERT INTO user_places_hourly (
    workspace_id,
    bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
    calls = user_places_hourly.calls + excluded.calls,
    priced_calls = user_places_hourly.priced_calls + excluded.priced_calls,
    cost_usd = user_places_hourly.cost_usd + excluded.cost_usd;

INSERT INTO user_places_daily (
    workspace_id,
    bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_places_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
    calls = user_places_daily.calls + excluded.calls,
    priced_calls = user_places_daily.priced_calls + excluded.priced_calls,
    cost_usd = user_places_daily.cost_usd + excluded.cost_usd;

INSERT INTO user_places_weekly (
    workspace_id,
    bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    environment,
    release,
    status,
    error_type,
    agent_id,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM user_places_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
    calls = user_places_weekly.calls + excluded.calls,
    priced_calls = user_places_weekly.priced_calls + excluded.priced_calls,
    cost_usd = user_places_weekly.cost_usd + excluded.cost_usd;

INSERT INTO label_totals_hourly (
    workspace_id,
    bucket,
    label_number,
    operation,
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
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    operation,
    status,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd,
    sum(sign * coalesce(cache_read_tokens, 0)) AS cache_read_tokens,
    sum(sign * coalesce(cache_write_tokens, 0)) AS cache_write_tokens,
    sum(sign * coalesce(reasoning_tokens, 0)) AS reasoning_tokens,
    sum(sign * coalesce(latency_ms * latency_ms, 0)) AS squared_latency,
    sum(sign * coalesce(cost_usd * cost_usd, 0)) AS squared_cost
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
JOIN rollup_state USING (workspace_id)
WHERE true AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, label_number, operation, status) DO UPDATE SET
    calls = label_totals_hourly.calls + excluded.calls,
    errors = label_totals_hourly.errors + excluded.errors,
    timed_calls = label_totals_hourly.timed_calls + excluded.timed_calls,
    latency_ms = label_totals_hourly.latency_ms + excluded.latency_ms,
    priced_calls = label_totals_hourly.priced_calls + excluded.priced_calls,
    cost_usd = label_totals_hourly.cost_usd + excluded.cost_usd,
    input_tokens = label_totals_hourly.input_tokens + excluded.input_tokens,
    output_tokens = label_totals_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = label_totals_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = label_totals_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = label_totals_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = label_totals_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = label_totals_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = label_totals_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = label_totals_hourly.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = label_totals_hourly.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = label_totals_hourly.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = label_totals_hourly.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = label_totals_hourly.squared_latency + excluded.squared_latency,
    squared_cost = label_totals_hourly.squared_cost + excluded.squared_cost;

INSERT INTO label_totals_daily (
    workspace_id,
    bucket,
    label_number,
    operation,
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
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    operation,
    status,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM label_totals_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, label_number, operation, status) DO UPDATE SET
    calls = label_totals_daily.calls + excluded.calls,
    errors = label_totals_daily.errors + excluded.errors,
    timed_calls = label_totals_daily.timed_calls + excluded.timed_calls,
    latency_ms = label_totals_daily.latency_ms + excluded.latency_ms,
    priced_calls = label_totals_daily.priced_calls + excluded.priced_calls,
    cost_usd = label_totals_daily.cost_usd + excluded.cost_usd,
    input_tokens = label_totals_daily.input_tokens + excluded.input_tokens,
    output_tokens = label_totals_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = label_totals_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = label_totals_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = label_totals_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = label_totals_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = label_totals_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = label_totals_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = label_totals_daily.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = label_totals_daily.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = label_totals_daily.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = label_totals_daily.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = label_totals_daily.squared_latency + excluded.squared_latency,
    squared_cost = label_totals_daily.squared_cost + excluded.squared_cost;

INSERT INTO label_calls_hourly (
    workspace_id,
    bucket,
    label_number,
    operation,
    agent_id,
    provider,
    model,
    environment,
    release,
    status,
    error_type,
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
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    coalesce(sum(CASE sign WHEN 1 THEN input_cost_usd ELSE -input_cost_usd END), 0) AS input_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN output_cost_usd ELSE -output_cost_usd END), 0) AS output_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_read_cost_usd ELSE -cache_read_cost_usd END), 0) AS cache_read_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN cache_write_cost_usd ELSE -cache_write_cost_usd END), 0) AS cache_write_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN audio_cost_usd ELSE -audio_cost_usd END), 0) AS audio_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN image_cost_usd ELSE -image_cost_usd END), 0) AS image_cost_usd,
    coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd,
    sum(sign * coalesce(cache_read_tokens, 0)) AS cache_read_tokens,
    sum(sign * coalesce(cache_write_tokens, 0)) AS cache_write_tokens,
    sum(sign * coalesce(reasoning_tokens, 0)) AS reasoning_tokens,
    sum(sign * coalesce(latency_ms * latency_ms, 0)) AS squared_latency,
    sum(sign * coalesce(cost_usd * cost_usd, 0)) AS squared_cost
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
JOIN rollup_state USING (workspace_id)
WHERE true AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type) DO UPDATE SET
    calls = label_calls_hourly.calls + excluded.calls,
    errors = label_calls_hourly.errors + excluded.errors,
    timed_calls = label_calls_hourly.timed_calls + excluded.timed_calls,
    latency_ms = label_calls_hourly.latency_ms + excluded.latency_ms,
    priced_calls = label_calls_hourly.priced_calls + excluded.priced_calls,
    cost_usd = label_calls_hourly.cost_usd + excluded.cost_usd,
    input_tokens = label_calls_hourly.input_tokens + excluded.input_tokens,
    output_tokens = label_calls_hourly.output_tokens + excluded.output_tokens,
    input_cost_usd = label_calls_hourly.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = label_calls_hourly.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = label_calls_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = label_calls_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = label_calls_hourly.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = label_calls_hourly.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = label_calls_hourly.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = label_calls_hourly.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = label_calls_hourly.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = label_calls_hourly.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = label_calls_hourly.squared_latency + excluded.squared_latency,
    squared_cost = label_calls_hourly.squared_cost + excluded.squared_cost;

INSERT INTO label_calls_daily (
    workspace_id,
    bucket,
    label_number,
    operation,
    agent_id,
    provider,
    model,
    environment,
    release,
    status,
    error_type,
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
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(audio_cost_usd) AS audio_cost_usd,
    sum(image_cost_usd) AS image_cost_usd,
    sum(search_cost_usd) AS search_cost_usd,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(squared_latency) AS squared_latency,
    sum(squared_cost) AS squared_cost
FROM label_calls_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type) DO UPDATE SET
    calls = label_calls_daily.calls + excluded.calls,
    errors = label_calls_daily.errors + excluded.errors,
    timed_calls = label_calls_daily.timed_calls + excluded.timed_calls,
    latency_ms = label_calls_daily.latency_ms + excluded.latency_ms,
    priced_calls = label_calls_daily.priced_calls + excluded.priced_calls,
    cost_usd = label_calls_daily.cost_usd + excluded.cost_usd,
    input_tokens = label_calls_daily.input_tokens + excluded.input_tokens,
    output_tokens = label_calls_daily.output_tokens + excluded.output_tokens,
    input_cost_usd = label_calls_daily.input_cost_usd + excluded.input_cost_usd,
    output_cost_usd = label_calls_daily.output_cost_usd + excluded.output_cost_usd,
    cache_read_cost_usd = label_calls_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
    cache_write_cost_usd = label_calls_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
    audio_cost_usd = label_calls_daily.audio_cost_usd + excluded.audio_cost_usd,
    image_cost_usd = label_calls_daily.image_cost_usd + excluded.image_cost_usd,
    search_cost_usd = label_calls_daily.search_cost_usd + excluded.search_cost_usd,
    cache_read_tokens = label_calls_daily.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = label_calls_daily.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = label_calls_daily.reasoning_tokens + excluded.reasoning_tokens,
    squared_latency = label_calls_daily.squared_latency + excluded.squared_latency,
    squared_cost = label_calls_daily.squared_cost + excluded.squared_cost;

INSERT INTO label_latency_hourly (
    workspace_id,
    bucket,
    label_number,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', timestamp) AS bucket,
        label_number,
        operation,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
    JOIN rollup_state USING (workspace_id)
    WHERE latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
    calls = label_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(label_latency_hourly.histogram, excluded.histogram);

INSERT INTO label_latency_daily (
    workspace_id,
    bucket,
    label_number,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        operation,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM label_latency_hourly
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
    calls = label_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(label_latency_daily.histogram, excluded.histogram);

INSERT INTO label_first_token_hourly (
    workspace_id,
    bucket,
    label_number,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', timestamp) AS bucket,
        label_number,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
    JOIN rollup_state USING (workspace_id)
    WHERE first_token_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
    calls = label_first_token_hourly.calls + excluded.calls,
    histogram = histogram_sum(label_first_token_hourly.histogram, excluded.histogram);

INSERT INTO label_first_token_daily (
    workspace_id,
    bucket,
    label_number,
    operation,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    label_number,
    operation,
    sum(calls) AS calls,
    array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        operation,
        first_token_bucket,
        sum(packed_calls) AS calls
    FROM label_first_token_hourly
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
    calls = label_first_token_daily.calls + excluded.calls,
    histogram = histogram_sum(label_first_token_daily.histogram, excluded.histogram);

INSERT INTO label_users_hourly (
    workspace_id,
    bucket,
    label_number,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    agent_id,
    user_number,
    sum(sign * 1) AS calls,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
JOIN rollup_state USING (workspace_id)
WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
    calls = label_users_hourly.calls + excluded.calls,
    priced_calls = label_users_hourly.priced_calls + excluded.priced_calls,
    cost_usd = label_users_hourly.cost_usd + excluded.cost_usd;

INSERT INTO label_users_daily (
    workspace_id,
    bucket,
    label_number,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    agent_id,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM label_users_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
    calls = label_users_daily.calls + excluded.calls,
    priced_calls = label_users_daily.priced_calls + excluded.priced_calls,
    cost_usd = label_users_daily.cost_usd + excluded.cost_usd;

INSERT INTO label_users_weekly (
    workspace_id,
    bucket,
    label_number,
    agent_id,
    user_number,
    calls,
    priced_calls,
    cost_usd
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    label_number,
    agent_id,
    user_number,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM label_users_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
    calls = label_users_weekly.calls + excluded.calls,
    priced_calls = label_users_weekly.priced_calls + excluded.priced_calls,
    cost_usd = label_users_weekly.cost_usd + excluded.cost_usd;

INSERT INTO label_user_errors_hourly (
    workspace_id,
    bucket,
    label_number,
    status,
    error_type,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    status,
    error_type,
    user_number,
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
JOIN rollup_state USING (workspace_id)
WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
    calls = label_user_errors_hourly.calls + excluded.calls;

INSERT INTO label_user_errors_daily (
    workspace_id,
    bucket,
    label_number,
    status,
    error_type,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    status,
    error_type,
    user_number,
    sum(calls) AS calls
FROM label_user_errors_hourly
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
    calls = label_user_errors_daily.calls + excluded.calls;

INSERT INTO label_user_errors_weekly (
    workspace_id,
    bucket,
    label_number,
    status,
    error_type,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    label_number,
    status,
    error_type,
    user_number,
    sum(calls) AS calls
FROM label_user_errors_hourly
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
    calls = label_user_errors_weekly.calls + excluded.calls;

INSERT INTO tools_hourly (
    workspace_id,
    bucket,
    tool,
    agent_id,
    environment,
    release,
    status,
    error_type,
    operation,
    provider,
    model,
    calls,
    errors,
    timed_calls,
    latency_ms
)
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
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE operation = 'execute_tool' AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model) DO UPDATE SET
    calls = tools_hourly.calls + excluded.calls,
    errors = tools_hourly.errors + excluded.errors,
    timed_calls = tools_hourly.timed_calls + excluded.timed_calls,
    latency_ms = tools_hourly.latency_ms + excluded.latency_ms;

INSERT INTO tools_daily (
    workspace_id,
    bucket,
    tool,
    agent_id,
    environment,
    release,
    status,
    error_type,
    operation,
    provider,
    model,
    calls,
    errors,
    timed_calls,
    latency_ms
)
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
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms
FROM tools_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model) DO UPDATE SET
    calls = tools_daily.calls + excluded.calls,
    errors = tools_daily.errors + excluded.errors,
    timed_calls = tools_daily.timed_calls + excluded.timed_calls,
    latency_ms = tools_daily.latency_ms + excluded.latency_ms;

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        operation,
        provider,
        model,
        tool,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, operation, provider, model, tool) DO UPDATE SET
    calls = tool_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(tool_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO tool_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        operation,
        provider,
        model,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, operation, provider, model, tool) DO UPDATE SET
    calls = tool_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(tool_latency_hourly.histogram, excluded.histogram);

INSERT INTO tool_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        operation,
        provider,
        model,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, operation, provider, model, tool) DO UPDATE SET
    calls = tool_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(tool_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        agent_id,
        tool,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, tool) DO UPDATE SET
    calls = tool_agent_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(tool_agent_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO tool_agent_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        agent_id,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_agent_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, tool) DO UPDATE SET
    calls = tool_agent_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(tool_agent_latency_hourly.histogram, excluded.histogram);

INSERT INTO tool_agent_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        agent_id,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_agent_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, agent_id, tool) DO UPDATE SET
    calls = tool_agent_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(tool_agent_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        environment,
        release,
        tool,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, tool) DO UPDATE SET
    calls = tool_place_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(tool_place_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO tool_place_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        environment,
        release,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_place_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, tool) DO UPDATE SET
    calls = tool_place_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(tool_place_latency_hourly.histogram, excluded.histogram);

INSERT INTO tool_place_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_place_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, environment, release, tool) DO UPDATE SET
    calls = tool_place_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(tool_place_latency_daily.histogram, excluded.histogram);

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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        status,
        error_type,
        tool,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    JOIN rollup_state USING (workspace_id)
    WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, tool) DO UPDATE SET
    calls = tool_status_latency_ten_minutely.calls + excluded.calls,
    histogram = histogram_sum(tool_status_latency_ten_minutely.histogram, excluded.histogram);

INSERT INTO tool_status_latency_hourly (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', bucket) AS bucket,
        status,
        error_type,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_status_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, tool) DO UPDATE SET
    calls = tool_status_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(tool_status_latency_hourly.histogram, excluded.histogram);

INSERT INTO tool_status_latency_daily (
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
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        status,
        error_type,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM tool_status_latency_ten_minutely
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5, 6
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, tool) DO UPDATE SET
    calls = tool_status_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(tool_status_latency_daily.histogram, excluded.histogram);

INSERT INTO label_tools_hourly (
    workspace_id,
    bucket,
    label_number,
    tool,
    calls,
    errors,
    timed_calls,
    latency_ms
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    label_number,
    tool,
    sum(sign * 1) AS calls,
    sum(sign * (status <> 'success')::integer) AS errors,
    sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
    sum(sign * coalesce(latency_ms, 0)) AS latency_ms
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
JOIN rollup_state USING (workspace_id)
WHERE operation = 'execute_tool' AND timestamp < followed_until
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
    calls = label_tools_hourly.calls + excluded.calls,
    errors = label_tools_hourly.errors + excluded.errors,
    timed_calls = label_tools_hourly.timed_calls + excluded.timed_calls,
    latency_ms = label_tools_hourly.latency_ms + excluded.latency_ms;

INSERT INTO label_tools_daily (
    workspace_id,
    bucket,
    label_number,
    tool,
    calls,
    errors,
    timed_calls,
    latency_ms
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    label_number,
    tool,
    sum(calls) AS calls,
    sum(errors) AS errors,
    sum(timed_calls) AS timed_calls,
    sum(latency_ms) AS latency_ms
FROM label_tools_hourly
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
    calls = label_tools_daily.calls + excluded.calls,
    errors = label_tools_daily.errors + excluded.errors,
    timed_calls = label_tools_daily.timed_calls + excluded.timed_calls,
    latency_ms = label_tools_daily.latency_ms + excluded.latency_ms;

INSERT INTO label_tool_latency_hourly (
    workspace_id,
    bucket,
    label_number,
    tool,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    label_number,
    tool,
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('1 hour', timestamp) AS bucket,
        label_number,
        tool,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM (
        SELECT
            workspace_id,
            timestamp,
            operation,
            environment,
            release,
            status,
            agent_id,
            provider,
            model,
            error_type,
            user_number,
            tool,
            session_id,
            latency_ms,
            cost_usd,
            input_cost_usd,
            output_cost_usd,
            cache_read_cost_usd,
            cache_write_cost_usd,
            audio_cost_usd,
            image_cost_usd,
            search_cost_usd,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(latency_ms) AS latency_bucket,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
    ) AS stored
    CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
    JOIN rollup_state USING (workspace_id)
    WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL AND timestamp < followed_until
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
    calls = label_tool_latency_hourly.calls + excluded.calls,
    histogram = histogram_sum(label_tool_latency_hourly.histogram, excluded.histogram);

INSERT INTO label_tool_latency_daily (
    workspace_id,
    bucket,
    label_number,
    tool,
    calls,
    histogram
)
SELECT
    workspace_id,
    bucket,
    label_number,
    tool,
    sum(calls) AS calls,
    array_agg(latency_bucket) || array_agg(calls::integer) AS histogram
FROM (
    SELECT
        workspace_id,
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        tool,
        latency_bucket,
        sum(packed_calls) AS calls
    FROM label_tool_latency_hourly
    CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
    GROUP BY 1, 2, 3, 4, 5
) AS by_value
WHERE calls <> 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
    calls = label_tool_latency_daily.calls + excluded.calls,
    histogram = histogram_sum(label_tool_latency_daily.histogram, excluded.histogram);

INSERT INTO user_errors_hourly (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    status,
    error_type,
    agent_id,
    user_number,
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
    calls = user_errors_hourly.calls + excluded.calls;

INSERT INTO user_errors_daily (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    user_number,
    sum(calls) AS calls
FROM user_errors_hourly
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
    calls = user_errors_daily.calls + excluded.calls;

INSERT INTO user_errors_weekly (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    user_number,
    calls
)
SELECT
    workspace_id,
    time_bucket('168 hours', bucket) AS bucket,
    status,
    error_type,
    agent_id,
    user_number,
    sum(calls) AS calls
FROM user_errors_hourly
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
    calls = user_errors_weekly.calls + excluded.calls;

INSERT INTO user_failures_hourly (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    environment,
    release,
    operation,
    provider,
    model,
    user_number,
    calls
)
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
    sum(sign * 1) AS calls
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
    calls = user_failures_hourly.calls + excluded.calls;

INSERT INTO user_failures_daily (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    environment,
    release,
    operation,
    provider,
    model,
    user_number,
    calls
)
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
    sum(calls) AS calls
FROM user_failures_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
    calls = user_failures_daily.calls + excluded.calls;

INSERT INTO user_failures_weekly (
    workspace_id,
    bucket,
    status,
    error_type,
    agent_id,
    environment,
    release,
    operation,
    provider,
    model,
    user_number,
    calls
)
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
    sum(calls) AS calls
FROM user_failures_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
    calls = user_failures_weekly.calls + excluded.calls;

INSERT INTO sessions_hourly (
    workspace_id,
    bucket,
    session_id,
    user_number,
    agent_id,
    environment,
    release,
    calls,
    model_calls,
    errors,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    traces,
    duration_ms
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    session_id,
    user_number,
    agent_id,
    environment,
    release,
    sum(sign * 1) AS calls,
    sum(sign * (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings'))::integer) AS model_calls,
    sum(sign * (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND status <> 'success')::integer) AS errors,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    sum(sign * (parent_span_id IS NULL)::integer) AS traces,
    sum(sign * CASE WHEN parent_span_id IS NULL THEN coalesce(latency_ms, 0) ELSE 0 END) AS duration_ms
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE session_id IS NOT NULL AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, session_id, user_number, agent_id, environment, release) DO UPDATE SET
    calls = sessions_hourly.calls + excluded.calls,
    model_calls = sessions_hourly.model_calls + excluded.model_calls,
    errors = sessions_hourly.errors + excluded.errors,
    priced_calls = sessions_hourly.priced_calls + excluded.priced_calls,
    cost_usd = sessions_hourly.cost_usd + excluded.cost_usd,
    input_tokens = sessions_hourly.input_tokens + excluded.input_tokens,
    output_tokens = sessions_hourly.output_tokens + excluded.output_tokens,
    traces = sessions_hourly.traces + excluded.traces,
    duration_ms = sessions_hourly.duration_ms + excluded.duration_ms;

INSERT INTO sessions_daily (
    workspace_id,
    bucket,
    session_id,
    user_number,
    agent_id,
    environment,
    release,
    calls,
    model_calls,
    errors,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    traces,
    duration_ms
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    session_id,
    user_number,
    agent_id,
    environment,
    release,
    sum(calls) AS calls,
    sum(model_calls) AS model_calls,
    sum(errors) AS errors,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(traces) AS traces,
    sum(duration_ms) AS duration_ms
FROM sessions_hourly
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, bucket, session_id, user_number, agent_id, environment, release) DO UPDATE SET
    calls = sessions_daily.calls + excluded.calls,
    model_calls = sessions_daily.model_calls + excluded.model_calls,
    errors = sessions_daily.errors + excluded.errors,
    priced_calls = sessions_daily.priced_calls + excluded.priced_calls,
    cost_usd = sessions_daily.cost_usd + excluded.cost_usd,
    input_tokens = sessions_daily.input_tokens + excluded.input_tokens,
    output_tokens = sessions_daily.output_tokens + excluded.output_tokens,
    traces = sessions_daily.traces + excluded.traces,
    duration_ms = sessions_daily.duration_ms + excluded.duration_ms;

INSERT INTO session_totals_hourly (
    workspace_id,
    bucket,
    agent_id,
    environment,
    release,
    calls,
    model_calls,
    errors,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    traces,
    duration_ms
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp) AS bucket,
    agent_id,
    environment,
    release,
    sum(sign * 1) AS calls,
    sum(sign * (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings'))::integer) AS model_calls,
    sum(sign * (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND status <> 'success')::integer) AS errors,
    sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
    coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd,
    sum(sign * coalesce(input_tokens, 0)) AS input_tokens,
    sum(sign * coalesce(output_tokens, 0)) AS output_tokens,
    sum(sign * (parent_span_id IS NULL)::integer) AS traces,
    sum(sign * CASE WHEN parent_span_id IS NULL THEN coalesce(latency_ms, 0) ELSE 0 END) AS duration_ms
FROM (
    SELECT
        workspace_id,
        timestamp,
        operation,
        environment,
        release,
        status,
        agent_id,
        provider,
        model,
        error_type,
        user_number,
        tool,
        session_id,
        latency_ms,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        first_token_ms,
        parent_span_id,
        label_numbers,
        latency_bucket(latency_ms) AS latency_bucket,
        latency_bucket(first_token_ms) AS first_token_bucket,
        user_number / 1024 AS user_range,
        1 AS sign
    FROM traces
) AS stored
JOIN rollup_state USING (workspace_id)
WHERE session_id IS NOT NULL AND timestamp < followed_until
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, agent_id, environment, release) DO UPDATE SET
    calls = session_totals_hourly.calls + excluded.calls,
    model_calls = session_totals_hourly.model_calls + excluded.model_calls,
    errors = session_totals_hourly.errors + excluded.errors,
    priced_calls = session_totals_hourly.priced_calls + excluded.priced_calls,
    cost_usd = session_totals_hourly.cost_usd + excluded.cost_usd,
    input_tokens = session_totals_hourly.input_tokens + excluded.input_tokens,
    output_tokens = session_totals_hourly.output_tokens + excluded.output_tokens,
    traces = session_totals_hourly.traces + excluded.traces,
    duration_ms = session_totals_hourly.duration_ms + excluded.duration_ms;

INSERT INTO session_totals_daily (
    workspace_id,
    bucket,
    agent_id,
    environment,
    release,
    calls,
    model_calls,
    errors,
    priced_calls,
    cost_usd,
    input_tokens,
    output_tokens,
    traces,
    duration_ms
)
SELECT
    workspace_id,
    time_bucket('24 hours', bucket) AS bucket,
    agent_id,
    environment,
    release,
    sum(calls) AS calls,
    sum(model_calls) AS model_calls,
    sum(errors) AS errors,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(traces) AS traces,
    sum(duration_ms) AS duration_ms
FROM session_totals_hourly
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, agent_id, environment, release) DO UPDATE SET
    calls = session_totals_daily.calls + excluded.calls,
    model_calls = session_totals_daily.model_calls + excluded.model_calls,
    errors = session_totals_daily.errors + excluded.errors,
    priced_calls = session_totals_daily.priced_calls + excluded.priced_calls,
    cost_usd = session_totals_daily.cost_usd + excluded.cost_usd,
    input_tokens = session_totals_daily.input_tokens + excluded.input_tokens,
    output_tokens = session_totals_daily.output_tokens + excluded.output_tokens,
    traces = session_totals_daily.traces + excluded.traces,
    duration_ms = session_totals_daily.duration_ms + excluded.duration_ms
