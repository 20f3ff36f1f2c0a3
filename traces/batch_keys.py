"""The keys of the rows that a batch changes, as arrays of an SQL statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from traces.row import KEY_COLUMNS


def json_keys(batch: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Returns the keys of the rows of a batch, whose columns are JSON. A key that it names twice is one row."""
    return arrays(zip(*(orjson.loads(batch[name]) for name in KEY_COLUMNS), strict=True))


def moved_keys(moved: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Returns the keys of moved rows, at their old time and at the new one."""
    return arrays((row["trace_id"], row["span_id"], row[time]) for time in ("stored_at", "timestamp") for row in moved)


def arrays(keys: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    distinct = dict.fromkeys(keys)
    return {name: [key[index] for key in distinct] for index, name in enumerate(KEY_COLUMNS)}
