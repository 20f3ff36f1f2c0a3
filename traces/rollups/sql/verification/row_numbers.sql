-- Compares the numbers of users and labels on rows with their names.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
WITH stored AS (
    SELECT
        timestamp,
        trace_id,
        span_id,
        user_id,
        user_number,
        labels,
        label_numbers,
        date_trunc('month', timestamp AT TIME ZONE 'UTC')::date AS month
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND timestamp >= %(start)s AND timestamp < %(end)s
        AND (user_id IS NOT NULL OR user_number IS NOT NULL OR labels IS NOT NULL OR label_numbers IS NOT NULL)
), different AS (
    SELECT DISTINCT month, labels
    FROM stored
    WHERE labels IS NOT NULL
), listed AS MATERIALIZED (
    SELECT month, name, value, number
    FROM label_values
    JOIN label_months USING (workspace_id, number)
    WHERE workspace_id = %(workspace_id)s AND month IN (SELECT month FROM different)
), right_labels AS (
    SELECT
        different.month,
        labels,
        array_agg(DISTINCT coalesce(own.number, others.number) ORDER BY coalesce(own.number, others.number))
            FILTER (WHERE coalesce(own.number, others.number) IS NOT NULL) AS numbers
    FROM different
    CROSS JOIN LATERAL jsonb_each_text(labels) AS label (name, value)
    LEFT JOIN listed AS own
        ON own.month = different.month AND own.name = label.name AND own.value = label.value
    LEFT JOIN listed AS others
        ON others.month = different.month AND others.name = label.name AND others.value = ''
    GROUP BY 1, 2
), compared AS (
    SELECT
        timestamp AS bucket,
        jsonb_build_object('trace_id', trace_id, 'span_id', span_id) AS key,
        jsonb_strip_nulls(jsonb_build_object(
            'user_number',
            CASE WHEN user_number IS DISTINCT FROM known.number
                THEN jsonb_build_array(coalesce(user_number::text, 'none'), coalesce(known.number::text, 'none'))
            END,
            'label_numbers',
            CASE WHEN coalesce(label_numbers, '{{}}') <> coalesce(numbers, '{{}}')
                THEN jsonb_build_array(coalesce(label_numbers::text, 'none'), coalesce(numbers::text, 'none'))
            END
        )) AS measures
    FROM stored
    LEFT JOIN (
        SELECT user_id, number
        FROM user_numbers
        WHERE workspace_id = %(workspace_id)s
    ) AS known USING (user_id)
    LEFT JOIN right_labels USING (month, labels)
)
SELECT 'traces' AS name, bucket, key::text, measures::text, count(*) OVER () AS differing
FROM compared
WHERE measures <> '{{}}'
ORDER BY bucket
LIMIT %(limit)s
