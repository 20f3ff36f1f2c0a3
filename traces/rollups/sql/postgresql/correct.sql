-- Corrects stored rows, and the rollups with them. Returns the calls that were taken away from a user in a closed hour.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH old AS (
    SELECT
        stored.*,
        batch.parent_span_id::text AS new_parent_span_id,
        batch.operation::text AS new_operation,
        batch.name::text AS new_name,
        batch.agent_id::text AS new_agent_id,
        batch.provider::text AS new_provider,
        batch.model::text AS new_model,
        batch.user_id::text AS new_user_id,
        batch.session_id::text AS new_session_id,
        batch.environment::text AS new_environment,
        batch.release::text AS new_release,
        batch.labels::jsonb AS new_labels,
        batch.tool::text AS new_tool,
        batch.status::text AS new_status,
        batch.error_type::text AS new_error_type,
        batch.error_message::text AS new_error_message,
        batch.latency_ms::float8 AS new_latency_ms,
        batch.first_token_ms::float8 AS new_first_token_ms,
        batch.input_tokens::bigint AS new_input_tokens,
        batch.output_tokens::bigint AS new_output_tokens,
        batch.cache_read_tokens::bigint AS new_cache_read_tokens,
        batch.cache_write_tokens::bigint AS new_cache_write_tokens,
        batch.reasoning_tokens::bigint AS new_reasoning_tokens,
        batch.usage_details::jsonb AS new_usage_details,
        batch.cost_usd::numeric AS new_cost_usd,
        batch.input_cost_usd::numeric AS new_input_cost_usd,
        batch.output_cost_usd::numeric AS new_output_cost_usd,
        batch.cache_read_cost_usd::numeric AS new_cache_read_cost_usd,
        batch.cache_write_cost_usd::numeric AS new_cache_write_cost_usd,
        batch.audio_cost_usd::numeric AS new_audio_cost_usd,
        batch.image_cost_usd::numeric AS new_image_cost_usd,
        batch.search_cost_usd::numeric AS new_search_cost_usd,
        batch.cost_source::text AS new_cost_source,
        batch.price_id::text AS new_price_id,
        batch.response_id::text AS new_response_id,
        batch.user_number::integer AS new_user_number,
        batch.label_numbers::bigint[] AS new_label_numbers
    FROM ROWS FROM (
        json_array_elements_text(%(trace_id)s::json),
        json_array_elements_text(%(span_id)s::json),
        json_array_elements_text(%(timestamp)s::json),
        json_array_elements_text(%(parent_span_id)s::json),
        json_array_elements_text(%(operation)s::json),
        json_array_elements_text(%(name)s::json),
        json_array_elements_text(%(agent_id)s::json),
        json_array_elements_text(%(provider)s::json),
        json_array_elements_text(%(model)s::json),
        json_array_elements_text(%(user_id)s::json),
        json_array_elements_text(%(session_id)s::json),
        json_array_elements_text(%(environment)s::json),
        json_array_elements_text(%(release)s::json),
        json_array_elements_text(%(labels)s::json),
        json_array_elements_text(%(tool)s::json),
        json_array_elements_text(%(status)s::json),
        json_array_elements_text(%(error_type)s::json),
        json_array_elements_text(%(error_message)s::json),
        json_array_elements_text(%(latency_ms)s::json),
        json_array_elements_text(%(first_token_ms)s::json),
        json_array_elements_text(%(input_tokens)s::json),
        json_array_elements_text(%(output_tokens)s::json),
        json_array_elements_text(%(cache_read_tokens)s::json),
        json_array_elements_text(%(cache_write_tokens)s::json),
        json_array_elements_text(%(reasoning_tokens)s::json),
        json_array_elements_text(%(usage_details)s::json),
        json_array_elements_text(%(cost_usd)s::json),
        json_array_elements_text(%(input_cost_usd)s::json),
        json_array_elements_text(%(output_cost_usd)s::json),
        json_array_elements_text(%(cache_read_cost_usd)s::json),
        json_array_elements_text(%(cache_write_cost_usd)s::json),
        json_array_elements_text(%(audio_cost_usd)s::json),
        json_array_elements_text(%(image_cost_usd)s::json),
        json_array_elements_text(%(search_cost_usd)s::json),
        json_array_elements_text(%(cost_source)s::json),
        json_array_elements_text(%(price_id)s::json),
        json_array_elements_text(%(response_id)s::json),
        json_array_elements_text(%(user_number)s::json),
        json_array_elements_text(%(label_numbers)s::json)
    ) AS batch (
        trace_id,
        span_id,
        timestamp,
        parent_span_id,
        operation,
        name,
        agent_id,
        provider,
        model,
        user_id,
        session_id,
        environment,
        release,
        labels,
        tool,
        status,
        error_type,
        error_message,
        latency_ms,
        first_token_ms,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        usage_details,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        cost_source,
        price_id,
        response_id,
        user_number,
        label_numbers
    )
    CROSS JOIN LATERAL (
        SELECT *
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND trace_id = batch.trace_id::text
            AND span_id = batch.span_id::text
            AND timestamp = batch.timestamp::timestamptz
        OFFSET 0
    ) AS stored
), corrected AS (
    INSERT INTO traces (
        workspace_id,
        timestamp,
        trace_id,
        span_id,
        parent_span_id,
        operation,
        name,
        agent_id,
        provider,
        model,
        user_id,
        session_id,
        environment,
        release,
        labels,
        tool,
        status,
        error_type,
        error_message,
        latency_ms,
        first_token_ms,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        usage_details,
        cost_usd,
        input_cost_usd,
        output_cost_usd,
        cache_read_cost_usd,
        cache_write_cost_usd,
        audio_cost_usd,
        image_cost_usd,
        search_cost_usd,
        cost_source,
        price_id,
        response_id,
        attributes,
        span_facts,
        link,
        user_number,
        label_numbers
    )
    SELECT
        workspace_id,
        timestamp,
        trace_id,
        span_id,
        new_parent_span_id,
        new_operation,
        new_name,
        new_agent_id,
        new_provider,
        new_model,
        new_user_id,
        new_session_id,
        new_environment,
        new_release,
        new_labels,
        new_tool,
        new_status,
        new_error_type,
        new_error_message,
        new_latency_ms,
        new_first_token_ms,
        new_input_tokens,
        new_output_tokens,
        new_cache_read_tokens,
        new_cache_write_tokens,
        new_reasoning_tokens,
        new_usage_details,
        new_cost_usd,
        new_input_cost_usd,
        new_output_cost_usd,
        new_cache_read_cost_usd,
        new_cache_write_cost_usd,
        new_audio_cost_usd,
        new_image_cost_usd,
        new_search_cost_usd,
        new_cost_source,
        new_price_id,
        new_response_id,
        attributes,
        span_facts,
        link,
        new_user_number,
        new_label_numbers
    FROM old
    ON CONFLICT (workspace_id, timestamp, trace_id, span_id) DO UPDATE SET
        parent_span_id = excluded.parent_span_id,
        operation = excluded.operation,
        name = excluded.name,
        agent_id = excluded.agent_id,
        provider = excluded.provider,
        model = excluded.model,
        user_id = excluded.user_id,
        session_id = excluded.session_id,
        environment = excluded.environment,
        release = excluded.release,
        labels = excluded.labels,
        tool = excluded.tool,
        status = excluded.status,
        error_type = excluded.error_type,
        error_message = excluded.error_message,
        latency_ms = excluded.latency_ms,
        first_token_ms = excluded.first_token_ms,
        input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens,
        cache_read_tokens = excluded.cache_read_tokens,
        cache_write_tokens = excluded.cache_write_tokens,
        reasoning_tokens = excluded.reasoning_tokens,
        usage_details = excluded.usage_details,
        cost_usd = excluded.cost_usd,
        input_cost_usd = excluded.input_cost_usd,
        output_cost_usd = excluded.output_cost_usd,
        cache_read_cost_usd = excluded.cache_read_cost_usd,
        cache_write_cost_usd = excluded.cache_write_cost_usd,
        audio_cost_usd = excluded.audio_cost_usd,
        image_cost_usd = excluded.image_cost_usd,
        search_cost_usd = excluded.search_cost_usd,
        cost_source = excluded.cost_source,
        price_id = excluded.price_id,
        response_id = excluded.response_id,
        user_number = excluded.user_number,
        label_numbers = excluded.label_numbers
    RETURNING *
), changes AS (
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
        -1 AS sign
    FROM old
    UNION ALL
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
    FROM corrected
), calls_changes AS (
    SELECT
        workspace_id,
        time_bucket('1 minute', timestamp) AS bucket,
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
        coalesce(sum(CASE sign WHEN 1 THEN search_cost_usd ELSE -search_cost_usd END), 0) AS search_cost_usd
    FROM changes
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), add_to_totals_minutely AS (
    INSERT INTO totals_minutely (
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
        time_bucket('1 minute', bucket) AS bucket,
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
    FROM calls_changes
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, operation, status) DO UPDATE SET
        calls = totals_minutely.calls + excluded.calls,
        errors = totals_minutely.errors + excluded.errors,
        timed_calls = totals_minutely.timed_calls + excluded.timed_calls,
        latency_ms = totals_minutely.latency_ms + excluded.latency_ms,
        priced_calls = totals_minutely.priced_calls + excluded.priced_calls,
        cost_usd = totals_minutely.cost_usd + excluded.cost_usd,
        input_tokens = totals_minutely.input_tokens + excluded.input_tokens,
        output_tokens = totals_minutely.output_tokens + excluded.output_tokens
), add_to_models_minutely AS (
    INSERT INTO models_minutely (
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
        time_bucket('1 minute', bucket) AS bucket,
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
    FROM calls_changes
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, operation, provider, model) DO UPDATE SET
        calls = models_minutely.calls + excluded.calls,
        errors = models_minutely.errors + excluded.errors,
        timed_calls = models_minutely.timed_calls + excluded.timed_calls,
        latency_ms = models_minutely.latency_ms + excluded.latency_ms,
        priced_calls = models_minutely.priced_calls + excluded.priced_calls,
        cost_usd = models_minutely.cost_usd + excluded.cost_usd,
        input_tokens = models_minutely.input_tokens + excluded.input_tokens,
        output_tokens = models_minutely.output_tokens + excluded.output_tokens,
        input_cost_usd = models_minutely.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = models_minutely.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = models_minutely.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = models_minutely.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = models_minutely.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = models_minutely.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = models_minutely.search_cost_usd + excluded.search_cost_usd
), add_to_agents_ten_minutely AS (
    INSERT INTO agents_ten_minutely (
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
        time_bucket('10 minutes', bucket) AS bucket,
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
    FROM calls_changes
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, operation, agent_id) DO UPDATE SET
        calls = agents_ten_minutely.calls + excluded.calls,
        errors = agents_ten_minutely.errors + excluded.errors,
        timed_calls = agents_ten_minutely.timed_calls + excluded.timed_calls,
        latency_ms = agents_ten_minutely.latency_ms + excluded.latency_ms,
        priced_calls = agents_ten_minutely.priced_calls + excluded.priced_calls,
        cost_usd = agents_ten_minutely.cost_usd + excluded.cost_usd,
        input_tokens = agents_ten_minutely.input_tokens + excluded.input_tokens,
        output_tokens = agents_ten_minutely.output_tokens + excluded.output_tokens
), add_to_calls_hourly AS (
    INSERT INTO calls_hourly (
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
        time_bucket('1 hour', bucket) AS bucket,
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
    FROM calls_changes
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (workspace_id, bucket, operation, agent_id, provider, model, status, error_type) DO UPDATE SET
        calls = calls_hourly.calls + excluded.calls,
        errors = calls_hourly.errors + excluded.errors,
        timed_calls = calls_hourly.timed_calls + excluded.timed_calls,
        latency_ms = calls_hourly.latency_ms + excluded.latency_ms,
        priced_calls = calls_hourly.priced_calls + excluded.priced_calls,
        cost_usd = calls_hourly.cost_usd + excluded.cost_usd,
        input_tokens = calls_hourly.input_tokens + excluded.input_tokens,
        output_tokens = calls_hourly.output_tokens + excluded.output_tokens,
        input_cost_usd = calls_hourly.input_cost_usd + excluded.input_cost_usd,
        output_cost_usd = calls_hourly.output_cost_usd + excluded.output_cost_usd,
        cache_read_cost_usd = calls_hourly.cache_read_cost_usd + excluded.cache_read_cost_usd,
        cache_write_cost_usd = calls_hourly.cache_write_cost_usd + excluded.cache_write_cost_usd,
        audio_cost_usd = calls_hourly.audio_cost_usd + excluded.audio_cost_usd,
        image_cost_usd = calls_hourly.image_cost_usd + excluded.image_cost_usd,
        search_cost_usd = calls_hourly.search_cost_usd + excluded.search_cost_usd
), add_to_totals_hourly AS (
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
    FROM calls_changes
    WHERE bucket < %(filled_until)s
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
), latency_changes AS (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        operation,
        latency_bucket,
        sum(sign * 1) AS calls
    FROM changes
    WHERE latency_ms IS NOT NULL
    GROUP BY 1, 2, 3, 4
), add_to_latency_ten_minutely AS (
    INSERT INTO latency_ten_minutely (
        workspace_id,
        bucket,
        operation,
        latency_bucket,
        calls
    )
    SELECT *
    FROM latency_changes
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
        calls = latency_ten_minutely.calls + excluded.calls
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
    FROM latency_changes
    WHERE bucket < %(filled_until)s
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
    FROM latency_changes
    WHERE bucket < %(filled_until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, operation, latency_bucket) DO UPDATE SET
        calls = latency_daily.calls + excluded.calls
), user_agents_changes AS (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        user_number,
        agent_id,
        sum(sign * 1) AS calls,
        sum(sign * (cost_usd IS NOT NULL)::integer) AS priced_calls,
        coalesce(sum(CASE sign WHEN 1 THEN cost_usd ELSE -cost_usd END), 0) AS cost_usd
    FROM changes
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4
), add_to_users_ten_minutely AS (
    INSERT INTO users_ten_minutely (
        workspace_id,
        bucket,
        user_number,
        calls,
        priced_calls,
        cost_usd
    )
    SELECT
        workspace_id,
        time_bucket('10 minutes', bucket) AS bucket,
        user_number,
        sum(calls) AS calls,
        sum(priced_calls) AS priced_calls,
        sum(cost_usd) AS cost_usd
    FROM user_agents_changes
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_number) DO UPDATE SET
        calls = users_ten_minutely.calls + excluded.calls,
        priced_calls = users_ten_minutely.priced_calls + excluded.priced_calls,
        cost_usd = users_ten_minutely.cost_usd + excluded.cost_usd
), add_to_user_agents_ten_minutely AS (
    INSERT INTO user_agents_ten_minutely (
        workspace_id,
        bucket,
        user_number,
        agent_id,
        calls,
        priced_calls,
        cost_usd
    )
    SELECT *
    FROM user_agents_changes
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
        calls = user_agents_ten_minutely.calls + excluded.calls,
        priced_calls = user_agents_ten_minutely.priced_calls + excluded.priced_calls,
        cost_usd = user_agents_ten_minutely.cost_usd + excluded.cost_usd
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (workspace_id, bucket, user_number, agent_id) DO UPDATE SET
        calls = user_agents_weekly.calls + excluded.calls,
        priced_calls = user_agents_weekly.priced_calls + excluded.priced_calls,
        cost_usd = user_agents_weekly.cost_usd + excluded.cost_usd
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s AND calls > 0
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s AND calls > 0
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
    FROM user_agents_changes
    WHERE bucket < %(filled_until)s AND calls > 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
        user_bits = user_sets_weekly.user_bits | excluded.user_bits
), failures_changes AS (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        status,
        error_type,
        user_number,
        sum(sign * 1) AS calls
    FROM changes
    WHERE status <> 'success' AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5
), add_to_failures_ten_minutely AS (
    INSERT INTO failures_ten_minutely (
        workspace_id,
        bucket,
        status,
        error_type,
        user_number,
        calls
    )
    SELECT *
    FROM failures_changes
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_number) DO UPDATE SET
        calls = failures_ten_minutely.calls + excluded.calls
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
    FROM failures_changes
    WHERE bucket < %(filled_until)s AND calls > 0
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
    FROM failures_changes
    WHERE bucket < %(filled_until)s AND calls > 0
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
    FROM failures_changes
    WHERE bucket < %(filled_until)s AND calls > 0
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
        user_bits = failure_sets_weekly.user_bits | excluded.user_bits
), errors_changes AS (
    SELECT
        workspace_id,
        time_bucket('10 minutes', timestamp) AS bucket,
        status,
        error_type,
        agent_id,
        sum(sign * 1) AS calls
    FROM changes
    WHERE status <> 'success' AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3, 4, 5
), add_to_errors_ten_minutely AS (
    INSERT INTO errors_ten_minutely (
        workspace_id,
        bucket,
        status,
        error_type,
        agent_id,
        calls
    )
    SELECT *
    FROM errors_changes
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
        calls = errors_ten_minutely.calls + excluded.calls
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
    FROM errors_changes
    WHERE bucket < %(filled_until)s
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
    FROM errors_changes
    WHERE bucket < %(filled_until)s
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
    FROM errors_changes
    WHERE bucket < %(filled_until)s
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, bucket, status, error_type, agent_id) DO UPDATE SET
        calls = errors_weekly.calls + excluded.calls
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
    FROM changes
    WHERE latency_ms IS NOT NULL AND timestamp < %(filled_until)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, operation, agent_id, provider, model, latency_bucket) DO UPDATE SET
        calls = call_latency_daily.calls + excluded.calls
)
SELECT DISTINCT
    time_bucket('1 hour', timestamp),
    user_number,
    status,
    error_type
FROM old
WHERE timestamp < %(filled_until)s
    AND coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    AND (user_number, status, error_type, operation) IS DISTINCT FROM (new_user_number, new_status, new_error_type, new_operation)
