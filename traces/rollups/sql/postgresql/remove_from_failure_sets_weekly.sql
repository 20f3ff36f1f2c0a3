-- Removes users who have lost a call, and have no other, from the sets of these buckets.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH lost AS (
    SELECT DISTINCT
        time_bucket('168 hours', hour) AS bucket,
        status,
        error_type,
        user_number
    FROM unnest(
        %(hour)s::timestamptz[], %(user_number)s::integer[], %(status)s::text[], %(error_type)s::text[]
    ) AS lost (hour, user_number, status, error_type)
    WHERE status <> 'success' AND coalesce(user_number, -1) >= 0
), gone AS (
    SELECT
        bucket,
        status,
        error_type,
        user_number / 4096 AS user_block,
        bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
    FROM lost
    WHERE NOT EXISTS (
        SELECT
        FROM generate_series(
            bucket, bucket + interval '168 hours' - interval '24 hours', interval '24 hours'
        ) AS start
        CROSS JOIN LATERAL (
            SELECT
            FROM failure_sets_daily
            WHERE workspace_id = %(workspace_id)s
                AND bucket = start
                AND status = lost.status
                AND error_type = lost.error_type
                AND user_block = lost.user_number / 4096
                AND get_bit(user_bits, mod(lost.user_number, 4096)) = 1
            UNION ALL
            SELECT
            FROM failure_sets_daily
            WHERE workspace_id = %(workspace_id)s
                AND bucket = start
                AND status = lost.status
                AND error_type IS NULL
                AND lost.error_type IS NULL
                AND user_block = lost.user_number / 4096
                AND get_bit(user_bits, mod(lost.user_number, 4096)) = 1
            OFFSET 0
        ) AS found
        OFFSET 0
    )
    GROUP BY 1, 2, 3, 4
)
INSERT INTO failure_sets_weekly (
    workspace_id,
    bucket,
    status,
    error_type,
    user_block,
    user_bits
)
SELECT
    %(workspace_id)s::uuid AS workspace_id,
    bucket,
    gone.status,
    gone.error_type,
    gone.user_block,
    stored.user_bits & ~gone.user_bits AS user_bits
FROM gone
CROSS JOIN LATERAL (
    SELECT user_bits
    FROM failure_sets_weekly
    WHERE workspace_id = %(workspace_id)s
        AND bucket = gone.bucket
        AND status = gone.status
        AND error_type = gone.error_type
        AND user_block = gone.user_block
    UNION ALL
    SELECT user_bits
    FROM failure_sets_weekly
    WHERE workspace_id = %(workspace_id)s
        AND bucket = gone.bucket
        AND status = gone.status
        AND error_type IS NULL
        AND gone.error_type IS NULL
        AND user_block = gone.user_block
    OFFSET 0
) AS stored
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (workspace_id, bucket, status, error_type, user_block) DO UPDATE SET
    user_bits = excluded.user_bits
