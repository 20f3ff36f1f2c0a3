-- Adds indexes for users and sessions.
-- Made by `python -m traces.rollups` from traces/rollups/. Do not edit.

DROP INDEX CONCURRENTLY IF EXISTS idx_traces_workspace_user;

CREATE INDEX CONCURRENTLY idx_traces_workspace_user ON traces (workspace_id, user_number, timestamp) WHERE user_number IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS idx_traces_workspace_session;

CREATE INDEX CONCURRENTLY idx_traces_workspace_session ON traces (hashtextextended(session_id, uuid_hash_extended(workspace_id, 0)), timestamp) WHERE session_id IS NOT NULL;
