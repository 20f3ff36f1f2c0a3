-- Closes the hours from filled_until up to until: sums their narrowest buckets into the wider ones.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH add_to_totals_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        output_tokens = totals_hourly.output_tokens + excluded.output_tokens
), add_to_totals_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        output_tokens = totals_daily.output_tokens + excluded.output_tokens
), add_to_models_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        search_cost_usd = models_hourly.search_cost_usd + excluded.search_cost_usd
), add_to_models_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        search_cost_usd = models_daily.search_cost_usd + excluded.search_cost_usd
), add_to_agents_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        output_tokens = agents_hourly.output_tokens + excluded.output_tokens
), add_to_agents_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        output_tokens = agents_daily.output_tokens + excluded.output_tokens
), add_to_calls_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
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
        search_cost_usd = calls_daily.search_cost_usd + excluded.search_cost_usd
), add_to_latency_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
        calls = latency_hourly.calls + excluded.calls
), add_to_latency_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
        calls = latency_daily.calls + excluded.calls
), add_to_users_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
        calls = users_hourly.calls + excluded.calls,
        priced_calls = users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = users_hourly.cost_usd + excluded.cost_usd
), add_to_users_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
        calls = users_daily.calls + excluded.calls,
        priced_calls = users_daily.priced_calls + excluded.priced_calls,
        cost_usd = users_daily.cost_usd + excluded.cost_usd
), add_to_users_weekly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
        calls = users_weekly.calls + excluded.calls,
        priced_calls = users_weekly.priced_calls + excluded.priced_calls,
        cost_usd = users_weekly.cost_usd + excluded.cost_usd
), add_to_user_agents_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
        calls = user_agents_hourly.calls + excluded.calls,
        priced_calls = user_agents_hourly.priced_calls + excluded.priced_calls,
        cost_usd = user_agents_hourly.cost_usd + excluded.cost_usd
), add_to_user_agents_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
        calls = user_agents_daily.calls + excluded.calls,
        priced_calls = user_agents_daily.priced_calls + excluded.priced_calls,
        cost_usd = user_agents_daily.cost_usd + excluded.cost_usd
), add_to_user_agents_weekly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
        calls = user_agents_weekly.calls + excluded.calls,
        priced_calls = user_agents_weekly.priced_calls + excluded.priced_calls,
        cost_usd = user_agents_weekly.cost_usd + excluded.cost_usd
), add_to_errors_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
        calls = errors_hourly.calls + excluded.calls
), add_to_errors_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
        calls = errors_daily.calls + excluded.calls
), add_to_errors_weekly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
        calls = errors_weekly.calls + excluded.calls
), add_to_user_sets_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s AND calls > 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
        user_bits = user_sets_hourly.user_bits | excluded.user_bits
), add_to_user_sets_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s AND calls > 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
        user_bits = user_sets_daily.user_bits | excluded.user_bits
), add_to_user_sets_weekly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s AND calls > 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
        user_bits = user_sets_weekly.user_bits | excluded.user_bits
), add_to_failure_sets_hourly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s AND calls > 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
        user_bits = failure_sets_hourly.user_bits | excluded.user_bits
), add_to_failure_sets_daily AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s AND calls > 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
        user_bits = failure_sets_daily.user_bits | excluded.user_bits
), add_to_failure_sets_weekly AS (
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
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s AND calls > 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
        user_bits = failure_sets_weekly.user_bits | excluded.user_bits
), add_to_call_latency_daily AS (
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
    WHERE latency_ms IS NOT NULL AND workspace_id = %(workspace_id)s AND timestamp >= %(filled_until)s AND timestamp < %(until)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, operation, agent_id, provider, model, latency_bucket) DO UPDATE SET
        calls = call_latency_daily.calls + excluded.calls
)
INSERT INTO rollup_state (workspace_id, filled_until)
VALUES (%(workspace_id)s, %(until)s)
ON CONFLICT (workspace_id) DO UPDATE SET filled_until = excluded.filled_until
