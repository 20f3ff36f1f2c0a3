-- Compares user_places with the rows of a day.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH stored_rows AS (
    SELECT *
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
            environment,
            release,
            tool,
            session_id,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            first_token_ms,
            parent_span_id,
            label_numbers,
            latency_bucket(first_token_ms) AS first_token_bucket,
            user_number / 1024 AS user_range,
            1 AS sign
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND timestamp >= %(start)s AND timestamp < %(end)s
            AND timestamp >= {user_places_rows_since} AND timestamp < {user_places_rows_until}
    ) AS stored
), summed AS (
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
    FROM stored_rows
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'user_places_hourly' AS name,
        bucket,
        jsonb_build_object('environment', environment, 'release', release, 'status', status, 'error_type', error_type, 'agent_id', agent_id, 'user_number', user_number) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.status, of_rows.status) AS status,
            coalesce(stored.error_type, of_rows.error_type) AS error_type,
            coalesce(stored.agent_id, of_rows.agent_id) AS agent_id,
            coalesce(stored.user_number, of_rows.user_number) AS user_number,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd
        FROM (
            SELECT
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
            FROM {user_places_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {user_places_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, environment, release, status, error_type, agent_id, user_number, calls, priced_calls, cost_usd
            FROM summed
            WHERE bucket < {user_places_hourly_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
            AND coalesce(stored.status, '') = coalesce(of_rows.status, '') AND (stored.status IS NULL) = (of_rows.status IS NULL)
            AND coalesce(stored.error_type, '') = coalesce(of_rows.error_type, '') AND (stored.error_type IS NULL) = (of_rows.error_type IS NULL)
            AND coalesce(stored.agent_id, '') = coalesce(of_rows.agent_id, '') AND (stored.agent_id IS NULL) = (of_rows.agent_id IS NULL)
            AND coalesce(stored.user_number, -1) = coalesce(of_rows.user_number, -1)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
    UNION ALL
    SELECT
        'user_places_daily' AS name,
        bucket,
        jsonb_build_object('environment', environment, 'release', release, 'status', status, 'error_type', error_type, 'agent_id', agent_id, 'user_number', user_number) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.status, of_rows.status) AS status,
            coalesce(stored.error_type, of_rows.error_type) AS error_type,
            coalesce(stored.agent_id, of_rows.agent_id) AS agent_id,
            coalesce(stored.user_number, of_rows.user_number) AS user_number,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd
        FROM (
            SELECT
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
            FROM {user_places_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {user_places_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
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
            FROM summed
            WHERE bucket >= {user_places_daily_since} AND bucket < {user_places_daily_until}
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
            AND coalesce(stored.status, '') = coalesce(of_rows.status, '') AND (stored.status IS NULL) = (of_rows.status IS NULL)
            AND coalesce(stored.error_type, '') = coalesce(of_rows.error_type, '') AND (stored.error_type IS NULL) = (of_rows.error_type IS NULL)
            AND coalesce(stored.agent_id, '') = coalesce(of_rows.agent_id, '') AND (stored.agent_id IS NULL) = (of_rows.agent_id IS NULL)
            AND coalesce(stored.user_number, -1) = coalesce(of_rows.user_number, -1)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
