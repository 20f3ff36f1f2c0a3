-- Moves one row to another timestamp.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH gone AS (
    DELETE FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND timestamp = %(stored_at)s
        AND trace_id = %(trace_id)s
        AND span_id = %(span_id)s
    RETURNING *
), moved AS (
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
        %(timestamp)s::timestamptz,
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
    FROM gone
    RETURNING *
)
SELECT count(*)
FROM moved
