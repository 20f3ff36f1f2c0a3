-- Adds the labels of some rows, as these are now.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
INSERT INTO label_rows (
    workspace_id,
    timestamp,
    span_hash,
    label_number,
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
    first_token_ms
)
SELECT
    workspace_id,
    timestamp,
    hashtextextended(span_id, hashtextextended(trace_id, 0)),
    label_number,
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
    first_token_ms
FROM (
    SELECT
        stored.*
    FROM unnest(%(trace_id)s::text[], %(span_id)s::text[], %(timestamp)s::timestamptz[]) AS batch (trace_id, span_id, timestamp)
    CROSS JOIN LATERAL (
        SELECT *
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND trace_id = batch.trace_id
            AND span_id = batch.span_id
            AND timestamp = batch.timestamp
        OFFSET 0
    ) AS stored
) AS stored
CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
