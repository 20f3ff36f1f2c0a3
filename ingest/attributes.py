"""Reads the fields of one span from its attributes, by the clients' names."""

from collections import defaultdict
from typing import Any

from ingest.client_rules import INDEX, PLACEHOLDERS, Place
from ingest.fields import Field, Path
from ingest.values import structure, token_count, value_at
from traces.text import NAME_LENGTH, clean

FoundPlaces = dict[Field, tuple[Place, ...]]
"""For each field the places that a span has, in the order in which they are tried."""

MAX_SHAPES = 512
MAX_SHAPE_LENGTH = 4 * 1024
"""Characters of all names together. Both limits bound the memory for `shapes`."""

shapes: dict[tuple[str, ...], FoundPlaces] = {}
"""The places by the names of a span's attributes. Most spans share their names with others, so few are searched."""


def places_of(names: tuple[str, ...]) -> FoundPlaces:
    places = shapes.get(names)
    if places is None:
        places = find_places(names)
        if sum(map(len, names)) <= MAX_SHAPE_LENGTH:
            if len(shapes) >= MAX_SHAPES:
                shapes.clear()
            shapes[names] = places
    return places


def find_places(names: tuple[str, ...]) -> FoundPlaces:
    by_field: dict[Field, list[tuple[int, str, Path]]] = defaultdict(list)
    for name in INDEX.keys() & set(names):
        for field, number, path in INDEX[name]:
            by_field[field].append((number, name, path))
    return {field: tuple((name, path) for _, name, path in sorted(places)) for field, places in by_field.items()}


class Attributes:
    """The attributes of one span. JSON inside a text is parsed once, when it is first read."""

    __slots__ = ("parsed", "places", "values")

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.parsed: dict[str, Any] = {}
        self.places = places_of(tuple(values))

    def values_of(self, field: Field) -> list[Any]:
        """Returns the values of the field, in the order in which its names are tried."""
        return [value for place in self.places.get(field, ()) if (value := self.read(*place)) is not None]

    def read(self, name: str, path: Path) -> Any:
        value = value_at(self.structure(name), path) if path else self.values[name]
        return None if type(value) is str and (not value or value.startswith(PLACEHOLDERS)) else value

    def has(self, field: Field) -> bool:
        """Returns whether the span has an attribute of this field, even an empty one."""
        return field in self.places

    def text(self, field: Field, length: int = NAME_LENGTH) -> str | None:
        for place in self.places.get(field, ()):
            value = self.read(*place)
            if isinstance(value, str):
                return clean(value, length)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return clean(str(value), length)
        return None

    def count(self, field: Field) -> int | None:
        for place in self.places.get(field, ()):
            if (count := token_count(self.read(*place))) is not None:
                return count
        return None

    def number(self, field: Field) -> float | None:
        """Returns a number that can be a measurement: above 0 and below a billion."""
        for place in self.places.get(field, ()):
            value = self.read(*place)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9:
                return value
        return None

    def structure(self, name: str) -> Any:
        """Returns the attribute, parsed if it is JSON in a text."""
        if name not in self.parsed:
            self.parsed[name] = structure(self.values.get(name))
        return self.parsed[name]
