-- Compares totals with the rows of a day.
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
            1 AS sign
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND timestamp >= %(start)s AND timestamp < %(end)s
            AND timestamp >= {totals_rows_since} AND timestamp < {totals_rows_until}
    ) AS stored
), summed AS (
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
    FROM stored_rows
    GROUP BY 1, 2, 3, 4
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'totals_minutely' AS name,
        bucket,
        jsonb_build_object('operation', operation, 'status', status) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END
        )) AS measures
    FROM (
        SELECT
            bucket,
            operation,
            status,
            coalesce(sum(calls) FILTER (WHERE is_stored), 0) AS stored_calls,
            coalesce(sum(calls) FILTER (WHERE NOT is_stored), 0) AS rows_calls,
            coalesce(sum(errors) FILTER (WHERE is_stored), 0) AS stored_errors,
            coalesce(sum(errors) FILTER (WHERE NOT is_stored), 0) AS rows_errors,
            coalesce(sum(timed_calls) FILTER (WHERE is_stored), 0) AS stored_timed_calls,
            coalesce(sum(timed_calls) FILTER (WHERE NOT is_stored), 0) AS rows_timed_calls,
            coalesce(sum(latency_ms) FILTER (WHERE is_stored), 0) AS stored_latency_ms,
            coalesce(sum(latency_ms) FILTER (WHERE NOT is_stored), 0) AS rows_latency_ms,
            coalesce(sum(priced_calls) FILTER (WHERE is_stored), 0) AS stored_priced_calls,
            coalesce(sum(priced_calls) FILTER (WHERE NOT is_stored), 0) AS rows_priced_calls,
            coalesce(sum(cost_usd) FILTER (WHERE is_stored), 0) AS stored_cost_usd,
            coalesce(sum(cost_usd) FILTER (WHERE NOT is_stored), 0) AS rows_cost_usd,
            coalesce(sum(input_tokens) FILTER (WHERE is_stored), 0) AS stored_input_tokens,
            coalesce(sum(input_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_input_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE is_stored), 0) AS stored_output_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_output_tokens
        FROM (
            SELECT true AS is_stored, bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM {totals_minutely}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {totals_minutely_until}
            UNION ALL
            SELECT false AS is_stored, bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM summed
            WHERE bucket < {totals_minutely_until}
        ) AS both_sides
        GROUP BY 1, 2, 3
    ) AS sums
    UNION ALL
    SELECT
        'totals_hourly' AS name,
        bucket,
        jsonb_build_object('operation', operation, 'status', status) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END
        )) AS measures
    FROM (
        SELECT
            bucket,
            operation,
            status,
            coalesce(sum(calls) FILTER (WHERE is_stored), 0) AS stored_calls,
            coalesce(sum(calls) FILTER (WHERE NOT is_stored), 0) AS rows_calls,
            coalesce(sum(errors) FILTER (WHERE is_stored), 0) AS stored_errors,
            coalesce(sum(errors) FILTER (WHERE NOT is_stored), 0) AS rows_errors,
            coalesce(sum(timed_calls) FILTER (WHERE is_stored), 0) AS stored_timed_calls,
            coalesce(sum(timed_calls) FILTER (WHERE NOT is_stored), 0) AS rows_timed_calls,
            coalesce(sum(latency_ms) FILTER (WHERE is_stored), 0) AS stored_latency_ms,
            coalesce(sum(latency_ms) FILTER (WHERE NOT is_stored), 0) AS rows_latency_ms,
            coalesce(sum(priced_calls) FILTER (WHERE is_stored), 0) AS stored_priced_calls,
            coalesce(sum(priced_calls) FILTER (WHERE NOT is_stored), 0) AS rows_priced_calls,
            coalesce(sum(cost_usd) FILTER (WHERE is_stored), 0) AS stored_cost_usd,
            coalesce(sum(cost_usd) FILTER (WHERE NOT is_stored), 0) AS rows_cost_usd,
            coalesce(sum(input_tokens) FILTER (WHERE is_stored), 0) AS stored_input_tokens,
            coalesce(sum(input_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_input_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE is_stored), 0) AS stored_output_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_output_tokens
        FROM (
            SELECT true AS is_stored, bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM {totals_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {totals_hourly_until}
            UNION ALL
            SELECT false AS is_stored, time_bucket('1 hour', bucket) AS bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM summed
            WHERE bucket >= {totals_hourly_since} AND bucket < {totals_hourly_until}
        ) AS both_sides
        GROUP BY 1, 2, 3
    ) AS sums
    UNION ALL
    SELECT
        'totals_daily' AS name,
        bucket,
        jsonb_build_object('operation', operation, 'status', status) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END
        )) AS measures
    FROM (
        SELECT
            bucket,
            operation,
            status,
            coalesce(sum(calls) FILTER (WHERE is_stored), 0) AS stored_calls,
            coalesce(sum(calls) FILTER (WHERE NOT is_stored), 0) AS rows_calls,
            coalesce(sum(errors) FILTER (WHERE is_stored), 0) AS stored_errors,
            coalesce(sum(errors) FILTER (WHERE NOT is_stored), 0) AS rows_errors,
            coalesce(sum(timed_calls) FILTER (WHERE is_stored), 0) AS stored_timed_calls,
            coalesce(sum(timed_calls) FILTER (WHERE NOT is_stored), 0) AS rows_timed_calls,
            coalesce(sum(latency_ms) FILTER (WHERE is_stored), 0) AS stored_latency_ms,
            coalesce(sum(latency_ms) FILTER (WHERE NOT is_stored), 0) AS rows_latency_ms,
            coalesce(sum(priced_calls) FILTER (WHERE is_stored), 0) AS stored_priced_calls,
            coalesce(sum(priced_calls) FILTER (WHERE NOT is_stored), 0) AS rows_priced_calls,
            coalesce(sum(cost_usd) FILTER (WHERE is_stored), 0) AS stored_cost_usd,
            coalesce(sum(cost_usd) FILTER (WHERE NOT is_stored), 0) AS rows_cost_usd,
            coalesce(sum(input_tokens) FILTER (WHERE is_stored), 0) AS stored_input_tokens,
            coalesce(sum(input_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_input_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE is_stored), 0) AS stored_output_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_output_tokens
        FROM (
            SELECT true AS is_stored, bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM {totals_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {totals_daily_until}
            UNION ALL
            SELECT false AS is_stored, time_bucket('24 hours', bucket) AS bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM summed
            WHERE bucket >= {totals_daily_since} AND bucket < {totals_daily_until}
        ) AS both_sides
        GROUP BY 1, 2, 3
    ) AS sums
) AS compared
WHERE measures <> '{{}}'
ORDER BY bucket, name
LIMIT %(limit)s
