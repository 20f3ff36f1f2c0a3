-- Compares sessions with the rows of a day.
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
            AND timestamp >= {sessions_rows_since} AND timestamp < {sessions_rows_until}
    ) AS stored
), summed AS (
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
    FROM stored_rows
    WHERE session_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'sessions_hourly' AS name,
        bucket,
        jsonb_build_object('session_id', session_id, 'user_number', user_number, 'agent_id', agent_id, 'environment', environment, 'release', release) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'model_calls', CASE WHEN stored_model_calls <> rows_model_calls THEN jsonb_build_array(stored_model_calls, rows_model_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END,
            'traces', CASE WHEN stored_traces <> rows_traces THEN jsonb_build_array(stored_traces, rows_traces) END,
            'duration_ms', CASE WHEN abs(stored_duration_ms - rows_duration_ms) > 0.001 + 0.000001 * greatest(abs(stored_duration_ms), abs(rows_duration_ms)) THEN jsonb_build_array(stored_duration_ms, rows_duration_ms) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.session_id, of_rows.session_id) AS session_id,
            coalesce(stored.user_number, of_rows.user_number) AS user_number,
            coalesce(stored.agent_id, of_rows.agent_id) AS agent_id,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.model_calls, 0) AS stored_model_calls,
            coalesce(of_rows.model_calls, 0) AS rows_model_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd,
            coalesce(stored.input_tokens, 0) AS stored_input_tokens,
            coalesce(of_rows.input_tokens, 0) AS rows_input_tokens,
            coalesce(stored.output_tokens, 0) AS stored_output_tokens,
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens,
            coalesce(stored.traces, 0) AS stored_traces,
            coalesce(of_rows.traces, 0) AS rows_traces,
            coalesce(stored.duration_ms, 0) AS stored_duration_ms,
            coalesce(of_rows.duration_ms, 0) AS rows_duration_ms
        FROM (
            SELECT
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
            FROM {sessions_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {sessions_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, session_id, user_number, agent_id, environment, release, calls, model_calls, errors, priced_calls, cost_usd, input_tokens, output_tokens, traces, duration_ms
            FROM summed
            WHERE bucket < {sessions_hourly_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.session_id, '') = coalesce(of_rows.session_id, '') AND (stored.session_id IS NULL) = (of_rows.session_id IS NULL)
            AND coalesce(stored.user_number, -1) = coalesce(of_rows.user_number, -1)
            AND coalesce(stored.agent_id, '') = coalesce(of_rows.agent_id, '') AND (stored.agent_id IS NULL) = (of_rows.agent_id IS NULL)
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_model_calls <> rows_model_calls
        OR stored_errors <> rows_errors
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
        OR stored_input_tokens <> rows_input_tokens
        OR stored_output_tokens <> rows_output_tokens
        OR stored_traces <> rows_traces
        OR abs(stored_duration_ms - rows_duration_ms) > 0.001 + 0.000001 * greatest(abs(stored_duration_ms), abs(rows_duration_ms))
    UNION ALL
    SELECT
        'sessions_daily' AS name,
        bucket,
        jsonb_build_object('session_id', session_id, 'user_number', user_number, 'agent_id', agent_id, 'environment', environment, 'release', release) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'calls', CASE WHEN stored_calls <> rows_calls THEN jsonb_build_array(stored_calls, rows_calls) END,
            'model_calls', CASE WHEN stored_model_calls <> rows_model_calls THEN jsonb_build_array(stored_model_calls, rows_model_calls) END,
            'errors', CASE WHEN stored_errors <> rows_errors THEN jsonb_build_array(stored_errors, rows_errors) END,
            'priced_calls', CASE WHEN stored_priced_calls <> rows_priced_calls THEN jsonb_build_array(stored_priced_calls, rows_priced_calls) END,
            'cost_usd', CASE WHEN stored_cost_usd <> rows_cost_usd THEN jsonb_build_array(stored_cost_usd, rows_cost_usd) END,
            'input_tokens', CASE WHEN stored_input_tokens <> rows_input_tokens THEN jsonb_build_array(stored_input_tokens, rows_input_tokens) END,
            'output_tokens', CASE WHEN stored_output_tokens <> rows_output_tokens THEN jsonb_build_array(stored_output_tokens, rows_output_tokens) END,
            'traces', CASE WHEN stored_traces <> rows_traces THEN jsonb_build_array(stored_traces, rows_traces) END,
            'duration_ms', CASE WHEN abs(stored_duration_ms - rows_duration_ms) > 0.001 + 0.000001 * greatest(abs(stored_duration_ms), abs(rows_duration_ms)) THEN jsonb_build_array(stored_duration_ms, rows_duration_ms) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.session_id, of_rows.session_id) AS session_id,
            coalesce(stored.user_number, of_rows.user_number) AS user_number,
            coalesce(stored.agent_id, of_rows.agent_id) AS agent_id,
            coalesce(stored.environment, of_rows.environment) AS environment,
            coalesce(stored.release, of_rows.release) AS release,
            coalesce(stored.calls, 0) AS stored_calls,
            coalesce(of_rows.calls, 0) AS rows_calls,
            coalesce(stored.model_calls, 0) AS stored_model_calls,
            coalesce(of_rows.model_calls, 0) AS rows_model_calls,
            coalesce(stored.errors, 0) AS stored_errors,
            coalesce(of_rows.errors, 0) AS rows_errors,
            coalesce(stored.priced_calls, 0) AS stored_priced_calls,
            coalesce(of_rows.priced_calls, 0) AS rows_priced_calls,
            coalesce(stored.cost_usd, 0) AS stored_cost_usd,
            coalesce(of_rows.cost_usd, 0) AS rows_cost_usd,
            coalesce(stored.input_tokens, 0) AS stored_input_tokens,
            coalesce(of_rows.input_tokens, 0) AS rows_input_tokens,
            coalesce(stored.output_tokens, 0) AS stored_output_tokens,
            coalesce(of_rows.output_tokens, 0) AS rows_output_tokens,
            coalesce(stored.traces, 0) AS stored_traces,
            coalesce(of_rows.traces, 0) AS rows_traces,
            coalesce(stored.duration_ms, 0) AS stored_duration_ms,
            coalesce(of_rows.duration_ms, 0) AS rows_duration_ms
        FROM (
            SELECT
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
            FROM {sessions_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {sessions_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
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
            FROM summed
            WHERE bucket >= {sessions_daily_since} AND bucket < {sessions_daily_until}
            GROUP BY 1, 2, 3, 4, 5, 6
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND coalesce(stored.session_id, '') = coalesce(of_rows.session_id, '') AND (stored.session_id IS NULL) = (of_rows.session_id IS NULL)
            AND coalesce(stored.user_number, -1) = coalesce(of_rows.user_number, -1)
            AND coalesce(stored.agent_id, '') = coalesce(of_rows.agent_id, '') AND (stored.agent_id IS NULL) = (of_rows.agent_id IS NULL)
            AND coalesce(stored.environment, '') = coalesce(of_rows.environment, '') AND (stored.environment IS NULL) = (of_rows.environment IS NULL)
            AND coalesce(stored.release, '') = coalesce(of_rows.release, '') AND (stored.release IS NULL) = (of_rows.release IS NULL)
    ) AS both_sides
    WHERE stored_calls <> rows_calls
        OR stored_model_calls <> rows_model_calls
        OR stored_errors <> rows_errors
        OR stored_priced_calls <> rows_priced_calls
        OR stored_cost_usd <> rows_cost_usd
        OR stored_input_tokens <> rows_input_tokens
        OR stored_output_tokens <> rows_output_tokens
        OR stored_traces <> rows_traces
        OR abs(stored_duration_ms - rows_duration_ms) > 0.001 + 0.000001 * greatest(abs(stored_duration_ms), abs(rows_duration_ms))
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
