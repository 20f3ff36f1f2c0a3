-- Deletes the labels of some rows.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.
DELETE FROM label_rows
WHERE workspace_id = %(workspace_id)s
    AND timestamp BETWEEN %(first)s AND %(last)s
    AND (timestamp, span_hash) IN (
        SELECT batch.timestamp, hashtextextended(span_id, hashtextextended(trace_id, 0))
        FROM unnest(%(trace_id)s::text[], %(span_id)s::text[], %(timestamp)s::timestamptz[]) AS batch (trace_id, span_id, timestamp)
    )
