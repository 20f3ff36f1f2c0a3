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
            user_number / 1024 AS user_range,
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
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.operation, of_rows.operation) AS operation,
            coalesce(stored.status, of_rows.status) AS status,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.timed_calls, 0) AS stored_timed_calls,
            coalesce(of_rows.timed_calls, 0) AS rows_timed_calls,
            coalesce(stored.latency_ms, 0) AS stored_latency_ms,
            coalesce(of_rows.latency_ms, 0) AS rows_latency_ms,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd,
            coalesce(stored.input_tokens, 0) AS stored_input_tokens,
            coalesce(of_rows.input_tokens, 0) AS rows_input_tokens,
            coalesce(stored.output_tokens, 0) AS stored_output_tokens,
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens
        FROM (
            SELECT
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
            FROM {totals_minutely}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {totals_minutely_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens
            FROM summed
            WHERE bucket < {totals_minutely_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.operation, '') = coalesce(of_rows.operation, '') AND (stored.operation IS NULL) = (of_rows.operation IS NULL)
            AND coalesce(stored.status, '') = coalesce(of_rows.status, '') AND (stored.status IS NULL) = (of_rows.status IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_errors <> rows_errors
        OR stored_timed_calls <> rows_timed_calls
        OR abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms))
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
        OR stored_input_tokens <> rows_input_tokens
        OR stored_output_tokens <> rows_output_tokens
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
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.operation, of_rows.operation) AS operation,
            coalesce(stored.status, of_rows.status) AS status,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.timed_calls, 0) AS stored_timed_calls,
            coalesce(of_rows.timed_calls, 0) AS rows_timed_calls,
            coalesce(stored.latency_ms, 0) AS stored_latency_ms,
            coalesce(of_rows.latency_ms, 0) AS rows_latency_ms,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd,
            coalesce(stored.input_tokens, 0) AS stored_input_tokens,
            coalesce(of_rows.input_tokens, 0) AS rows_input_tokens,
            coalesce(stored.output_tokens, 0) AS stored_output_tokens,
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens
        FROM (
            SELECT
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
            FROM {totals_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {totals_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT
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
            FROM summed
            WHERE bucket >= {totals_hourly_since} AND bucket < {totals_hourly_until}
            GROUP BY 1, 2, 3
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.operation, '') = coalesce(of_rows.operation, '') AND (stored.operation IS NULL) = (of_rows.operation IS NULL)
            AND coalesce(stored.status, '') = coalesce(of_rows.status, '') AND (stored.status IS NULL) = (of_rows.status IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_errors <> rows_errors
        OR stored_timed_calls <> rows_timed_calls
        OR abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms))
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
        OR stored_input_tokens <> rows_input_tokens
        OR stored_output_tokens <> rows_output_tokens
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
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.operation, of_rows.operation) AS operation,
            coalesce(stored.status, of_rows.status) AS status,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.timed_calls, 0) AS stored_timed_calls,
            coalesce(of_rows.timed_calls, 0) AS rows_timed_calls,
            coalesce(stored.latency_ms, 0) AS stored_latency_ms,
            coalesce(of_rows.latency_ms, 0) AS rows_latency_ms,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd,
            coalesce(stored.input_tokens, 0) AS stored_input_tokens,
            coalesce(of_rows.input_tokens, 0) AS rows_input_tokens,
            coalesce(stored.output_tokens, 0) AS stored_output_tokens,
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens
        FROM (
            SELECT
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
            FROM {totals_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {totals_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
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
            FROM summed
            WHERE bucket >= {totals_daily_since} AND bucket < {totals_daily_until}
            GROUP BY 1, 2, 3
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.operation, '') = coalesce(of_rows.operation, '') AND (stored.operation IS NULL) = (of_rows.operation IS NULL)
            AND coalesce(stored.status, '') = coalesce(of_rows.status, '') AND (stored.status IS NULL) = (of_rows.status IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_errors <> rows_errors
        OR stored_timed_calls <> rows_timed_calls
        OR abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms))
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
        OR stored_input_tokens <> rows_input_tokens
        OR stored_output_tokens <> rows_output_tokens
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
