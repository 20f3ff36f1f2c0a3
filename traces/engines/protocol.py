"""Defines the methods of an engine. A new engine is one file of this folder with an `ENGINE`."""

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from traces.filters import EARLIEST, LATEST
from traces.write_cursor import WriteCursor

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(workspace_id)s::text, 0))"
"""For `Engine.lock`, on every server that is a PostgreSQL."""


class Aggregate(NamedTuple):
    """A continuous aggregate of TimescaleDB, and the time up to which it is materialized."""

    table: str
    watermark: datetime
    """`table` has the sums of all rows before it. Later rows are read from `traces`. It only moves forward."""


class RollupState(NamedTuple):
    """The time up to which the rollups of a workspace are filled."""

    filled_until: datetime
    """Later rows are in the narrowest buckets only, not in the wider ones. It only moves forward."""
    is_stable: bool = False
    """`filled_until` does not move while an answer is computed, so the current day and week can be read up to it."""
    aggregates: Mapping[str, Aggregate] = {}
    """By rollup table; on TimescaleDB only."""
    followed_since: datetime = EARLIEST
    followed_until: datetime = EARLIEST
    """The followers have the rows of this time."""
    traces_until: datetime = EARLIEST
    """`trace_totals` has the traces with a row before it."""
    sessions_until: datetime = EARLIEST
    """`session_summaries` has the rows before it."""

    def table_filled_until(self, table: str, is_filled_by_inserts: bool) -> datetime:
        """Returns the time before which the rollup table has all rows."""
        if self.aggregates:
            return self.aggregates[table].watermark
        return LATEST if is_filled_by_inserts else self.filled_until

    def has_table(self, table: str) -> bool:
        """Returns whether the engine has the rollup table: TimescaleDB has some wider widths only."""
        return not self.aggregates or table in self.aggregates

    def stored_table(self, table: str) -> str:
        """Returns the table in which the sums of a rollup table are stored."""
        return self.aggregates[table].table if self.aggregates else table


WORKSPACE = "workspace_id = %(workspace_id)s"


class Engine(Protocol):
    name: str
    """The value of ANALYTICS_ENGINE, and the name in the comment that the initial migration writes on `traces`."""

    finds_old_rows: bool
    """An index finds rows of any age. It does not if old rows are compressed: each search would read all of them."""

    hidden_workspace: str
    """The condition for the workspace in a search by another index than that of its key.

    To the planner all workspaces that its statistics do not know are empty, so the key, which begins with the
    workspace, looks as good as any other index. Where the condition is not a plain comparison, the key does not fit it.
    """

    chunk_bounds: str
    """A condition on the time of a row in the week or day from `{start}`, by which a search leaves out chunks."""

    has_followers: bool
    """The worker fills the followers, and `manage.py refill` fills them for older rows. Else the database does."""

    has_label_rows: bool
    """The table `label_rows` has a row for each label of a row."""

    sizes_sql: str
    """A SELECT of the `name`, `bytes` and `rows` of groups of tables, with all workspaces in them: "traces" first.
    Bytes and rows are about right; null where the database does not say them."""

    def complete_schema(self) -> None:
        """Adds to the migrated schema everything that depends on the settings. Runs after each `migrate`."""

    def lock(self, cursor: WriteCursor, workspace_id: UUID) -> None:
        """Makes other writers of the workspace wait until the transaction ends."""

    def insert(self, cursor: WriteCursor, batch: Mapping[str, Any], oldest: datetime, newest: datetime) -> int:
        """Stores the rows of a batch that are not stored yet, and adds them to the rollups. Returns their number."""

    def correct(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        """Changes stored rows, and the rollups with them."""

    def merge(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        """Changes all columns of stored rows but their key, and the rollups with them."""

    def move(self, cursor: WriteCursor, workspace_id: UUID, moved: Sequence[Mapping[str, Any]]) -> None:
        """Moves rows from their `stored_at` to their `timestamp`, and the rollups with them."""

    def rollup_states(self, workspace_ids: Set[UUID], is_stable: bool) -> dict[UUID, RollupState]:
        """Returns for each workspace the time up to which its rollups are filled."""

    def has_closed_hours_since(self, states: Mapping[UUID, RollupState]) -> bool:
        """Returns whether an hour was closed since these stable states were read."""

    def delete_old(self, now: datetime, is_due: Callable[[UUID], bool]) -> None:
        """Deletes what is past its retention in the workspaces that are due, unless the database does so itself."""

    def close_hours(self, now: datetime) -> None:
        """Fills the sums of all hours that have ended, unless the database does so itself."""

    def follow(self, now: datetime) -> None:
        """Fills the followers, unless the database does so itself."""

    def fill_now(self, start: datetime, end: datetime) -> None:
        """Brings the sums of a time up to its rows, where the database does so some minutes later."""
