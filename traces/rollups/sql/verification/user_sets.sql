-- Compares user_sets with the rows of a day.
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
            AND timestamp >= {user_sets_rows_since} AND timestamp < {user_sets_rows_until}
    ) AS stored
), summed AS (
    SELECT
        workspace_id,
        time_bucket('1 hour', timestamp) AS bucket,
        user_number / 4096 AS user_block,
        bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
    FROM stored_rows
    WHERE coalesce(user_number, -1) >= 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
    GROUP BY 1, 2, 3
)
SELECT name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        'user_sets_hourly' AS name,
        bucket,
        jsonb_build_object('user_block', user_block) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'user_bits', CASE WHEN coalesce(stored_user_bits, 0::bit(4096)) <> coalesce(rows_user_bits, 0::bit(4096)) THEN jsonb_build_array(coalesce(bit_count(stored_user_bits), 0), coalesce(bit_count(rows_user_bits), 0)) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.user_block, of_rows.user_block) AS user_block,
            stored.user_bits AS stored_user_bits,
            of_rows.user_bits AS rows_user_bits
        FROM (
            SELECT
                bucket,
                user_block,
                user_bits
            FROM {user_sets_hourly}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {user_sets_hourly_until}
        ) AS stored
        FULL JOIN (
            SELECT bucket, user_block, user_bits
            FROM summed
            WHERE bucket < {user_sets_hourly_until}
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND stored.user_block = of_rows.user_block
    ) AS both_sides
    WHERE coalesce(stored_user_bits, 0::bit(4096)) <> coalesce(rows_user_bits, 0::bit(4096))
    UNION ALL
    SELECT
        'user_sets_daily' AS name,
        bucket,
        jsonb_build_object('user_block', user_block) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'user_bits', CASE WHEN coalesce(stored_user_bits, 0::bit(4096)) <> coalesce(rows_user_bits, 0::bit(4096)) THEN jsonb_build_array(coalesce(bit_count(stored_user_bits), 0), coalesce(bit_count(rows_user_bits), 0)) END
        )) AS measures
    FROM (
        SELECT
            coalesce(stored.bucket, of_rows.bucket) AS bucket,
            coalesce(stored.user_block, of_rows.user_block) AS user_block,
            stored.user_bits AS stored_user_bits,
            of_rows.user_bits AS rows_user_bits
        FROM (
            SELECT
                bucket,
                user_block,
                user_bits
            FROM {user_sets_daily}
            WHERE workspace_id = %(workspace_id)s
                AND bucket >= %(start)s AND bucket < %(end)s
                AND bucket < {user_sets_daily_until}
        ) AS stored
        FULL JOIN (
            SELECT
                time_bucket('24 hours', bucket) AS bucket,
                user_block,
                bit_or(user_bits) AS user_bits
            FROM summed
            WHERE bucket >= {user_sets_daily_since} AND bucket < {user_sets_daily_until}
            GROUP BY 1, 2
        ) AS of_rows
            ON stored.bucket = of_rows.bucket
            AND stored.user_block = of_rows.user_block
    ) AS both_sides
    WHERE coalesce(stored_user_bits, 0::bit(4096)) <> coalesce(rows_user_bits, 0::bit(4096))
) AS different
ORDER BY bucket, name
LIMIT %(limit)s
