-- Removes users who have lost a call, and have no other, from the sets of these buckets.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH lost AS (
    SELECT DISTINCT
        time_bucket('24 hours', hour) AS bucket,
        user_number
    FROM unnest(
        %(hour)s::timestamptz[], %(user_number)s::integer[], %(status)s::text[], %(error_type)s::text[]
    ) AS lost (hour, user_number, status, error_type)
    WHERE coalesce(user_number, -1) >= 0
), gone AS (
    SELECT
        bucket,
        user_number / 4096 AS user_block,
        bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
    FROM lost
    WHERE NOT EXISTS (
        SELECT
        FROM generate_series(
            bucket, bucket + interval '24 hours' - interval '1 hour', interval '1 hour'
        ) AS start
        CROSS JOIN LATERAL (
            SELECT
            FROM user_sets_hourly
            WHERE workspace_id = %(workspace_id)s
                AND bucket = start
                AND user_block = lost.user_number / 4096
                AND get_bit(user_bits, mod(lost.user_number, 4096)) = 1
            OFFSET 0
        ) AS found
        OFFSET 0
    )
    GROUP BY 1, 2
)
INSERT INTO user_sets_daily (
    workspace_id,
    bucket,
    user_block,
    user_bits
)
SELECT
    %(workspace_id)s::uuid AS workspace_id,
    bucket,
    gone.user_block,
    stored.user_bits & ~gone.user_bits AS user_bits
FROM gone
CROSS JOIN LATERAL (
    SELECT user_bits
    FROM user_sets_daily
    WHERE workspace_id = %(workspace_id)s
        AND bucket = gone.bucket
        AND user_block = gone.user_block
    OFFSET 0
) AS stored
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
    user_bits = excluded.user_bits
