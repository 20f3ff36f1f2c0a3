"""What each engine does in its own way. A new engine is one file of this folder with an `ENGINE`."""

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from traces.filters import LATEST
from traces.write_cursor import WriteCursor


class Aggregate(NamedTuple):
    """A continuous aggregate of TimescaleDB, as far as it is materialized."""

    table: str
    watermark: datetime
    """`table` has the sums of all rows before. Rows from here on are read themselves. It only moves forward."""


class RollupState(NamedTuple):
    """Up to where the rollups of a workspace are filled."""

    filled_until: datetime
    """The wider buckets hold no rows from here on, only the narrowest do. It only moves forward."""
    is_stable: bool = False
    """It does not move while an answer is computed, so the day and week that have begun can be read up to it."""
    aggregates: Mapping[str, Aggregate] = {}
    """By rollup table; on TimescaleDB alone."""

    def table_filled_until(self, table: str, is_filled_by_inserts: bool) -> datetime:
        """The rollup table holds all rows before this moment."""
        if self.aggregates:
            return self.aggregates[table].watermark
        return LATEST if is_filled_by_inserts else self.filled_until

    def stored_table(self, table: str) -> str:
        """The table that holds those sums."""
        return self.aggregates[table].table if self.aggregates else table


class Engine(Protocol):
    name: str
    """As in ANALYTICS_ENGINE, and in the comment that the initial migration leaves on `traces`."""

    def create(self) -> None:
        """Completes the migrated schema by what depends on the settings. Runs after each `migrate`."""

    def lock(self, cursor: WriteCursor, workspace_id: UUID) -> None:
        """Keeps other writers of the workspace away until the transaction ends."""

    def insert(self, cursor: WriteCursor, batch: Mapping[str, Any], oldest: datetime, newest: datetime) -> int:
        """Stores the rows of a batch that are not stored yet, and adds them to the rollups. Answers how many."""

    def correct(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        """Changes stored rows, and the rollups with them."""

    def move(self, cursor: WriteCursor, row: Mapping[str, Any]) -> None:
        """Moves a row from `stored_at` to `timestamp`, and the rollups with it."""

    def rollup_states(self, workspace_ids: Set[UUID], is_stable: bool) -> dict[UUID, RollupState]:
        """Up to where the rollups of each workspace are filled."""

    def has_closed_hours_since(self, states: Mapping[UUID, RollupState]) -> bool:
        """Whether an hour was closed since these stable states were read."""

    def retain(self, now: datetime) -> str:
        """Deletes what is past its retention, or sees to it. Answers with a sentence on what it did."""

    def distribute(self) -> list[str]:
        """Spreads the tables over a cluster. Answers with those that were not distributed before."""
