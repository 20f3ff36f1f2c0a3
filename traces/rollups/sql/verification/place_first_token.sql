-- Compares place_first_token with the rows of a day.
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
            AND timestamp >= {place_first_token_rows_since} AND timestamp < {place_first_token_rows_until}
    ) AS stored
), summed AS (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        environment,
        release,
        operation,
        first_token_bucket,
        sum(sign * 1) AS calls
    FROM stored_rows
    WHERE first_token_ms IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'place_first_token_ten_minutely' AS name,
        bucket,
        jsonb_build_object('environment', environment, 'release', release, 'operation', operation, 'first_token_bucket', first_token_bucket) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.operation, of_rows.operation) AS operation,
            coalesce(stored.first_token_bucket, of_rows.first_token_bucket) AS first_token_bucket,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls
        FROM (
            SELECT
                bucket,
                environment,
                release,
                operation,
                first_token_bucket,
                calls
            FROM {place_first_token_ten_minutely}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {place_first_token_ten_minutely_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, environment, release, operation, first_token_bucket, calls
            FROM summed
            WHERE bucket < {place_first_token_ten_minutely_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
            AND coalesce(stored.operation, '') = coalesce(of_rows.operation, '') AND (stored.operation IS NULL) = (of_rows.operation IS NULL)
            AND stored.first_token_bucket = of_rows.first_token_bucket
    ) AS both_sides
    WHERE stored_calls <> rows_calls
    UNION ALL
    SELECT
        'place_first_token_hourly' AS name,
        bucket,
        jsonb_build_object('environment', environment, 'release', release, 'operation', operation, 'first_token_bucket', first_token_bucket) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.operation, of_rows.operation) AS operation,
            coalesce(stored.first_token_bucket, of_rows.first_token_bucket) AS first_token_bucket,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls
        FROM (
            SELECT
                bucket,
                environment,
                release,
                operation,
                first_token_bucket,
                calls
            FROM {place_first_token_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {place_first_token_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT
                time_bucket('1 hour', bucket) AS bucket,
                environment,
                release,
                operation,
                first_token_bucket,
                sum(calls) AS calls
            FROM summed
            WHERE bucket >= {place_first_token_hourly_since} AND bucket < {place_first_token_hourly_until}
            GROUP BY 1, 2, 3, 4, 5
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
            AND coalesce(stored.operation, '') = coalesce(of_rows.operation, '') AND (stored.operation IS NULL) = (of_rows.operation IS NULL)
            AND stored.first_token_bucket = of_rows.first_token_bucket
    ) AS both_sides
    WHERE stored_calls <> rows_calls
    UNION ALL
    SELECT
        'place_first_token_daily' AS name,
        bucket,
        jsonb_build_object('environment', environment, 'release', release, 'operation', operation, 'first_token_bucket', first_token_bucket) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.operation, of_rows.operation) AS operation,
            coalesce(stored.first_token_bucket, of_rows.first_token_bucket) AS first_token_bucket,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls
        FROM (
            SELECT
                bucket,
                environment,
                release,
                operation,
                first_token_bucket,
                calls
            FROM {place_first_token_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {place_first_token_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
                time_bucket('24 hours', bucket) AS bucket,
                environment,
                release,
                operation,
                first_token_bucket,
                sum(calls) AS calls
            FROM summed
            WHERE bucket >= {place_first_token_daily_since} AND bucket < {place_first_token_daily_until}
            GROUP BY 1, 2, 3, 4, 5
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
            AND coalesce(stored.operation, '') = coalesce(of_rows.operation, '') AND (stored.operation IS NULL) = (of_rows.operation IS NULL)
            AND stored.first_token_bucket = of_rows.first_token_bucket
    ) AS both_sides
    WHERE stored_calls <> rows_calls
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
