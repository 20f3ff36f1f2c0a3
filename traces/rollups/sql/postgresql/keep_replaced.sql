-- Adds the sums of an older version to those of a time whose rows may be deleted. Returns their calls.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH hours_of_places AS (
    SELECT
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
    FROM replaced_sums.places_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
), add_to_places_hourly AS (
    INSERT INTO places_hourly (
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
    SELECT *
    FROM hours_of_places
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, operation, environment, release, status) DO UPDATE SET
        calls = places_hourly.calls + excluded.calls,
        errors = places_hourly.errors + excluded.errors,
        timed_calls = places_hourly.timed_calls + excluded.timed_calls,
        latency_ms = places_hourly.latency_ms + excluded.latency_ms,
        priced_calls = places_hourly.priced_calls + excluded.priced_calls,
        cost_usd = places_hourly.cost_usd + excluded.cost_usd,
        input_tokens = places_hourly.input_tokens + excluded.input_tokens,
        output_tokens = places_hourly.output_tokens + excluded.output_tokens,
        input_cost_usd = places_hourly.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = places_hourly.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = places_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = places_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = places_hourly.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = places_hourly.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = places_hourly.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = places_hourly.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = places_hourly.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = places_hourly.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = places_hourly.squared_latency + excluded.squared_latency,
        squared_cost = places_hourly.squared_cost + excluded.squared_cost
), add_to_places_daily AS (
    INSERT INTO places_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        operation,
        environment,
        release,
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
    FROM hours_of_places
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, operation, environment, release, status) DO UPDATE SET
        calls = places_daily.calls + excluded.calls,
        errors = places_daily.errors + excluded.errors,
        timed_calls = places_daily.timed_calls + excluded.timed_calls,
        latency_ms = places_daily.latency_ms + excluded.latency_ms,
        priced_calls = places_daily.priced_calls + excluded.priced_calls,
        cost_usd = places_daily.cost_usd + excluded.cost_usd,
        input_tokens = places_daily.input_tokens + excluded.input_tokens,
        output_tokens = places_daily.output_tokens + excluded.output_tokens,
        input_cost_usd = places_daily.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = places_daily.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = places_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = places_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = places_daily.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = places_daily.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = places_daily.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = places_daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = places_daily.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = places_daily.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = places_daily.squared_latency + excluded.squared_latency,
        squared_cost = places_daily.squared_cost + excluded.squared_cost
), hours_of_place_agents AS (
    SELECT
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
    FROM replaced_sums.place_agents_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
), add_to_place_agents_hourly AS (
    INSERT INTO place_agents_hourly (
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
    SELECT *
    FROM hours_of_place_agents
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id) DO UPDATE SET
        calls = place_agents_hourly.calls + excluded.calls,
        errors = place_agents_hourly.errors + excluded.errors,
        timed_calls = place_agents_hourly.timed_calls + excluded.timed_calls,
        latency_ms = place_agents_hourly.latency_ms + excluded.latency_ms,
        priced_calls = place_agents_hourly.priced_calls + excluded.priced_calls,
        cost_usd = place_agents_hourly.cost_usd + excluded.cost_usd,
        input_tokens = place_agents_hourly.input_tokens + excluded.input_tokens,
        output_tokens = place_agents_hourly.output_tokens + excluded.output_tokens,
        input_cost_usd = place_agents_hourly.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = place_agents_hourly.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = place_agents_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = place_agents_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = place_agents_hourly.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = place_agents_hourly.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = place_agents_hourly.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = place_agents_hourly.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = place_agents_hourly.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = place_agents_hourly.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = place_agents_hourly.squared_latency + excluded.squared_latency,
        squared_cost = place_agents_hourly.squared_cost + excluded.squared_cost
), add_to_place_agents_daily AS (
    INSERT INTO place_agents_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
        operation,
        agent_id,
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
    FROM hours_of_place_agents
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id) DO UPDATE SET
        calls = place_agents_daily.calls + excluded.calls,
        errors = place_agents_daily.errors + excluded.errors,
        timed_calls = place_agents_daily.timed_calls + excluded.timed_calls,
        latency_ms = place_agents_daily.latency_ms + excluded.latency_ms,
        priced_calls = place_agents_daily.priced_calls + excluded.priced_calls,
        cost_usd = place_agents_daily.cost_usd + excluded.cost_usd,
        input_tokens = place_agents_daily.input_tokens + excluded.input_tokens,
        output_tokens = place_agents_daily.output_tokens + excluded.output_tokens,
        input_cost_usd = place_agents_daily.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = place_agents_daily.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = place_agents_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = place_agents_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = place_agents_daily.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = place_agents_daily.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = place_agents_daily.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = place_agents_daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = place_agents_daily.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = place_agents_daily.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = place_agents_daily.squared_latency + excluded.squared_latency,
        squared_cost = place_agents_daily.squared_cost + excluded.squared_cost
), hours_of_place_models AS (
    SELECT
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
    FROM replaced_sums.place_models_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
), add_to_place_models_hourly AS (
    INSERT INTO place_models_hourly (
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
    SELECT *
    FROM hours_of_place_models
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, environment, release, operation, provider, model) DO UPDATE SET
        calls = place_models_hourly.calls + excluded.calls,
        errors = place_models_hourly.errors + excluded.errors,
        timed_calls = place_models_hourly.timed_calls + excluded.timed_calls,
        latency_ms = place_models_hourly.latency_ms + excluded.latency_ms,
        priced_calls = place_models_hourly.priced_calls + excluded.priced_calls,
        cost_usd = place_models_hourly.cost_usd + excluded.cost_usd,
        input_tokens = place_models_hourly.input_tokens + excluded.input_tokens,
        output_tokens = place_models_hourly.output_tokens + excluded.output_tokens,
        input_cost_usd = place_models_hourly.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = place_models_hourly.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = place_models_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = place_models_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = place_models_hourly.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = place_models_hourly.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = place_models_hourly.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = place_models_hourly.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = place_models_hourly.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = place_models_hourly.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = place_models_hourly.squared_latency + excluded.squared_latency,
        squared_cost = place_models_hourly.squared_cost + excluded.squared_cost
), add_to_place_models_daily AS (
    INSERT INTO place_models_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
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
        sum(search_cost_usd) AS search_cost_usd,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(cache_write_tokens) AS cache_write_tokens,
        sum(reasoning_tokens) AS reasoning_tokens,
        sum(squared_latency) AS squared_latency,
        sum(squared_cost) AS squared_cost
    FROM hours_of_place_models
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, environment, release, operation, provider, model) DO UPDATE SET
        calls = place_models_daily.calls + excluded.calls,
        errors = place_models_daily.errors + excluded.errors,
        timed_calls = place_models_daily.timed_calls + excluded.timed_calls,
        latency_ms = place_models_daily.latency_ms + excluded.latency_ms,
        priced_calls = place_models_daily.priced_calls + excluded.priced_calls,
        cost_usd = place_models_daily.cost_usd + excluded.cost_usd,
        input_tokens = place_models_daily.input_tokens + excluded.input_tokens,
        output_tokens = place_models_daily.output_tokens + excluded.output_tokens,
        input_cost_usd = place_models_daily.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = place_models_daily.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = place_models_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = place_models_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = place_models_daily.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = place_models_daily.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = place_models_daily.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = place_models_daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = place_models_daily.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = place_models_daily.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = place_models_daily.squared_latency + excluded.squared_latency,
        squared_cost = place_models_daily.squared_cost + excluded.squared_cost
), hours_of_place_calls AS (
    SELECT
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
    FROM replaced_sums.place_calls_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_place_calls
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
), add_to_place_calls_daily AS (
    INSERT INTO place_calls_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
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
        sum(search_cost_usd) AS search_cost_usd,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(cache_write_tokens) AS cache_write_tokens,
        sum(reasoning_tokens) AS reasoning_tokens,
        sum(squared_latency) AS squared_latency,
        sum(squared_cost) AS squared_cost
    FROM hours_of_place_calls
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ON CONFLICT (workspace_id, bucket, environment, release, operation, agent_id, provider, model, status, error_type) DO UPDATE SET
        calls = place_calls_daily.calls + excluded.calls,
        errors = place_calls_daily.errors + excluded.errors,
        timed_calls = place_calls_daily.timed_calls + excluded.timed_calls,
        latency_ms = place_calls_daily.latency_ms + excluded.latency_ms,
        priced_calls = place_calls_daily.priced_calls + excluded.priced_calls,
        cost_usd = place_calls_daily.cost_usd + excluded.cost_usd,
        input_tokens = place_calls_daily.input_tokens + excluded.input_tokens,
        output_tokens = place_calls_daily.output_tokens + excluded.output_tokens,
        input_cost_usd = place_calls_daily.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = place_calls_daily.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = place_calls_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = place_calls_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = place_calls_daily.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = place_calls_daily.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = place_calls_daily.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = place_calls_daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = place_calls_daily.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = place_calls_daily.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = place_calls_daily.squared_latency + excluded.squared_latency,
        squared_cost = place_calls_daily.squared_cost + excluded.squared_cost
), hours_of_agent_latency AS (
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
            bucket,
            agent_id,
            operation,
            latency_bucket,
            calls
        FROM replaced_sums.agent_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
), add_to_agent_latency_hourly AS (
    INSERT INTO agent_latency_hourly (
        workspace_id,
        bucket,
        agent_id,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_agent_latency
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
        calls = agent_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(agent_latency_hourly.histogram, excluded.histogram)
), add_to_agent_latency_daily AS (
    INSERT INTO agent_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            agent_id,
            operation,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_agent_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
        calls = agent_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(agent_latency_daily.histogram, excluded.histogram)
), hours_of_model_latency AS (
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
            bucket,
            model,
            provider,
            operation,
            latency_bucket,
            calls
        FROM replaced_sums.model_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_model_latency_hourly AS (
    INSERT INTO model_latency_hourly (
        workspace_id,
        bucket,
        model,
        provider,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_model_latency
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
        calls = model_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(model_latency_hourly.histogram, excluded.histogram)
), add_to_model_latency_daily AS (
    INSERT INTO model_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            model,
            provider,
            operation,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_model_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
        calls = model_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(model_latency_daily.histogram, excluded.histogram)
), hours_of_place_latency AS (
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
            bucket,
            environment,
            release,
            operation,
            latency_bucket,
            calls
        FROM replaced_sums.place_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_place_latency_hourly AS (
    INSERT INTO place_latency_hourly (
        workspace_id,
        bucket,
        environment,
        release,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_place_latency
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
        calls = place_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(place_latency_hourly.histogram, excluded.histogram)
), add_to_place_latency_daily AS (
    INSERT INTO place_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            environment,
            release,
            operation,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_place_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
        calls = place_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(place_latency_daily.histogram, excluded.histogram)
), hours_of_status_latency AS (
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
            bucket,
            status,
            error_type,
            operation,
            latency_bucket,
            calls
        FROM replaced_sums.status_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_status_latency_hourly AS (
    INSERT INTO status_latency_hourly (
        workspace_id,
        bucket,
        status,
        error_type,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_status_latency
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
        calls = status_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(status_latency_hourly.histogram, excluded.histogram)
), add_to_status_latency_daily AS (
    INSERT INTO status_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            status,
            error_type,
            operation,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_status_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
        calls = status_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(status_latency_daily.histogram, excluded.histogram)
), hours_of_first_token AS (
    SELECT
        workspace_id,
        bucket,
        operation,
        sum(calls) AS calls,
        array_agg(first_token_bucket) || array_agg(calls::integer) AS histogram
    FROM (
        SELECT
            workspace_id,
            bucket,
            operation,
            first_token_bucket,
            calls
        FROM replaced_sums.first_token_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3
), add_to_first_token_hourly AS (
    INSERT INTO first_token_hourly (
        workspace_id,
        bucket,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_first_token
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, operation) DO UPDATE SET
        calls = first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(first_token_hourly.histogram, excluded.histogram)
), add_to_first_token_daily AS (
    INSERT INTO first_token_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            operation,
            first_token_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_first_token
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, operation) DO UPDATE SET
        calls = first_token_daily.calls + excluded.calls,
        histogram = histogram_sum(first_token_daily.histogram, excluded.histogram)
), hours_of_agent_first_token AS (
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
            bucket,
            agent_id,
            operation,
            first_token_bucket,
            calls
        FROM replaced_sums.agent_first_token_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
), add_to_agent_first_token_hourly AS (
    INSERT INTO agent_first_token_hourly (
        workspace_id,
        bucket,
        agent_id,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_agent_first_token
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
        calls = agent_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(agent_first_token_hourly.histogram, excluded.histogram)
), add_to_agent_first_token_daily AS (
    INSERT INTO agent_first_token_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            agent_id,
            operation,
            first_token_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_agent_first_token
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, operation) DO UPDATE SET
        calls = agent_first_token_daily.calls + excluded.calls,
        histogram = histogram_sum(agent_first_token_daily.histogram, excluded.histogram)
), hours_of_model_first_token AS (
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
            bucket,
            model,
            provider,
            operation,
            first_token_bucket,
            calls
        FROM replaced_sums.model_first_token_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_model_first_token_hourly AS (
    INSERT INTO model_first_token_hourly (
        workspace_id,
        bucket,
        model,
        provider,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_model_first_token
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
        calls = model_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(model_first_token_hourly.histogram, excluded.histogram)
), add_to_model_first_token_daily AS (
    INSERT INTO model_first_token_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            model,
            provider,
            operation,
            first_token_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_model_first_token
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, model, provider, operation) DO UPDATE SET
        calls = model_first_token_daily.calls + excluded.calls,
        histogram = histogram_sum(model_first_token_daily.histogram, excluded.histogram)
), hours_of_place_first_token AS (
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
            bucket,
            environment,
            release,
            operation,
            first_token_bucket,
            calls
        FROM replaced_sums.place_first_token_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_place_first_token_hourly AS (
    INSERT INTO place_first_token_hourly (
        workspace_id,
        bucket,
        environment,
        release,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_place_first_token
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
        calls = place_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(place_first_token_hourly.histogram, excluded.histogram)
), add_to_place_first_token_daily AS (
    INSERT INTO place_first_token_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            environment,
            release,
            operation,
            first_token_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_place_first_token
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, operation) DO UPDATE SET
        calls = place_first_token_daily.calls + excluded.calls,
        histogram = histogram_sum(place_first_token_daily.histogram, excluded.histogram)
), hours_of_status_first_token AS (
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
            bucket,
            status,
            error_type,
            operation,
            first_token_bucket,
            calls
        FROM replaced_sums.status_first_token_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_status_first_token_hourly AS (
    INSERT INTO status_first_token_hourly (
        workspace_id,
        bucket,
        status,
        error_type,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_status_first_token
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
        calls = status_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(status_first_token_hourly.histogram, excluded.histogram)
), add_to_status_first_token_daily AS (
    INSERT INTO status_first_token_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            status,
            error_type,
            operation,
            first_token_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_status_first_token
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, operation) DO UPDATE SET
        calls = status_first_token_daily.calls + excluded.calls,
        histogram = histogram_sum(status_first_token_daily.histogram, excluded.histogram)
), hours_of_model_users AS (
    SELECT
        workspace_id,
        bucket,
        model,
        provider,
        operation,
        user_number,
        calls,
        priced_calls,
        cost_usd
    FROM replaced_sums.model_users_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_model_users
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
        calls = model_users_hourly.calls + excluded.calls,
        priced_calls = model_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = model_users_hourly.cost_usd + excluded.cost_usd
), add_to_model_users_daily AS (
    INSERT INTO model_users_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        model,
        provider,
        operation,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_model_users
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
        calls = model_users_daily.calls + excluded.calls,
        priced_calls = model_users_daily.priced_calls + excluded.priced_calls,
        cost_usd = model_users_daily.cost_usd + excluded.cost_usd
), add_to_model_users_weekly AS (
    INSERT INTO model_users_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        model,
        provider,
        operation,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_model_users
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, model, provider, operation, user_number) DO UPDATE SET
        calls = model_users_weekly.calls + excluded.calls,
        priced_calls = model_users_weekly.priced_calls + excluded.priced_calls,
        cost_usd = model_users_weekly.cost_usd + excluded.cost_usd
), hours_of_place_users AS (
    SELECT
        workspace_id,
        bucket,
        environment,
        release,
        user_number,
        calls,
        priced_calls,
        cost_usd
    FROM replaced_sums.place_users_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_place_users
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
        calls = place_users_hourly.calls + excluded.calls,
        priced_calls = place_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = place_users_hourly.cost_usd + excluded.cost_usd
), add_to_place_users_daily AS (
    INSERT INTO place_users_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        environment,
        release,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_place_users
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
        calls = place_users_daily.calls + excluded.calls,
        priced_calls = place_users_daily.priced_calls + excluded.priced_calls,
        cost_usd = place_users_daily.cost_usd + excluded.cost_usd
), add_to_place_users_weekly AS (
    INSERT INTO place_users_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        environment,
        release,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_place_users
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, user_number) DO UPDATE SET
        calls = place_users_weekly.calls + excluded.calls,
        priced_calls = place_users_weekly.priced_calls + excluded.priced_calls,
        cost_usd = place_users_weekly.cost_usd + excluded.cost_usd
), hours_of_status_users AS (
    SELECT
        workspace_id,
        bucket,
        status,
        error_type,
        user_number,
        calls,
        priced_calls,
        cost_usd
    FROM replaced_sums.status_users_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_status_users
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
        calls = status_users_hourly.calls + excluded.calls,
        priced_calls = status_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = status_users_hourly.cost_usd + excluded.cost_usd
), add_to_status_users_daily AS (
    INSERT INTO status_users_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        status,
        error_type,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_status_users
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
        calls = status_users_daily.calls + excluded.calls,
        priced_calls = status_users_daily.priced_calls + excluded.priced_calls,
        cost_usd = status_users_daily.cost_usd + excluded.cost_usd
), add_to_status_users_weekly AS (
    INSERT INTO status_users_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        status,
        error_type,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_status_users
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
        calls = status_users_weekly.calls + excluded.calls,
        priced_calls = status_users_weekly.priced_calls + excluded.priced_calls,
        cost_usd = status_users_weekly.cost_usd + excluded.cost_usd
), hours_of_user_models AS (
    SELECT
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
    FROM replaced_sums.user_models_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_user_models
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
        calls = user_models_hourly.calls + excluded.calls,
        priced_calls = user_models_hourly.priced_calls + excluded.priced_calls,
        cost_usd = user_models_hourly.cost_usd + excluded.cost_usd
), add_to_user_models_daily AS (
    INSERT INTO user_models_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        model,
        provider,
        operation,
        agent_id,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_user_models
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
        calls = user_models_daily.calls + excluded.calls,
        priced_calls = user_models_daily.priced_calls + excluded.priced_calls,
        cost_usd = user_models_daily.cost_usd + excluded.cost_usd
), add_to_user_models_weekly AS (
    INSERT INTO user_models_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        model,
        provider,
        operation,
        agent_id,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_user_models
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, model, provider, operation, agent_id, user_number) DO UPDATE SET
        calls = user_models_weekly.calls + excluded.calls,
        priced_calls = user_models_weekly.priced_calls + excluded.priced_calls,
        cost_usd = user_models_weekly.cost_usd + excluded.cost_usd
), hours_of_user_places AS (
    SELECT
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
    FROM replaced_sums.user_places_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_user_places
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_places_hourly.calls + excluded.calls,
        priced_calls = user_places_hourly.priced_calls + excluded.priced_calls,
        cost_usd = user_places_hourly.cost_usd + excluded.cost_usd
), add_to_user_places_daily AS (
    INSERT INTO user_places_daily (
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
    FROM hours_of_user_places
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_places_daily.calls + excluded.calls,
        priced_calls = user_places_daily.priced_calls + excluded.priced_calls,
        cost_usd = user_places_daily.cost_usd + excluded.cost_usd
), add_to_user_places_weekly AS (
    INSERT INTO user_places_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        environment,
        release,
        status,
        error_type,
        agent_id,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_user_places
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (workspace_id, bucket, environment, release, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_places_weekly.calls + excluded.calls,
        priced_calls = user_places_weekly.priced_calls + excluded.priced_calls,
        cost_usd = user_places_weekly.cost_usd + excluded.cost_usd
), hours_of_label_totals AS (
    SELECT
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
    FROM replaced_sums.label_totals_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_label_totals
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
), add_to_label_totals_daily AS (
    INSERT INTO label_totals_daily (
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
    FROM hours_of_label_totals
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, label_number, operation, status) DO UPDATE SET
        calls = label_totals_daily.calls + excluded.calls,
        errors = label_totals_daily.errors + excluded.errors,
        timed_calls = label_totals_daily.timed_calls + excluded.timed_calls,
        latency_ms = label_totals_daily.latency_ms + excluded.latency_ms,
        priced_calls = label_totals_daily.priced_calls + excluded.priced_calls,
        cost_usd = label_totals_daily.cost_usd + excluded.cost_usd,
        input_tokens = label_totals_daily.input_tokens + excluded.input_tokens,
        output_tokens = label_totals_daily.output_tokens + excluded.output_tokens,
        input_cost_usd = label_totals_daily.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = label_totals_daily.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = label_totals_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = label_totals_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = label_totals_daily.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = label_totals_daily.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = label_totals_daily.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = label_totals_daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = label_totals_daily.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = label_totals_daily.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = label_totals_daily.squared_latency + excluded.squared_latency,
        squared_cost = label_totals_daily.squared_cost + excluded.squared_cost
), hours_of_label_calls AS (
    SELECT
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
    FROM replaced_sums.label_calls_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_label_calls
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
), add_to_label_calls_daily AS (
    INSERT INTO label_calls_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        operation,
        agent_id,
        provider,
        model,
        environment,
        release,
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
        sum(search_cost_usd) AS search_cost_usd,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(cache_write_tokens) AS cache_write_tokens,
        sum(reasoning_tokens) AS reasoning_tokens,
        sum(squared_latency) AS squared_latency,
        sum(squared_cost) AS squared_cost
    FROM hours_of_label_calls
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, label_number, operation, agent_id, provider, model, environment, release, status, error_type) DO UPDATE SET
        calls = label_calls_daily.calls + excluded.calls,
        errors = label_calls_daily.errors + excluded.errors,
        timed_calls = label_calls_daily.timed_calls + excluded.timed_calls,
        latency_ms = label_calls_daily.latency_ms + excluded.latency_ms,
        priced_calls = label_calls_daily.priced_calls + excluded.priced_calls,
        cost_usd = label_calls_daily.cost_usd + excluded.cost_usd,
        input_tokens = label_calls_daily.input_tokens + excluded.input_tokens,
        output_tokens = label_calls_daily.output_tokens + excluded.output_tokens,
        input_cost_usd = label_calls_daily.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = label_calls_daily.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = label_calls_daily.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = label_calls_daily.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = label_calls_daily.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = label_calls_daily.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = label_calls_daily.search_cost_usd + excluded.search_cost_usd,
        cache_read_tokens = label_calls_daily.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = label_calls_daily.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = label_calls_daily.reasoning_tokens + excluded.reasoning_tokens,
        squared_latency = label_calls_daily.squared_latency + excluded.squared_latency,
        squared_cost = label_calls_daily.squared_cost + excluded.squared_cost
), hours_of_label_latency AS (
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
            bucket,
            label_number,
            operation,
            latency_bucket,
            calls
        FROM replaced_sums.label_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
), add_to_label_latency_hourly AS (
    INSERT INTO label_latency_hourly (
        workspace_id,
        bucket,
        label_number,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_label_latency
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
        calls = label_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(label_latency_hourly.histogram, excluded.histogram)
), add_to_label_latency_daily AS (
    INSERT INTO label_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            label_number,
            operation,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_label_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
        calls = label_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(label_latency_daily.histogram, excluded.histogram)
), hours_of_label_first_token AS (
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
            bucket,
            label_number,
            operation,
            first_token_bucket,
            calls
        FROM replaced_sums.label_first_token_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
), add_to_label_first_token_hourly AS (
    INSERT INTO label_first_token_hourly (
        workspace_id,
        bucket,
        label_number,
        operation,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_label_first_token
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
        calls = label_first_token_hourly.calls + excluded.calls,
        histogram = histogram_sum(label_first_token_hourly.histogram, excluded.histogram)
), add_to_label_first_token_daily AS (
    INSERT INTO label_first_token_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            label_number,
            operation,
            first_token_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_label_first_token
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (first_token_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, operation) DO UPDATE SET
        calls = label_first_token_daily.calls + excluded.calls,
        histogram = histogram_sum(label_first_token_daily.histogram, excluded.histogram)
), hours_of_label_users AS (
    SELECT
        workspace_id,
        bucket,
        label_number,
        agent_id,
        user_number,
        calls,
        priced_calls,
        cost_usd
    FROM replaced_sums.label_users_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_label_users
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
        calls = label_users_hourly.calls + excluded.calls,
        priced_calls = label_users_hourly.priced_calls + excluded.priced_calls,
        cost_usd = label_users_hourly.cost_usd + excluded.cost_usd
), add_to_label_users_daily AS (
    INSERT INTO label_users_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        agent_id,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_label_users
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
        calls = label_users_daily.calls + excluded.calls,
        priced_calls = label_users_daily.priced_calls + excluded.priced_calls,
        cost_usd = label_users_daily.cost_usd + excluded.cost_usd
), add_to_label_users_weekly AS (
    INSERT INTO label_users_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        label_number,
        agent_id,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM hours_of_label_users
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, label_number, agent_id, user_number) DO UPDATE SET
        calls = label_users_weekly.calls + excluded.calls,
        priced_calls = label_users_weekly.priced_calls + excluded.priced_calls,
        cost_usd = label_users_weekly.cost_usd + excluded.cost_usd
), hours_of_label_user_errors AS (
    SELECT
        workspace_id,
        bucket,
        label_number,
        status,
        error_type,
        user_number,
        calls
    FROM replaced_sums.label_user_errors_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_label_user_errors
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
        calls = label_user_errors_hourly.calls + excluded.calls
), add_to_label_user_errors_daily AS (
    INSERT INTO label_user_errors_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        status,
        error_type,
        user_number,
        sum(calls) AS calls
    FROM hours_of_label_user_errors
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
        calls = label_user_errors_daily.calls + excluded.calls
), add_to_label_user_errors_weekly AS (
    INSERT INTO label_user_errors_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        label_number,
        status,
        error_type,
        user_number,
        sum(calls) AS calls
    FROM hours_of_label_user_errors
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, label_number, status, error_type, user_number) DO UPDATE SET
        calls = label_user_errors_weekly.calls + excluded.calls
), hours_of_tools AS (
    SELECT
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
    FROM replaced_sums.tools_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_tools
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model) DO UPDATE SET
        calls = tools_hourly.calls + excluded.calls,
        errors = tools_hourly.errors + excluded.errors,
        timed_calls = tools_hourly.timed_calls + excluded.timed_calls,
        latency_ms = tools_hourly.latency_ms + excluded.latency_ms
), add_to_tools_daily AS (
    INSERT INTO tools_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        tool,
        agent_id,
        environment,
        release,
        status,
        error_type,
        operation,
        provider,
        model,
        sum(calls) AS calls,
        sum(errors) AS errors,
        sum(timed_calls) AS timed_calls,
        sum(latency_ms) AS latency_ms
    FROM hours_of_tools
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, tool, agent_id, environment, release, status, error_type, operation, provider, model) DO UPDATE SET
        calls = tools_daily.calls + excluded.calls,
        errors = tools_daily.errors + excluded.errors,
        timed_calls = tools_daily.timed_calls + excluded.timed_calls,
        latency_ms = tools_daily.latency_ms + excluded.latency_ms
), hours_of_tool_latency AS (
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
            bucket,
            operation,
            provider,
            model,
            tool,
            latency_bucket,
            calls
        FROM replaced_sums.tool_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5, 6
), add_to_tool_latency_hourly AS (
    INSERT INTO tool_latency_hourly (
        workspace_id,
        bucket,
        operation,
        provider,
        model,
        tool,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_tool_latency
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, operation, provider, model, tool) DO UPDATE SET
        calls = tool_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(tool_latency_hourly.histogram, excluded.histogram)
), add_to_tool_latency_daily AS (
    INSERT INTO tool_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            operation,
            provider,
            model,
            tool,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_tool_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, operation, provider, model, tool) DO UPDATE SET
        calls = tool_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(tool_latency_daily.histogram, excluded.histogram)
), hours_of_tool_agent_latency AS (
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
            bucket,
            agent_id,
            tool,
            latency_bucket,
            calls
        FROM replaced_sums.tool_agent_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
), add_to_tool_agent_latency_hourly AS (
    INSERT INTO tool_agent_latency_hourly (
        workspace_id,
        bucket,
        agent_id,
        tool,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_tool_agent_latency
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, tool) DO UPDATE SET
        calls = tool_agent_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(tool_agent_latency_hourly.histogram, excluded.histogram)
), add_to_tool_agent_latency_daily AS (
    INSERT INTO tool_agent_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            agent_id,
            tool,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_tool_agent_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, agent_id, tool) DO UPDATE SET
        calls = tool_agent_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(tool_agent_latency_daily.histogram, excluded.histogram)
), hours_of_tool_place_latency AS (
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
            bucket,
            environment,
            release,
            tool,
            latency_bucket,
            calls
        FROM replaced_sums.tool_place_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_tool_place_latency_hourly AS (
    INSERT INTO tool_place_latency_hourly (
        workspace_id,
        bucket,
        environment,
        release,
        tool,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_tool_place_latency
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, tool) DO UPDATE SET
        calls = tool_place_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(tool_place_latency_hourly.histogram, excluded.histogram)
), add_to_tool_place_latency_daily AS (
    INSERT INTO tool_place_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            environment,
            release,
            tool,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_tool_place_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, environment, release, tool) DO UPDATE SET
        calls = tool_place_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(tool_place_latency_daily.histogram, excluded.histogram)
), hours_of_tool_status_latency AS (
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
            bucket,
            status,
            error_type,
            tool,
            latency_bucket,
            calls
        FROM replaced_sums.tool_status_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
), add_to_tool_status_latency_hourly AS (
    INSERT INTO tool_status_latency_hourly (
        workspace_id,
        bucket,
        status,
        error_type,
        tool,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_tool_status_latency
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, tool) DO UPDATE SET
        calls = tool_status_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(tool_status_latency_hourly.histogram, excluded.histogram)
), add_to_tool_status_latency_daily AS (
    INSERT INTO tool_status_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            status,
            error_type,
            tool,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_tool_status_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, tool) DO UPDATE SET
        calls = tool_status_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(tool_status_latency_daily.histogram, excluded.histogram)
), hours_of_label_tools AS (
    SELECT
        workspace_id,
        bucket,
        label_number,
        tool,
        calls,
        errors,
        timed_calls,
        latency_ms
    FROM replaced_sums.label_tools_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_label_tools
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
        calls = label_tools_hourly.calls + excluded.calls,
        errors = label_tools_hourly.errors + excluded.errors,
        timed_calls = label_tools_hourly.timed_calls + excluded.timed_calls,
        latency_ms = label_tools_hourly.latency_ms + excluded.latency_ms
), add_to_label_tools_daily AS (
    INSERT INTO label_tools_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        label_number,
        tool,
        sum(calls) AS calls,
        sum(errors) AS errors,
        sum(timed_calls) AS timed_calls,
        sum(latency_ms) AS latency_ms
    FROM hours_of_label_tools
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
        calls = label_tools_daily.calls + excluded.calls,
        errors = label_tools_daily.errors + excluded.errors,
        timed_calls = label_tools_daily.timed_calls + excluded.timed_calls,
        latency_ms = label_tools_daily.latency_ms + excluded.latency_ms
), hours_of_label_tool_latency AS (
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
            bucket,
            label_number,
            tool,
            latency_bucket,
            calls
        FROM replaced_sums.label_tool_latency_hourly
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
), add_to_label_tool_latency_hourly AS (
    INSERT INTO label_tool_latency_hourly (
        workspace_id,
        bucket,
        label_number,
        tool,
        calls,
        histogram
    )
    SELECT *
    FROM hours_of_label_tool_latency
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
        calls = label_tool_latency_hourly.calls + excluded.calls,
        histogram = histogram_sum(label_tool_latency_hourly.histogram, excluded.histogram)
), add_to_label_tool_latency_daily AS (
    INSERT INTO label_tool_latency_daily (
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
            time_bucket('24 hours', bucket) AS bucket,
            label_number,
            tool,
            latency_bucket,
            sum(packed_calls) AS calls
        FROM hours_of_label_tool_latency
        CROSS JOIN LATERAL unnest(histogram[:cardinality(histogram) / 2], histogram[cardinality(histogram) / 2 + 1:]) AS packed (latency_bucket, packed_calls)
        GROUP BY 1, 2, 3, 4, 5
    ) AS by_value
    WHERE calls <> 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, label_number, tool) DO UPDATE SET
        calls = label_tool_latency_daily.calls + excluded.calls,
        histogram = histogram_sum(label_tool_latency_daily.histogram, excluded.histogram)
), hours_of_user_errors AS (
    SELECT
        workspace_id,
        bucket,
        status,
        error_type,
        agent_id,
        user_number,
        calls
    FROM replaced_sums.user_errors_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_user_errors
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_errors_hourly.calls + excluded.calls
), add_to_user_errors_daily AS (
    INSERT INTO user_errors_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        status,
        error_type,
        agent_id,
        user_number,
        sum(calls) AS calls
    FROM hours_of_user_errors
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_errors_daily.calls + excluded.calls
), add_to_user_errors_weekly AS (
    INSERT INTO user_errors_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        status,
        error_type,
        agent_id,
        user_number,
        sum(calls) AS calls
    FROM hours_of_user_errors
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, user_number) DO UPDATE SET
        calls = user_errors_weekly.calls + excluded.calls
), hours_of_user_failures AS (
    SELECT
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
    FROM replaced_sums.user_failures_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_user_failures
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
        calls = user_failures_hourly.calls + excluded.calls
), add_to_user_failures_daily AS (
    INSERT INTO user_failures_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
        status,
        error_type,
        agent_id,
        environment,
        release,
        operation,
        provider,
        model,
        user_number,
        sum(calls) AS calls
    FROM hours_of_user_failures
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
        calls = user_failures_daily.calls + excluded.calls
), add_to_user_failures_weekly AS (
    INSERT INTO user_failures_weekly (
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
        time_bucket('168 hours', bucket) AS bucket,
        status,
        error_type,
        agent_id,
        environment,
        release,
        operation,
        provider,
        model,
        user_number,
        sum(calls) AS calls
    FROM hours_of_user_failures
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id, environment, release, operation, provider, model, user_number) DO UPDATE SET
        calls = user_failures_weekly.calls + excluded.calls
), hours_of_sessions AS (
    SELECT
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
    FROM replaced_sums.sessions_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_sessions
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
), add_to_sessions_daily AS (
    INSERT INTO sessions_daily (
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
    FROM hours_of_sessions
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, session_id, user_number, agent_id, environment, release) DO UPDATE SET
        calls = sessions_daily.calls + excluded.calls,
        model_calls = sessions_daily.model_calls + excluded.model_calls,
        errors = sessions_daily.errors + excluded.errors,
        priced_calls = sessions_daily.priced_calls + excluded.priced_calls,
        cost_usd = sessions_daily.cost_usd + excluded.cost_usd,
        input_tokens = sessions_daily.input_tokens + excluded.input_tokens,
        output_tokens = sessions_daily.output_tokens + excluded.output_tokens,
        traces = sessions_daily.traces + excluded.traces,
        duration_ms = sessions_daily.duration_ms + excluded.duration_ms
), hours_of_session_totals AS (
    SELECT
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
    FROM replaced_sums.session_totals_hourly
    WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
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
    SELECT *
    FROM hours_of_session_totals
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
), add_to_session_totals_daily AS (
    INSERT INTO session_totals_daily (
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
        time_bucket('24 hours', bucket) AS bucket,
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
    FROM hours_of_session_totals
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, agent_id, environment, release) DO UPDATE SET
        calls = session_totals_daily.calls + excluded.calls,
        model_calls = session_totals_daily.model_calls + excluded.model_calls,
        errors = session_totals_daily.errors + excluded.errors,
        priced_calls = session_totals_daily.priced_calls + excluded.priced_calls,
        cost_usd = session_totals_daily.cost_usd + excluded.cost_usd,
        input_tokens = session_totals_daily.input_tokens + excluded.input_tokens,
        output_tokens = session_totals_daily.output_tokens + excluded.output_tokens,
        traces = session_totals_daily.traces + excluded.traces,
        duration_ms = session_totals_daily.duration_ms + excluded.duration_ms
)
SELECT coalesce(sum(calls), 0)
FROM hours_of_places
