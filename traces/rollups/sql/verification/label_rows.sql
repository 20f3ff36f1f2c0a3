-- Compares the rows of labels, on TimescaleDB, with the labels of rows.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
SELECT 'label_rows' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        timestamp AS bucket,
        jsonb_build_object('span_hash', span_hash, 'label_number', label_number) AS key,
        jsonb_build_object(
            'rows', jsonb_build_array(sum(is_stored::integer), sum((NOT is_stored)::integer))
        ) AS measures
    FROM (
        SELECT true AS is_stored, timestamp, span_hash, label_number
        FROM label_rows
        WHERE workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s
        UNION ALL
        SELECT false, timestamp, hashtextextended(span_id, hashtextextended(trace_id, 0)), label_number
        FROM traces
        CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)
        WHERE workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s
    ) AS both_sides
    GROUP BY timestamp, span_hash, label_number
    HAVING sum(is_stored::integer) <> sum((NOT is_stored)::integer)
) AS compared
ORDER BY bucket
LIMIT %(limit)s
