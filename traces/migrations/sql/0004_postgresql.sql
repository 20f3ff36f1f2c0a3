-- Adds a row for each trace, by which lists of traces are sorted and filtered, on PostgreSQL, and on Citus.

-- The worker fills it behind the writers, up to rollup_state.traces_until: traces/trace_totals.py.
CREATE TABLE trace_totals (
    workspace_id uuid NOT NULL,
    trace_id text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    latency_ms double precision NOT NULL,
    cost_usd double precision,
    tokens double precision NOT NULL,
    spans integer NOT NULL,
    keys bigint[] NOT NULL,
    UNIQUE (workspace_id, trace_id)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);

-- The planner decides by how frequent a value of a filter is on a day. It must know more than the usual 1,000 of them.
ALTER TABLE trace_totals ALTER COLUMN keys SET STATISTICS 1000;

CREATE INDEX idx_trace_totals_newest ON trace_totals (workspace_id, started_at, trace_id);

-- Of each day the most: a window merges its days.
CREATE INDEX idx_trace_totals_slowest ON trace_totals (
    workspace_id,
    date_bin('24 hours', started_at, timestamptz '2000-01-03 00:00:00+00'),
    latency_ms DESC,
    trace_id
);

CREATE INDEX idx_trace_totals_costliest ON trace_totals (
    workspace_id,
    date_bin('24 hours', started_at, timestamptz '2000-01-03 00:00:00+00'),
    cost_usd DESC,
    trace_id
)
WHERE cost_usd IS NOT NULL;

CREATE INDEX idx_trace_totals_most_tokens ON trace_totals (
    workspace_id,
    date_bin('24 hours', started_at, timestamptz '2000-01-03 00:00:00+00'),
    tokens DESC,
    trace_id
);

-- The worker adds to it, so no reader need wait for a list of what is still to be added.
CREATE INDEX idx_trace_totals_keys ON trace_totals USING gin (keys) WITH (fastupdate = off);

ALTER TABLE rollup_state ADD COLUMN traces_until timestamptz;
