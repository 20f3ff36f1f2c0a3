-- Makes the sets of users again after calls were taken away. Users without a call are left out.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH present AS MATERIALIZED (
    SELECT
        start,
        status,
        error_type,
        user_number / 4096 AS user_block,
        bit_or(set_bit(0::bit(4096), mod(user_number, 4096), 1)) AS user_bits
    FROM (
        SELECT DISTINCT time_bucket('1 hour', hour) AS start
        FROM unnest(%(hours)s::timestamptz[]) AS hour
    ) AS touched
    JOIN failures_ten_minutely ON bucket >= start AND bucket < start + interval '1 hour'
    WHERE workspace_id = %(workspace_id)s AND calls > 0 AND bucket < %(filled_until)s
    GROUP BY 1, 2, 3, 4
)
UPDATE failure_sets_hourly
SET user_bits = coalesce((
    SELECT present.user_bits
    FROM present
    WHERE start = failure_sets_hourly.bucket
        AND present.user_block = failure_sets_hourly.user_block
        AND present.status IS NOT DISTINCT FROM failure_sets_hourly.status
        AND present.error_type IS NOT DISTINCT FROM failure_sets_hourly.error_type
), 0::bit(4096))
WHERE workspace_id = %(workspace_id)s
    AND bucket = ANY(ARRAY(
        SELECT DISTINCT time_bucket('1 hour', hour) AS start
        FROM unnest(%(hours)s::timestamptz[]) AS hour
    ))
