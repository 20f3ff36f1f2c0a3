-- Compares label_totals with the rows of a day.
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
            AND timestamp >= {label_totals_rows_since} AND timestamp < {label_totals_rows_until}
    ) AS stored
    CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
), summed AS (
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
    FROM stored_rows
    GROUP BY 1, 2, 3, 4, 5
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'label_totals_hourly' AS name,
        bucket,
        jsonb_build_object('label_number', label_number, 'operation', operation, 'status', status) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END,
            'input_cost_usd', CASE WHEN stored_input_cost_usd <> rows_input_cost_usd THEN jsonb_build_array(stored_input_cost_usd, rows_input_cost_usd) END,
            'output_cost_usd', CASE WHEN stored_output_cost_usd <> rows_output_cost_usd THEN jsonb_build_array(stored_output_cost_usd, rows_output_cost_usd) END,
            'cache_read_cost_usd', CASE WHEN stored_cache_read_cost_usd <> rows_cache_read_cost_usd THEN jsonb_build_array(stored_cache_read_cost_usd, rows_cache_read_cost_usd) END,
            'cache_write_cost_usd', CASE WHEN stored_cache_write_cost_usd <> rows_cache_write_cost_usd THEN jsonb_build_array(stored_cache_write_cost_usd, rows_cache_write_cost_usd) END,
            'audio_cost_usd', CASE WHEN stored_audio_cost_usd <> rows_audio_cost_usd THEN jsonb_build_array(stored_audio_cost_usd, rows_audio_cost_usd) END,
            'image_cost_usd', CASE WHEN stored_image_cost_usd <> rows_image_cost_usd THEN jsonb_build_array(stored_image_cost_usd, rows_image_cost_usd) END,
            'search_cost_usd', CASE WHEN stored_search_cost_usd <> rows_search_cost_usd THEN jsonb_build_array(stored_search_cost_usd, rows_search_cost_usd) END,
            'cache_read_tokens', CASE WHEN stored_cache_read_tokens <> rows_cache_read_tokens THEN jsonb_build_array(stored_cache_read_tokens, rows_cache_read_tokens) END,
            'cache_write_tokens', CASE WHEN stored_cache_write_tokens <> rows_cache_write_tokens THEN jsonb_build_array(stored_cache_write_tokens, rows_cache_write_tokens) END,
            'reasoning_tokens', CASE WHEN stored_reasoning_tokens <> rows_reasoning_tokens THEN jsonb_build_array(stored_reasoning_tokens, rows_reasoning_tokens) END,
            'squared_latency', CASE WHEN abs(stored_squared_latency - rows_squared_latency) > 1 + 0.000001 * greatest(abs(stored_squared_latency), abs(rows_squared_latency)) THEN jsonb_build_array(stored_squared_latency, rows_squared_latency) END,
            'squared_cost', CASE WHEN stored_squared_cost <> rows_squared_cost THEN jsonb_build_array(stored_squared_cost, rows_squared_cost) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.label_number, of_rows.label_number) AS label_number,
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
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens,
            coalesce(stored.input_cost_usd, 0) AS stored_input_cost_usd,
            coalesce(of_rows.input_cost_usd, 0) AS rows_input_cost_usd,
            coalesce(stored.output_cost_usd, 0) AS stored_output_cost_usd,
            coalesce(of_rows.output_cost_usd, 0) AS rows_output_cost_usd,
            coalesce(stored.cache_read_cost_usd, 0) AS stored_cache_read_cost_usd,
            coalesce(of_rows.cache_read_cost_usd, 0) AS rows_cache_read_cost_usd,
            coalesce(stored.cache_write_cost_usd, 0) AS stored_cache_write_cost_usd,
            coalesce(of_rows.cache_write_cost_usd, 0) AS rows_cache_write_cost_usd,
            coalesce(stored.audio_cost_usd, 0) AS stored_audio_cost_usd,
            coalesce(of_rows.audio_cost_usd, 0) AS rows_audio_cost_usd,
            coalesce(stored.image_cost_usd, 0) AS stored_image_cost_usd,
            coalesce(of_rows.image_cost_usd, 0) AS rows_image_cost_usd,
            coalesce(stored.search_cost_usd, 0) AS stored_search_cost_usd,
            coalesce(of_rows.search_cost_usd, 0) AS rows_search_cost_usd,
            coalesce(stored.cache_read_tokens, 0) AS stored_cache_read_tokens,
            coalesce(of_rows.cache_read_tokens, 0) AS rows_cache_read_tokens,
            coalesce(stored.cache_write_tokens, 0) AS stored_cache_write_tokens,
            coalesce(of_rows.cache_write_tokens, 0) AS rows_cache_write_tokens,
            coalesce(stored.reasoning_tokens, 0) AS stored_reasoning_tokens,
            coalesce(of_rows.reasoning_tokens, 0) AS rows_reasoning_tokens,
            coalesce(stored.squared_latency, 0) AS stored_squared_latency,
            coalesce(of_rows.squared_latency, 0) AS rows_squared_latency,
            coalesce(stored.squared_cost, 0) AS stored_squared_cost,
            coalesce(of_rows.squared_cost, 0) AS rows_squared_cost
        FROM (
            SELECT
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
            FROM {label_totals_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {label_totals_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, label_number, operation, status, calls, errors, timed_calls, latency_ms, priced_calls, cost_usd, input_tokens, output_tokens, input_cost_usd, output_cost_usd, cache_read_cost_usd, cache_write_cost_usd, audio_cost_usd, image_cost_usd, search_cost_usd, cache_read_tokens, cache_write_tokens, reasoning_tokens, squared_latency, squared_cost
            FROM summed
            WHERE bucket < {label_totals_hourly_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND stored.label_number = of_rows.label_number
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
        OR stored_input_cost_usd <> rows_input_cost_usd
        OR stored_output_cost_usd <> rows_output_cost_usd
        OR stored_cache_read_cost_usd <> rows_cache_read_cost_usd
        OR stored_cache_write_cost_usd <> rows_cache_write_cost_usd
        OR stored_audio_cost_usd <> rows_audio_cost_usd
        OR stored_image_cost_usd <> rows_image_cost_usd
        OR stored_search_cost_usd <> rows_search_cost_usd
        OR stored_cache_read_tokens <> rows_cache_read_tokens
        OR stored_cache_write_tokens <> rows_cache_write_tokens
        OR stored_reasoning_tokens <> rows_reasoning_tokens
        OR abs(stored_squared_latency - rows_squared_latency) > 1 + 0.000001 * greatest(abs(stored_squared_latency), abs(rows_squared_latency))
        OR stored_squared_cost <> rows_squared_cost
    UNION ALL
    SELECT
        'label_totals_daily' AS name,
        bucket,
        jsonb_build_object('label_number', label_number, 'operation', operation, 'status', status) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'timed_calls', CASE WHEN stored_timed_calls <> rows_timed_calls THEN jsonb_build_array(stored_timed_calls, rows_timed_calls) END,
            'latency_ms', CASE WHEN abs(stored_latency_ms - rows_latency_ms) > 0.001 + 0.000001 * greatest(abs(stored_latency_ms), abs(rows_latency_ms)) THEN jsonb_build_array(stored_latency_ms, rows_latency_ms) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END,
            'input_cost_usd', CASE WHEN stored_input_cost_usd <> rows_input_cost_usd THEN jsonb_build_array(stored_input_cost_usd, rows_input_cost_usd) END,
            'output_cost_usd', CASE WHEN stored_output_cost_usd <> rows_output_cost_usd THEN jsonb_build_array(stored_output_cost_usd, rows_output_cost_usd) END,
            'cache_read_cost_usd', CASE WHEN stored_cache_read_cost_usd <> rows_cache_read_cost_usd THEN jsonb_build_array(stored_cache_read_cost_usd, rows_cache_read_cost_usd) END,
            'cache_write_cost_usd', CASE WHEN stored_cache_write_cost_usd <> rows_cache_write_cost_usd THEN jsonb_build_array(stored_cache_write_cost_usd, rows_cache_write_cost_usd) END,
            'audio_cost_usd', CASE WHEN stored_audio_cost_usd <> rows_audio_cost_usd THEN jsonb_build_array(stored_audio_cost_usd, rows_audio_cost_usd) END,
            'image_cost_usd', CASE WHEN stored_image_cost_usd <> rows_image_cost_usd THEN jsonb_build_array(stored_image_cost_usd, rows_image_cost_usd) END,
            'search_cost_usd', CASE WHEN stored_search_cost_usd <> rows_search_cost_usd THEN jsonb_build_array(stored_search_cost_usd, rows_search_cost_usd) END,
            'cache_read_tokens', CASE WHEN stored_cache_read_tokens <> rows_cache_read_tokens THEN jsonb_build_array(stored_cache_read_tokens, rows_cache_read_tokens) END,
            'cache_write_tokens', CASE WHEN stored_cache_write_tokens <> rows_cache_write_tokens THEN jsonb_build_array(stored_cache_write_tokens, rows_cache_write_tokens) END,
            'reasoning_tokens', CASE WHEN stored_reasoning_tokens <> rows_reasoning_tokens THEN jsonb_build_array(stored_reasoning_tokens, rows_reasoning_tokens) END,
            'squared_latency', CASE WHEN abs(stored_squared_latency - rows_squared_latency) > 1 + 0.000001 * greatest(abs(stored_squared_latency), abs(rows_squared_latency)) THEN jsonb_build_array(stored_squared_latency, rows_squared_latency) END,
            'squared_cost', CASE WHEN stored_squared_cost <> rows_squared_cost THEN jsonb_build_array(stored_squared_cost, rows_squared_cost) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.label_number, of_rows.label_number) AS label_number,
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
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens,
            coalesce(stored.input_cost_usd, 0) AS stored_input_cost_usd,
            coalesce(of_rows.input_cost_usd, 0) AS rows_input_cost_usd,
            coalesce(stored.output_cost_usd, 0) AS stored_output_cost_usd,
            coalesce(of_rows.output_cost_usd, 0) AS rows_output_cost_usd,
            coalesce(stored.cache_read_cost_usd, 0) AS stored_cache_read_cost_usd,
            coalesce(of_rows.cache_read_cost_usd, 0) AS rows_cache_read_cost_usd,
            coalesce(stored.cache_write_cost_usd, 0) AS stored_cache_write_cost_usd,
            coalesce(of_rows.cache_write_cost_usd, 0) AS rows_cache_write_cost_usd,
            coalesce(stored.audio_cost_usd, 0) AS stored_audio_cost_usd,
            coalesce(of_rows.audio_cost_usd, 0) AS rows_audio_cost_usd,
            coalesce(stored.image_cost_usd, 0) AS stored_image_cost_usd,
            coalesce(of_rows.image_cost_usd, 0) AS rows_image_cost_usd,
            coalesce(stored.search_cost_usd, 0) AS stored_search_cost_usd,
            coalesce(of_rows.search_cost_usd, 0) AS rows_search_cost_usd,
            coalesce(stored.cache_read_tokens, 0) AS stored_cache_read_tokens,
            coalesce(of_rows.cache_read_tokens, 0) AS rows_cache_read_tokens,
            coalesce(stored.cache_write_tokens, 0) AS stored_cache_write_tokens,
            coalesce(of_rows.cache_write_tokens, 0) AS rows_cache_write_tokens,
            coalesce(stored.reasoning_tokens, 0) AS stored_reasoning_tokens,
            coalesce(of_rows.reasoning_tokens, 0) AS rows_reasoning_tokens,
            coalesce(stored.squared_latency, 0) AS stored_squared_latency,
            coalesce(of_rows.squared_latency, 0) AS rows_squared_latency,
            coalesce(stored.squared_cost, 0) AS stored_squared_cost,
            coalesce(of_rows.squared_cost, 0) AS rows_squared_cost
        FROM (
            SELECT
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
            FROM {label_totals_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {label_totals_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
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
            FROM summed
            WHERE bucket >= {label_totals_daily_since} AND bucket < {label_totals_daily_until}
            GROUP BY 1, 2, 3, 4
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND stored.label_number = of_rows.label_number
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
        OR stored_input_cost_usd <> rows_input_cost_usd
        OR stored_output_cost_usd <> rows_output_cost_usd
        OR stored_cache_read_cost_usd <> rows_cache_read_cost_usd
        OR stored_cache_write_cost_usd <> rows_cache_write_cost_usd
        OR stored_audio_cost_usd <> rows_audio_cost_usd
        OR stored_image_cost_usd <> rows_image_cost_usd
        OR stored_search_cost_usd <> rows_search_cost_usd
        OR stored_cache_read_tokens <> rows_cache_read_tokens
        OR stored_cache_write_tokens <> rows_cache_write_tokens
        OR stored_reasoning_tokens <> rows_reasoning_tokens
        OR abs(stored_squared_latency - rows_squared_latency) > 1 + 0.000001 * greatest(abs(stored_squared_latency), abs(rows_squared_latency))
        OR stored_squared_cost <> rows_squared_cost
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
