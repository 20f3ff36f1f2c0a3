"""The attributes of one span, read by the tables of `conventions`."""

import ast
from collections import defaultdict
from typing import Any

import orjson

from ingest.conventions import INDEX, SCRUBBED, Names, Path
from traces.text import NAME_LENGTH, clean

LONGEST_USAGE = 16 * 1024
MOST_TOKENS = 10**12
"""More is no count of one call, and sums of it would leave 64 bits."""


Places = dict[Names, tuple[tuple[str, Path], ...]]
"""Of each table what a span has of it, the first name first."""

MOST_SHAPES = 512
LONGEST_SHAPE = 4 * 1024
"""Characters of all names together: what is kept must stay small, whatever clients send."""

shapes: dict[tuple[str, ...], Places] = {}


def places_of(names: tuple[str, ...]) -> Places:
    """Spans of one kind have the same names: the tables are searched for the first of them only."""
    places = shapes.get(names)
    if places is None:
        places = searched(names)
        if sum(map(len, names)) <= LONGEST_SHAPE:
            if len(shapes) >= MOST_SHAPES:
                shapes.clear()
            shapes[names] = places
    return places


def searched(names: tuple[str, ...]) -> Places:
    found: dict[Names, list[tuple[int, str, Path]]] = defaultdict(list)
    for name in INDEX.keys() & set(names):
        for table, rank, path in INDEX[name]:
            found[table].append((rank, name, path))
    return {table: tuple((name, path) for _, name, path in sorted(ranked)) for table, ranked in found.items()}


class Attributes:
    """What is JSON inside a text is parsed once, and only if asked for."""

    __slots__ = ("parsed", "places", "values")

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.parsed: dict[str, Any] = {}
        self.places = places_of(tuple(values))

    def all(self, names: Names) -> list[Any]:
        """What the span says under these names, the first name first."""
        return [value for place in self.places.get(names, ()) if (value := self.at(*place)) is not None]

    def at(self, name: str, path: Path) -> Any:
        value = self.inside(name, path) if path else self.values[name]
        return None if type(value) is str and (not value or value.startswith(SCRUBBED)) else value

    def text(self, names: Names, length: int = NAME_LENGTH) -> str | None:
        for place in self.places.get(names, ()):
            value = self.at(*place)
            if isinstance(value, str):
                return clean(value, length)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return clean(str(value), length)
        return None

    def count(self, names: Names) -> int | None:
        for place in self.places.get(names, ()):
            if (number := whole(self.at(*place))) is not None:
                return number
        return None

    def number(self, names: Names) -> float | None:
        """One that measures something: above 0 and no accident."""
        for place in self.places.get(names, ()):
            value = self.at(*place)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9:
                return value
        return None

    def inside(self, name: str, path: Path) -> Any:
        if name not in self.parsed:
            self.parsed[name] = structure(self.values.get(name))
        value = self.parsed[name]
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value


def structure(value: Any) -> Any:
    """JSON, or the repr of a Python dict."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return literal(value)


def literal(text: str) -> Any:
    if not text.startswith("{") or len(text) > LONGEST_USAGE:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def whole(value: Any) -> int | None:
    """A token count, also where a client wrote it as text or as a float."""
    if type(value) is int:
        return value if 0 <= value <= MOST_TOKENS else None
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not value.isdecimal() or len(value) > 16:
            return None
        value = int(value)
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = int(value)
    return whole(value) if type(value) is int else None
