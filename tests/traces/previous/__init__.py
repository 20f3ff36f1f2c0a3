"""The version before environment, release, labels, tool and first token, as far as it writes rows.

The SQL files here are those that it ran, and stay as they are: an upgrade must take what they have stored, and old
processes run them beside new ones.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from tests.tenant import a_row
from traces.engines.postgresql import hour_of
from traces.engines.protocol import LOCK
from traces.row import COLUMNS, Row
from traces.scores import COLUMNS as SCORE_COLUMNS
from traces.scores import Score
from traces.write_cursor import WriteCursor, write_cursor
from traces.writer import as_json, columns, user_numbers

FOLDER = Path(__file__).parent
NEW_COLUMNS = ("environment", "release", "labels", "tool", "first_token_ms")
OLD_COLUMNS = tuple(name for name in COLUMNS if name not in NEW_COLUMNS)
FILLED_UNTIL = "SELECT filled_until FROM rollup_state WHERE workspace_id = %(workspace_id)s"
OLDEST_OPEN_HOUR = """
SELECT time_bucket('1 hour', min(bucket)) FROM totals_minutely WHERE workspace_id = %(workspace_id)s
"""


def store(workspace_id: UUID, rows: Sequence[Row], engine: str = "postgresql") -> None:
    """Stores rows as its writer did."""
    with write_cursor() as cursor:
        params = {"workspace_id": workspace_id}
        cursor.execute(LOCK, params)
        batch = params | columns(OLD_COLUMNS, rows)
        batch["user_number"] = as_json(user_numbers(cursor, workspace_id, rows))
        if engine == "postgresql":
            batch["filled_until"] = close_hours(cursor, params, rows)
        cursor.execute((FOLDER / f"{engine}_insert.sql").read_text(), batch)


def write_scores(workspace_id: UUID, given: Sequence[Score]) -> None:
    """Stores scores as its writer did, without what it did not know."""
    values = [{name: getattr(score, name) for name in SCORE_COLUMNS if name not in NEW_COLUMNS} for score in given]
    with write_cursor() as cursor:
        cursor.execute(LOCK, {"workspace_id": workspace_id})
        params = {"workspace_id": workspace_id, "scores": orjson.dumps(values, default=str).decode()}
        cursor.execute((FOLDER / "write_scores.sql").read_text(), params)


def close_hours(cursor: WriteCursor, params: dict[str, Any], rows: Sequence[Row]) -> Any:
    until = hour_of(max(row.timestamp for row in rows) - timedelta(minutes=10))
    cursor.execute(FILLED_UNTIL, params)
    filled_until = next((moment for (moment,) in cursor.fetchall()), None)
    if filled_until is None or filled_until < until:
        cursor.execute(OLDEST_OPEN_HOUR, params)
        [(oldest,)] = cursor.fetchall()
        since = filled_until or oldest or until
        cursor.execute(
            (FOLDER / "postgresql_close_hours.sql").read_text(), {**params, "filled_until": since, "until": until}
        )
        return until
    return filled_until


def old_row(*args: Any, **values: Any) -> Row:
    """Makes a row without what that version did not know."""
    return a_row(*args, **{name: value for name, value in values.items() if name not in NEW_COLUMNS})
