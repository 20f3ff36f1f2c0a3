-- Compares the sums of scores with the scores.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
SELECT 'score_sums' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        bucket,
        jsonb_build_object('name', score_name, 'agent_id', agent_id, 'provider', provider, 'model', model, 'category', category, 'environment', environment, 'release', release) AS key,
        jsonb_strip_nulls(jsonb_build_object('scores', CASE WHEN stored_scores <> rows_scores THEN jsonb_build_array(stored_scores, rows_scores) END, 'numbers', CASE WHEN stored_numbers <> rows_numbers THEN jsonb_build_array(stored_numbers, rows_numbers) END, 'number', CASE WHEN stored_number <> rows_number THEN jsonb_build_array(stored_number, rows_number) END, 'squared_number', CASE WHEN stored_squared_number <> rows_squared_number THEN jsonb_build_array(stored_squared_number, rows_squared_number) END)) AS measures
    FROM (
        SELECT
            bucket, name AS score_name, agent_id, provider, model, category, environment, release,
            coalesce(sum(scores) FILTER (WHERE is_stored), 0) AS stored_scores,
            coalesce(sum(scores) FILTER (WHERE NOT is_stored), 0) AS rows_scores,
            coalesce(sum(numbers) FILTER (WHERE is_stored), 0) AS stored_numbers,
            coalesce(sum(numbers) FILTER (WHERE NOT is_stored), 0) AS rows_numbers,
            coalesce(sum(number) FILTER (WHERE is_stored), 0) AS stored_number,
            coalesce(sum(number) FILTER (WHERE NOT is_stored), 0) AS rows_number,
            coalesce(sum(squared_number) FILTER (WHERE is_stored), 0) AS stored_squared_number,
            coalesce(sum(squared_number) FILTER (WHERE NOT is_stored), 0) AS rows_squared_number
        FROM (
            SELECT true AS is_stored, bucket, name, agent_id, provider, model, category, environment, release, scores, numbers, number, squared_number
            FROM score_sums
            WHERE workspace_id = %(workspace_id)s AND bucket >= %(start)s AND bucket < %(end)s
            UNION ALL
            SELECT
                false, date_bin('1 hour', timestamp, timestamptz '2000-01-03 00:00:00+00') AS bucket, name, agent_id, provider, model, category, environment, release,
                count(*) AS scores, count(number) AS numbers, coalesce(sum(number), 0) AS number, coalesce(sum(number * number), 0) AS squared_number
            FROM scores
            WHERE workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s
            GROUP BY bucket, name, agent_id, provider, model, category, environment, release
        ) AS both_sides
        GROUP BY bucket, name, agent_id, provider, model, category, environment, release
    ) AS sums
) AS compared
WHERE measures <> '{{}}'
ORDER BY bucket
LIMIT %(limit)s
