-- Compares label_tools with the rows of a day.
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
            AND timestamp >= {label_tools_rows_since} AND timestamp < {label_tools_rows_until}
    ) AS stored
    CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
), summed AS (
    SELECT
        workspace_id,
        time_bucket('1 hour', timestamp) AS bucket,
        label_number,
        tool,
        sum(sign * 1) AS calls,
        sum(sign * (status <> 'success')::integer) AS errors,
        sum(sign * (latency_ms IS NOT NULL)::integer) AS timed_calls,
        sum(sign * coalesce(latency_ms, 0)) AS latency_ms
    FROM stored_rows
    WHERE operation = 'execute_tool'
    GROUP BY 1, 2, 3, 4
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'label_tools_hourly' AS name,
        bucket,
        jsonb_build_object('label_number', label_number, 'tool', tool) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.label_number, of_rows.label_number) AS label_number,
            coalesce(stored.tool, of_rows.tool) AS tool,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.timed_calls, 0) AS stored_timed_calls,
            coalesce(of_rows.timed_calls, 0) AS rows_timed_calls,
            coalesce(stored.latency_ms, 0) AS stored_latency_ms,
            coalesce(of_rows.latency_ms, 0) AS rows_latency_ms
        FROM (
            SELECT
                bucket,
                label_number,
                tool,
                calls,
                errors,
                timed_calls,
                latency_ms
            FROM {label_tools_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {label_tools_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, label_number, tool, calls, errors, timed_calls, latency_ms
            FROM summed
            WHERE bucket < {label_tools_hourly_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND stored.label_number = of_rows.label_number
            AND coalesce(stored.tool, '') = coalesce(of_rows.tool, '') AND (stored.tool IS NULL) = (of_rows.tool IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_errors <> rows_errors
        OR stored_timed_calls <> rows_timed_calls
        OR abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms))
    UNION ALL
    SELECT
        'label_tools_daily' AS name,
        bucket,
        jsonb_build_object('label_number', label_number, 'tool', tool) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.label_number, of_rows.label_number) AS label_number,
            coalesce(stored.tool, of_rows.tool) AS tool,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.timed_calls, 0) AS stored_timed_calls,
            coalesce(of_rows.timed_calls, 0) AS rows_timed_calls,
            coalesce(stored.latency_ms, 0) AS stored_latency_ms,
            coalesce(of_rows.latency_ms, 0) AS rows_latency_ms
        FROM (
            SELECT
                bucket,
                label_number,
                tool,
                calls,
                errors,
                timed_calls,
                latency_ms
            FROM {label_tools_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {label_tools_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
                time_bucket('24 hours', bucket) AS bucket,
                label_number,
                tool,
                sum(calls) AS calls,
                sum(errors) AS errors,
                sum(timed_calls) AS timed_calls,
                sum(latency_ms) AS latency_ms
            FROM summed
            WHERE bucket >= {label_tools_daily_since} AND bucket < {label_tools_daily_until}
            GROUP BY 1, 2, 3
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND stored.label_number = of_rows.label_number
            AND coalesce(stored.tool, '') = coalesce(of_rows.tool, '') AND (stored.tool IS NULL) = (of_rows.tool IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_errors <> rows_errors
        OR stored_timed_calls <> rows_timed_calls
        OR abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms))
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
