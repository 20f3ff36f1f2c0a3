-- Compares session_totals with the rows of a day.
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
            AND timestamp >= {session_totals_rows_since} AND timestamp < {session_totals_rows_until}
    ) AS stored
), summed AS (
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
    FROM stored_rows
    WHERE session_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'session_totals_hourly' AS name,
        bucket,
        jsonb_build_object('agent_id', agent_id, 'environment', environment, 'release', release) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'model_calls', CASE WHEN stored_model_calls <> rows_model_calls THEN jsonb_build_array(stored_model_calls, rows_model_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END,
            'traces', CASE WHEN stored_traces <> rows_traces THEN jsonb_build_array(stored_traces, rows_traces) END,
            'duration_ms', CASE WHEN stored_duration_ms <> rows_duration_ms THEN jsonb_build_array(stored_duration_ms, rows_duration_ms) END
        )) AS measures
    FROM (
        SELECT
            bucket,
            agent_id,
            environment,
            release,
            coalesce(sum(calls) FILTER (WHERE is_stored), 0) AS stored_calls,
            coalesce(sum(calls) FILTER (WHERE NOT is_stored), 0) AS rows_calls,
            coalesce(sum(model_calls) FILTER (WHERE is_stored), 0) AS stored_model_calls,
            coalesce(sum(model_calls) FILTER (WHERE NOT is_stored), 0) AS rows_model_calls,
            coalesce(sum(errors) FILTER (WHERE is_stored), 0) AS stored_errors,
            coalesce(sum(errors) FILTER (WHERE NOT is_stored), 0) AS rows_errors,
            coalesce(sum(priced_calls) FILTER (WHERE is_stored), 0) AS stored_priced_calls,
            coalesce(sum(priced_calls) FILTER (WHERE NOT is_stored), 0) AS rows_priced_calls,
            coalesce(sum(cost_usd) FILTER (WHERE is_stored), 0) AS stored_cost_usd,
            coalesce(sum(cost_usd) FILTER (WHERE NOT is_stored), 0) AS rows_cost_usd,
            coalesce(sum(input_tokens) FILTER (WHERE is_stored), 0) AS stored_input_tokens,
            coalesce(sum(input_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_input_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE is_stored), 0) AS stored_output_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_output_tokens,
            coalesce(sum(traces) FILTER (WHERE is_stored), 0) AS stored_traces,
            coalesce(sum(traces) FILTER (WHERE NOT is_stored), 0) AS rows_traces,
            coalesce(sum(duration_ms) FILTER (WHERE is_stored), 0) AS stored_duration_ms,
            coalesce(sum(duration_ms) FILTER (WHERE NOT is_stored), 0) AS rows_duration_ms
        FROM (
            SELECT true AS is_stored, bucket, agent_id, environment, release, calls, model_calls, errors, priced_calls, cost_usd, input_tokens, output_tokens, traces, duration_ms
            FROM {session_totals_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {session_totals_hourly_until}
            UNION ALL
            SELECT false AS is_stored, bucket, agent_id, environment, release, calls, model_calls, errors, priced_calls, cost_usd, input_tokens, output_tokens, traces, duration_ms
            FROM summed
            WHERE bucket < {session_totals_hourly_until}
        ) AS both_sides
        GROUP BY 1, 2, 3, 4
    ) AS sums
    UNION ALL
    SELECT
        'session_totals_daily' AS name,
        bucket,
        jsonb_build_object('agent_id', agent_id, 'environment', environment, 'release', release) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'model_calls', CASE WHEN stored_model_calls <> rows_model_calls THEN jsonb_build_array(stored_model_calls, rows_model_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END,
            'traces', CASE WHEN stored_traces <> rows_traces THEN jsonb_build_array(stored_traces, rows_traces) END,
            'duration_ms', CASE WHEN stored_duration_ms <> rows_duration_ms THEN jsonb_build_array(stored_duration_ms, rows_duration_ms) END
        )) AS measures
    FROM (
        SELECT
            bucket,
            agent_id,
            environment,
            release,
            coalesce(sum(calls) FILTER (WHERE is_stored), 0) AS stored_calls,
            coalesce(sum(calls) FILTER (WHERE NOT is_stored), 0) AS rows_calls,
            coalesce(sum(model_calls) FILTER (WHERE is_stored), 0) AS stored_model_calls,
            coalesce(sum(model_calls) FILTER (WHERE NOT is_stored), 0) AS rows_model_calls,
            coalesce(sum(errors) FILTER (WHERE is_stored), 0) AS stored_errors,
            coalesce(sum(errors) FILTER (WHERE NOT is_stored), 0) AS rows_errors,
            coalesce(sum(priced_calls) FILTER (WHERE is_stored), 0) AS stored_priced_calls,
            coalesce(sum(priced_calls) FILTER (WHERE NOT is_stored), 0) AS rows_priced_calls,
            coalesce(sum(cost_usd) FILTER (WHERE is_stored), 0) AS stored_cost_usd,
            coalesce(sum(cost_usd) FILTER (WHERE NOT is_stored), 0) AS rows_cost_usd,
            coalesce(sum(input_tokens) FILTER (WHERE is_stored), 0) AS stored_input_tokens,
            coalesce(sum(input_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_input_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE is_stored), 0) AS stored_output_tokens,
            coalesce(sum(output_tokens) FILTER (WHERE NOT is_stored), 0) AS rows_output_tokens,
            coalesce(sum(traces) FILTER (WHERE is_stored), 0) AS stored_traces,
            coalesce(sum(traces) FILTER (WHERE NOT is_stored), 0) AS rows_traces,
            coalesce(sum(duration_ms) FILTER (WHERE is_stored), 0) AS stored_duration_ms,
            coalesce(sum(duration_ms) FILTER (WHERE NOT is_stored), 0) AS rows_duration_ms
        FROM (
            SELECT true AS is_stored, bucket, agent_id, environment, release, calls, model_calls, errors, priced_calls, cost_usd, input_tokens, output_tokens, traces, duration_ms
            FROM {session_totals_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {session_totals_daily_until}
            UNION ALL
            SELECT false AS is_stored, time_bucket('24 hours', bucket) AS bucket, agent_id, environment, release, calls, model_calls, errors, priced_calls, cost_usd, input_tokens, output_tokens, traces, duration_ms
            FROM summed
            WHERE bucket >= {session_totals_daily_since} AND bucket < {session_totals_daily_until}
        ) AS both_sides
        GROUP BY 1, 2, 3, 4
    ) AS sums
) AS compared
WHERE measures <> '{{}}'
ORDER BY bucket, name
LIMIT %(limit)s
