-- Adds a row for each session, by which lists of sessions are sorted and filtered, on PostgreSQL, and on Citus.

LOCK TABLE rollup_state IN ACCESS EXCLUSIVE MODE;

-- The worker fills it behind the writers, up to rollup_state.sessions_until: traces/session_summaries.py.
CREATE TABLE session_summaries (
    workspace_id uuid NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    spans bigint NOT NULL,
    traces bigint NOT NULL,
    calls bigint NOT NULL,
    errors bigint NOT NULL,
    priced_calls bigint NOT NULL,
    cost_usd numeric NOT NULL,
    tokens bigint NOT NULL,
    duration_ms double precision NOT NULL,
    user_numbers integer[] NOT NULL,
    agents text[] COLLATE "C" NOT NULL,
    environments text[] COLLATE "C" NOT NULL,
    releases text[] COLLATE "C" NOT NULL,
    is_exact boolean NOT NULL,
    UNIQUE (workspace_id, session_id)
)
WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000, fillfactor = 80);

-- Finds the sessions that reach over the start of a window without their rows.
CREATE INDEX idx_session_summaries_time ON session_summaries (workspace_id, last_seen, started_at);

ALTER TABLE rollup_state ADD COLUMN sessions_until timestamptz;
