-- Makes the sets of users again after calls were taken away. Users without a call are left out.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
INSERT INTO user_sets_hourly (
    workspace_id,
    bucket,
    user_block,
    user_bits
)
SELECT
    workspace_id,
    start AS bucket,
    user_block,
    bit_or(user_bits) AS user_bits
FROM (
    SELECT
        workspace_id,
        start,
        user_number / 4096 AS user_block,
        set_bit(0::bit(4096), mod(user_number, 4096), 1) AS user_bits
    FROM (
        SELECT DISTINCT time_bucket('1 hour', hour) AS start
        FROM unnest(%(hours)s::timestamptz[]) AS hour
    ) AS touched
    JOIN users_ten_minutely ON bucket >= start AND bucket < start + interval '1 hour'
    WHERE workspace_id = %(workspace_id)s
        AND calls > 0
        AND bucket < %(filled_until)s
    UNION ALL
    SELECT
        workspace_id,
        bucket,
        user_block,
        0::bit(4096)
    FROM user_sets_hourly
    WHERE workspace_id = %(workspace_id)s
        AND bucket = ANY(ARRAY(
            SELECT DISTINCT time_bucket('1 hour', hour)
            FROM unnest(%(hours)s::timestamptz[]) AS hour
        ))
) AS users
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, bucket, user_block) DO UPDATE SET
    user_bits = excluded.user_bits
