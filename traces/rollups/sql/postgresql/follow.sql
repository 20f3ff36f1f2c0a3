-- Adds the rows of a time to the narrowest buckets of the followers. Returns how many these were.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH followed AS (
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
    WHERE workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s
), labelled AS (
    SELECT *
    FROM followed
    CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
), add_to_places_ten_minutely AS (
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
    FROM followed
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
        squared_cost = places_ten_minutely.squared_cost + excluded.squared_cost
), add_to_place_agents_ten_minutely AS (
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
    FROM followed
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
        squared_cost = place_agents_ten_minutely.squared_cost + excluded.squared_cost
), add_to_place_models_ten_minutely AS (
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
    FROM followed
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
        squared_cost = place_models_ten_minutely.squared_cost + excluded.squared_cost
), add_to_place_calls_hourly AS (
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
    FROM followed
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
        squared_cost = place_calls_hourly.squared_cost + excluded.squared_cost
), add_to_agent_latency_ten_minutely AS (
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
        FROM followed
        WHERE latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
        calls = agent_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(agent_latency_ten_minutely.histogram, excluded.histogram)
), add_to_model_latency_ten_minutely AS (
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
        FROM followed
        WHERE latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
        calls = model_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(model_latency_ten_minutely.histogram, excluded.histogram)
), add_to_place_latency_ten_minutely AS (
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
        FROM followed
        WHERE latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
        calls = place_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(place_latency_ten_minutely.histogram, excluded.histogram)
), add_to_status_latency_ten_minutely AS (
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
        FROM followed
        WHERE latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
        calls = status_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(status_latency_ten_minutely.histogram, excluded.histogram)
), add_to_place_call_latency_hourly AS (
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
        FROM followed
        WHERE latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation) DO UPDATE SET
        calls = place_call_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(place_call_latency_hourly.histogram, excluded.histogram)
), add_to_first_token_ten_minutely AS (
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
        FROM followed
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, operation) DO UPDATE SET
        calls = first_token_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(first_token_ten_minutely.histogram, excluded.histogram)
), add_to_agent_first_token_ten_minutely AS (
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
        FROM followed
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
        calls = agent_first_token_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(agent_first_token_ten_minutely.histogram, excluded.histogram)
), add_to_model_first_token_ten_minutely AS (
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
        FROM followed
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
        calls = model_first_token_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(model_first_token_ten_minutely.histogram, excluded.histogram)
), add_to_place_first_token_ten_minutely AS (
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
        FROM followed
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
        calls = place_first_token_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(place_first_token_ten_minutely.histogram, excluded.histogram)
), add_to_status_first_token_ten_minutely AS (
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
        FROM followed
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
        calls = status_first_token_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(status_first_token_ten_minutely.histogram, excluded.histogram)
), add_to_place_call_first_token_hourly AS (
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
        FROM followed
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation) DO UPDATE SET
        calls = place_call_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(place_call_first_token_hourly.histogram, excluded.histogram)
), add_to_place_call_users_hourly AS (
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
        FROM followed
        WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, environment, release, agent_id, provider, model, status, error_type, operation, user_range) DO UPDATE SET
        calls = place_call_users_hourly.calls + excluded.calls,
        histogram = histogram_sum(place_call_users_hourly.histogram, excluded.histogram)
), add_to_model_users_hourly AS (
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
    FROM followed
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
        calls = model_users_hourly.calls + excluded.calls,
        priced_calls = model_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = model_users_hourly.cost_usd + excluded.cost_usd
), add_to_place_users_hourly AS (
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
    FROM followed
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
        calls = place_users_hourly.calls + excluded.calls,
        priced_calls = place_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = place_users_hourly.cost_usd + excluded.cost_usd
), add_to_status_users_hourly AS (
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
    FROM followed
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
        calls = status_users_hourly.calls + excluded.calls,
        priced_calls = status_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = status_users_hourly.cost_usd + excluded.cost_usd
), add_to_user_models_hourly AS (
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
    FROM followed
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
        calls = user_models_hourly.calls + excluded.calls,
        priced_calls = user_models_hourly.priced_calls + excluded.priced_calls,
        cost_usd = user_models_hourly.cost_usd + excluded.cost_usd
), add_to_user_places_hourly AS (
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
    FROM followed
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_places_hourly.calls + excluded.calls,
        priced_calls = user_places_hourly.priced_calls + excluded.priced_calls,
        cost_usd = user_places_hourly.cost_usd + excluded.cost_usd
), add_to_label_totals_hourly AS (
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
    FROM labelled
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
        squared_cost = label_totals_hourly.squared_cost + excluded.squared_cost
), add_to_label_calls_hourly AS (
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
    FROM labelled
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
        squared_cost = label_calls_hourly.squared_cost + excluded.squared_cost
), add_to_label_latency_hourly AS (
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
        FROM labelled
        WHERE latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
        calls = label_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(label_latency_hourly.histogram, excluded.histogram)
), add_to_label_first_token_hourly AS (
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
        FROM labelled
        WHERE first_token_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
        calls = label_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(label_first_token_hourly.histogram, excluded.histogram)
), add_to_label_users_hourly AS (
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
    FROM labelled
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
        calls = label_users_hourly.calls + excluded.calls,
        priced_calls = label_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = label_users_hourly.cost_usd + excluded.cost_usd
), add_to_label_user_errors_hourly AS (
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
    FROM labelled
    WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
        calls = label_user_errors_hourly.calls + excluded.calls
), add_to_tools_hourly AS (
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
    FROM followed
    WHERE operation = 'execute_tool'
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model) DO UPDATE SET
        calls = tools_hourly.calls + excluded.calls,
        errors = tools_hourly.errors + excluded.errors,
        timed_calls = tools_hourly.timed_calls + excluded.timed_calls,
        latency_ms = tools_hourly.latency_ms + excluded.latency_ms
), add_to_tool_latency_ten_minutely AS (
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
        FROM followed
        WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, operation, provider, model, tool) DO UPDATE SET
        calls = tool_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(tool_latency_ten_minutely.histogram, excluded.histogram)
), add_to_tool_agent_latency_ten_minutely AS (
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
        FROM followed
        WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, tool) DO UPDATE SET
        calls = tool_agent_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(tool_agent_latency_ten_minutely.histogram, excluded.histogram)
), add_to_tool_place_latency_ten_minutely AS (
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
        FROM followed
        WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, tool) DO UPDATE SET
        calls = tool_place_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(tool_place_latency_ten_minutely.histogram, excluded.histogram)
), add_to_tool_status_latency_ten_minutely AS (
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
        FROM followed
        WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, tool) DO UPDATE SET
        calls = tool_status_latency_ten_minutely.calls + excluded.calls,
        histogram = histogram_sum(tool_status_latency_ten_minutely.histogram, excluded.histogram)
), add_to_label_tools_hourly AS (
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
    FROM labelled
    WHERE operation = 'execute_tool'
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
        calls = label_tools_hourly.calls + excluded.calls,
        errors = label_tools_hourly.errors + excluded.errors,
        timed_calls = label_tools_hourly.timed_calls + excluded.timed_calls,
        latency_ms = label_tools_hourly.latency_ms + excluded.latency_ms
), add_to_label_tool_latency_hourly AS (
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
        FROM labelled
        WHERE operation = 'execute_tool' AND latency_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
        calls = label_tool_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(label_tool_latency_hourly.histogram, excluded.histogram)
), add_to_user_errors_hourly AS (
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
    FROM followed
    WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_errors_hourly.calls + excluded.calls
), add_to_user_failures_hourly AS (
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
    FROM followed
    WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
        calls = user_failures_hourly.calls + excluded.calls
), add_to_sessions_hourly AS (
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
    FROM followed
    WHERE session_id IS NOT NULL
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
        duration_ms = sessions_hourly.duration_ms + excluded.duration_ms
), add_to_session_totals_hourly AS (
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
    FROM followed
    WHERE session_id IS NOT NULL
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
        duration_ms = session_totals_hourly.duration_ms + excluded.duration_ms
)
SELECT count(*)
FROM followed
