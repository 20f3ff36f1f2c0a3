-- Compares the numbers of users and labels on rows with their names.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
SELECT 'traces' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM (
    SELECT
        timestamp AS bucket,
        jsonb_build_object('trace_id', trace_id, 'span_id', span_id) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'user_number',
            CASE WHEN user_number IS DISTINCT FROM right_user
                THEN jsonb_build_array(coalesce(user_number::text, 'none'), coalesce(right_user::text, 'none'))
            END,
            'label_numbers',
            CASE WHEN coalesce(label_numbers, '{{}}') <> right_labels
                THEN jsonb_build_array(coalesce(label_numbers::text, 'none'), right_labels::text)
            END
        )) AS measures
    FROM (
        SELECT
            timestamp,
            trace_id,
            span_id,
            user_number,
            label_numbers,
            (
                SELECT number
                FROM user_numbers
                WHERE workspace_id = %(workspace_id)s AND user_numbers.user_id = traces.user_id
            ) AS right_user,
            CASE WHEN labels IS NULL THEN '{{}}' ELSE ARRAY(
                SELECT DISTINCT coalesce(own.number, others.number) AS number
                FROM jsonb_each_text(labels) AS label (name, value)
                LEFT JOIN LATERAL (
                    SELECT number
                    FROM label_values
                    JOIN label_months USING (workspace_id, number)
                    WHERE workspace_id = %(workspace_id)s
                        AND label_values.name = label.name
                        AND label_values.value = label.value
                        AND month = date_trunc('month', traces.timestamp AT TIME ZONE 'UTC')::date
                ) AS own ON true
                LEFT JOIN LATERAL (
                    SELECT number
                    FROM label_values
                    JOIN label_months USING (workspace_id, number)
                    WHERE workspace_id = %(workspace_id)s
                        AND label_values.name = label.name
                        AND label_values.value = ''
                        AND month = date_trunc('month', traces.timestamp AT TIME ZONE 'UTC')::date
                ) AS others ON true
                WHERE coalesce(own.number, others.number) IS NOT NULL
                ORDER BY 1
            ) END AS right_labels
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND timestamp >= %(start)s AND timestamp < %(end)s
            AND (user_id IS NOT NULL OR user_number IS NOT NULL OR labels IS NOT NULL OR label_numbers IS NOT NULL)
    ) AS numbered
) AS compared
WHERE measures <> '{{}}'
ORDER BY bucket
LIMIT %(limit)s
