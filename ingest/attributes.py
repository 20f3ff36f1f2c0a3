"""Reads the fields of one span from its attributes, by the clients' names."""

from collections import defaultdict
from typing import Any, NamedTuple

from ingest import fields
from ingest.attribute_names import clean_name, is_content
from ingest.client_rules import INDEX, INDEX_OF_SPAN, PLACEHOLDERS, Index, Place
from ingest.fields import Field, Path
from ingest.messages import holds_message
from ingest.reported_cost import cost_part_of
from ingest.usage import part_of_attribute
from ingest.values import is_identifier, structure, token_count, unquoted, value_at
from traces.text import ID_LENGTH, NAME_LENGTH, clean

UNPLAIN = frozenset('"').union(text[0] for text in PLACEHOLDERS)
"""The first characters of texts that are not the value itself: texts in JSON quotes, and placeholders."""
FoundPlaces = dict[Field, tuple[Place, ...]]
"""For each field the places that a span has, in the order in which they are tried."""


class Shape(NamedTuple):
    """What the names of a span's attributes say about them."""

    places: FoundPlaces
    usage_parts: tuple[tuple[str, str], ...]
    """Attributes that count a part of the usage, and the part. They are recognised by the words in their names."""
    cost_parts: tuple[tuple[str, str], ...]
    """Attributes with a part of the cost, and their name without its beginning."""
    messages: tuple[str, ...]
    """Attributes that hold an error message."""
    has_details: bool
    """The usage may be more than the five counts."""
    stored_names: tuple[tuple[str, bool], ...]
    """For each attribute the name under which it is stored, and whether it holds contents."""


DETAIL_FIELDS = frozenset({fields.USAGE, fields.SERVICE_TIER, fields.SPEED})


MAX_SHAPES = 512
MAX_SHAPE_LENGTH = 4 * 1024
"""Characters of all names together. Both limits bound the memory for `shapes`."""

shapes: dict[tuple[str, tuple[str, ...]], Shape] = {}
"""The shapes by the span's name, where it matters, and the names of its attributes. Most spans share these with others,
so few are searched."""


def shape_of(span_name: str, names: tuple[str, ...]) -> Shape:
    key = span_name if span_name in INDEX_OF_SPAN else "", names
    shape = shapes.get(key)
    if shape is None:
        shape = find_shape(INDEX_OF_SPAN.get(span_name, INDEX), names)
        if sum(map(len, names)) <= MAX_SHAPE_LENGTH:
            if len(shapes) >= MAX_SHAPES:
                shapes.clear()
            shapes[key] = shape
    return shape


def find_shape(index: Index, names: tuple[str, ...]) -> Shape:
    unknown = [name for name in names if name not in index and len(name) <= NAME_LENGTH]
    usage_parts = tuple((name, part) for name in unknown if (part := part_of_attribute(name)))
    cost_parts = tuple((name, part) for name in unknown if (part := cost_part_of(name)))
    messages = tuple(filter(holds_message, names))
    places = find_places(index, names)
    has_details = bool(usage_parts) or not DETAIL_FIELDS.isdisjoint(places)
    stored_names = tuple((clean_name(name), is_content(name)) for name in names)
    return Shape(places, usage_parts, cost_parts, messages, has_details, stored_names)


def find_places(index: Index, names: tuple[str, ...]) -> FoundPlaces:
    by_field: dict[Field, list[tuple[int, str, Path]]] = defaultdict(list)
    for name in index.keys() & set(names):
        for field, number, path in index[name]:
            by_field[field].append((number, name, path))
    return {field: tuple((name, path) for _, name, path in sorted(places)) for field, places in by_field.items()}


class Attributes:
    """The attributes of one span. JSON inside a text is parsed once, when it is first read."""

    __slots__ = ("parsed", "places", "shape", "values")

    def __init__(self, values: dict[str, Any], span_name: str = "") -> None:
        self.values = values
        self.parsed: dict[str, Any] = {}
        self.shape = shape_of(span_name, tuple(values))
        self.places = self.shape.places

    def values_of(self, field: Field) -> list[Any]:
        """Returns the values of the field, in the order in which its names are tried."""
        return [value for place in self.places.get(field, ()) if (value := self.read(*place)) is not None]

    def read(self, name: str, path: Path) -> Any:
        value = value_at(self.structure(name), path) if path else self.values[name]
        if type(value) is not str or (value and value[0] not in UNPLAIN):
            return value
        value = unquoted(value)
        return value if value and not value.startswith(PLACEHOLDERS) else None

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

    def identifier(self, field: Field) -> str | None:
        """Returns the first value that names something: texts like `undefined` are what clients write without an id."""
        for place in self.places.get(field, ()):
            value = self.read(*place)
            if (
                isinstance(value, (str, int, float))
                and not isinstance(value, bool)
                and is_identifier(text := str(value))
            ):
                return clean(text, ID_LENGTH)
        return None

    def structure(self, name: str) -> Any:
        """Returns the attribute, parsed if it is JSON in a text."""
        if name not in self.parsed:
            self.parsed[name] = structure(self.values.get(name))
        return self.parsed[name]
