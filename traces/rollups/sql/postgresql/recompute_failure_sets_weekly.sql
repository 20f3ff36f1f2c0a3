-- Makes the sets of users again after calls were taken away. Users without a call are left out.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH present AS MATERIALIZED (
    SELECT
        start,
        status,
        error_type,
        user_block,
        bit_or(user_bits) AS user_bits
    FROM (
        SELECT DISTINCT time_bucket('168 hours', hour) AS start
        FROM unnest(%(hours)s::timestamptz[]) AS hour
    ) AS touched
    JOIN failure_sets_daily ON bucket >= start AND bucket < start + interval '168 hours'
    WHERE workspace_id = %(workspace_id)s
    GROUP BY 1, 2, 3, 4
)
UPDATE failure_sets_weekly
SET user_bits = coalesce((
    SELECT present.user_bits
    FROM present
    WHERE start = failure_sets_weekly.bucket
        AND present.user_block = failure_sets_weekly.user_block
        AND present.status IS NOT DISTINCT FROM failure_sets_weekly.status
        AND present.error_type IS NOT DISTINCT FROM failure_sets_weekly.error_type
), 0::bit(4096))
WHERE workspace_id = %(workspace_id)s
    AND bucket = ANY(ARRAY(
        SELECT DISTINCT time_bucket('168 hours', hour) AS start
        FROM unnest(%(hours)s::timestamptz[]) AS hour
    ))
