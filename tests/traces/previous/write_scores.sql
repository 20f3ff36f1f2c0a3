WITH batch AS (
    SELECT *
    FROM json_to_recordset(%(scores)s::json) AS batch (id text, timestamp timestamptz, name text, trace_id text, span_id text, session_id text, number numeric, category text, comment text, source text, author text, agent_id text, provider text, model text, operation text, user_id text)
), replaced AS (
    SELECT id, timestamp, name, trace_id, span_id, session_id, number, category, comment, source, author, agent_id, provider, model, operation, user_id
    FROM scores
    WHERE workspace_id = %(workspace_id)s AND id IN (SELECT id FROM batch)
), written AS (
    INSERT INTO scores (workspace_id, id, timestamp, name, trace_id, span_id, session_id, number, category, comment, source, author, agent_id, provider, model, operation, user_id)
    SELECT %(workspace_id)s, id, timestamp, name, trace_id, span_id, session_id, number, category, comment, source, author, agent_id, provider, model, operation, user_id
    FROM batch
    ON CONFLICT (workspace_id, id) DO UPDATE SET timestamp = excluded.timestamp, name = excluded.name, trace_id = excluded.trace_id, span_id = excluded.span_id, session_id = excluded.session_id, number = excluded.number, category = excluded.category, comment = excluded.comment, source = excluded.source, author = excluded.author, agent_id = excluded.agent_id, provider = excluded.provider, model = excluded.model, operation = excluded.operation, user_id = excluded.user_id
    RETURNING 1
), changes AS (
    SELECT 1 AS sign, *
    FROM batch
    UNION ALL
    SELECT -1 AS sign, *
    FROM replaced
), summed AS (
    INSERT INTO score_sums_hourly (
        workspace_id, bucket, name, agent_id, provider, model, category, scores, numbers, number, squared_number
    )
    SELECT
        %(workspace_id)s,
        date_bin('1 hour', timestamp, timestamptz '2000-01-03 00:00:00+00'),
        name,
        agent_id,
        provider,
        model,
        category,
        sum(sign),
        sum(sign * (number IS NOT NULL)::integer),
        sum(sign * coalesce(number, 0)),
        sum(sign * coalesce(number * number, 0))
    FROM changes
    GROUP BY 2, 3, 4, 5, 6, 7
    ORDER BY 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, bucket, name, agent_id, provider, model, category) DO UPDATE SET
        scores = score_sums_hourly.scores + excluded.scores,
        numbers = score_sums_hourly.numbers + excluded.numbers,
        number = score_sums_hourly.number + excluded.number,
        squared_number = score_sums_hourly.squared_number + excluded.squared_number
)
SELECT count(*) FROM written
