"""The numbers of labels: sums are kept by the number of a label, which stands for its name and its value.

The upper bits of a number stand for the name and the lower VALUE_BITS for the value, so the labels with one name are
one range of numbers. The value 0 stands for all values of the name that have no sums of their own.

In each calendar month (UTC) the first SUMMED_NAMES names get numbers, and the first SUMMED_VALUES values of each, in
the order in which they arrive: `label_months` lists them. All others stay on the rows, and questions for them read
rows. So whatever names and values a client invents, the sums are bounded.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from traces.db import rows
from traces.row import Row
from traces.write_cursor import WriteCursor

SUMMED_NAMES = 100
SUMMED_VALUES = 10_000
VALUE_BITS = 32
OTHERS = ""
"""Instead of a value: all values of the name that have no sums of their own. No label has an empty value."""


class Label(NamedTuple):
    """A label in a month."""

    month: date
    name: str
    value: str


NUMBERS = """
SELECT wanted.index, known.number, listed.number IS NOT NULL AS is_listed
FROM unnest(%(months)s::date[], %(names)s::text[], %(values)s::text[])
    WITH ORDINALITY AS wanted (month, name, value, index)
CROSS JOIN LATERAL (
    SELECT number
    FROM label_values
    WHERE workspace_id = %(workspace_id)s AND name = wanted.name AND value = wanted.value
    OFFSET 0
) AS known
LEFT JOIN LATERAL (
    SELECT number
    FROM label_months
    WHERE workspace_id = %(workspace_id)s AND month = wanted.month AND number = known.number
    OFFSET 0
) AS listed ON true
"""
LISTED_IN_MONTHS = """
SELECT month, number >> 32 AS name_number, count(*) AS numbers
FROM label_months
WHERE workspace_id = %(workspace_id)s AND month = ANY(%(months)s::date[])
GROUP BY 1, 2
"""
LAST_NUMBERS = """
SELECT number >> 32 AS name_number, max(number) AS last_number
FROM label_values
WHERE workspace_id = %(workspace_id)s
GROUP BY 1
"""
ADD_VALUES = """
INSERT INTO label_values (workspace_id, name, value, number)
SELECT %(workspace_id)s, name, value, number
FROM unnest(%(names)s::text[], %(values)s::text[], %(numbers)s::bigint[]) AS added (name, value, number)
"""
ADD_TO_MONTHS = """
INSERT INTO label_months (workspace_id, month, number)
SELECT %(workspace_id)s, month, number
FROM unnest(%(months)s::date[], %(numbers)s::bigint[]) AS added (month, number)
"""


def month_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date().replace(day=1)


def labels_of(row: Row) -> Iterator[Label]:
    """Yields the labels of a row, and for each name that of its other values."""
    for name, value in (row.labels or {}).items():
        yield from (Label(month_of(row.timestamp), name, text) for text in (value, OTHERS))


# --- Numbering, when rows are stored. Nobody else writes to the workspace now. ---


def label_numbers(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> list[list[int] | None]:
    """Returns for each row the numbers of its labels, and gives numbers to new labels."""
    labels = list(dict.fromkeys(label for row in rows if row.labels for label in labels_of(row)))
    numbers = numbers_of(cursor, workspace_id, labels) if labels else {}
    return [sorted(row_numbers(row, numbers)) or None if row.labels else None for row in rows]


def row_numbers(row: Row, numbers: Mapping[Label, int]) -> set[int]:
    """Returns the numbers of the labels of a row. A value that is not listed counts among the others of its name."""
    month, labels = month_of(row.timestamp), row.labels or {}
    found = (
        numbers.get(Label(month, name, value), numbers.get(Label(month, name, OTHERS)))
        for name, value in labels.items()
    )
    return {number for number in found if number is not None}


def numbers_of(cursor: WriteCursor, workspace_id: UUID, labels: Sequence[Label]) -> dict[Label, int]:
    """Returns the numbers of those labels that have sums of their own in their month."""
    known, listed = known_numbers(cursor, workspace_id, labels)
    missing = [label for label in labels if label not in listed]
    return listed | list_labels(cursor, workspace_id, missing, known, listed) if missing else listed


def known_numbers(
    cursor: WriteCursor, workspace_id: UUID, labels: Sequence[Label]
) -> tuple[dict[tuple[str, str], int], dict[Label, int]]:
    """Returns the numbers by name and value, and the numbers of the labels that are listed in their month."""
    months, names, values = zip(*labels, strict=True)
    params: Any = {"workspace_id": workspace_id, "months": list(months), "names": list(names), "values": list(values)}
    cursor.execute(NUMBERS, params)
    found = [(labels[index - 1], number, is_listed) for index, number, is_listed in cursor.fetchall()]
    known = {(label.name, label.value): number for label, number, _ in found}
    return known, {label: number for label, number, is_listed in found if is_listed}


def list_labels(
    cursor: WriteCursor,
    workspace_id: UUID,
    missing: Sequence[Label],
    known: dict[tuple[str, str], int],
    listed: Mapping[Label, int],
) -> dict[Label, int]:
    """Lists new labels in their months as far as there is room. Returns the numbers of those that are listed now."""
    params: Any = {"workspace_id": workspace_id, "months": list({label.month for label in missing})}
    cursor.execute(LISTED_IN_MONTHS, params)
    room = Room(cursor.fetchall())
    cursor.execute(LAST_NUMBERS, params)
    last_numbers = dict(cursor.fetchall())
    added: dict[Label, int] = {}
    new: dict[tuple[str, str], int] = {}
    # Names come before their values.
    for label in sorted(missing, key=lambda label: label.value != OTHERS):
        name = label._replace(value=OTHERS)
        name_number = added.get(name, listed.get(name))
        if not room.has_room(label, name_number):
            continue
        key = (label.name, label.value)
        if key not in known:
            known[key] = new[key] = next_number(label, name_number, last_numbers)
        added[label] = known[key]
        room.take(label, known[key])
    save(cursor, workspace_id, new, added)
    return added


class Room:
    """Counts the names of each month, and the values of each name, that are listed."""

    def __init__(self, listed: Iterable[tuple[date, int, int]]) -> None:
        self.names: Counter[date] = Counter()
        self.values: Counter[tuple[date, int]] = Counter()
        for month, name_number, numbers in listed:
            self.names[month] += 1
            self.values[month, name_number] = numbers - 1

    def has_room(self, label: Label, name_number: int | None) -> bool:
        if label.value == OTHERS:
            return self.names[label.month] < SUMMED_NAMES
        return name_number is not None and self.values[label.month, name_number >> VALUE_BITS] < SUMMED_VALUES

    def take(self, label: Label, number: int) -> None:
        if label.value == OTHERS:
            self.names[label.month] += 1
        else:
            self.values[label.month, number >> VALUE_BITS] += 1


def next_number(label: Label, name_number: int | None, last_numbers: dict[int, int]) -> int:
    """Returns the next free number: of a value after the last one of its name, of a name after the last name."""
    if label.value == OTHERS or name_number is None:
        number = (max(last_numbers, default=0) + 1) << VALUE_BITS
    else:
        number = last_numbers[name_number >> VALUE_BITS] + 1
    last_numbers[number >> VALUE_BITS] = number
    return number


def save(
    cursor: WriteCursor, workspace_id: UUID, new: Mapping[tuple[str, str], int], added: Mapping[Label, int]
) -> None:
    params: Any = {"workspace_id": workspace_id}
    if new:
        names, values = zip(*new, strict=True)
        cursor.execute(
            ADD_VALUES, params | {"names": list(names), "values": list(values), "numbers": list(new.values())}
        )
    if added:
        months = [label.month for label in added]
        cursor.execute(ADD_TO_MONTHS, params | {"months": months, "numbers": list(added.values())})


# --- Questions ---


LISTED_VALUES = """
SELECT value, number, array_agg(month) AS months
FROM label_values
JOIN label_months USING (workspace_id, number)
WHERE workspace_id = %(workspace_id)s
    AND name = %(name)s
    AND value = ANY(%(values)s::text[])
    AND month BETWEEN %(first)s AND %(last)s
GROUP BY value, number
"""


class NumberRange(NamedTuple):
    """The numbers of all labels with one name: from `first` to before `until`. `first` is that of the other values."""

    first: int
    until: int


def summed_numbers(workspace_id: UUID, name: str, values: Iterable[str], months: Sequence[date]) -> list[int] | None:
    """Returns the numbers of the values of a label. None: the sums of these months do not tell all of them apart.

    A value that is in no row has no number.
    """
    wanted = {*values}
    listed = listed_values(workspace_id, name, wanted | {OTHERS}, months)
    absent = [
        (value, month) for value in wanted for month in months if month not in listed.get(value, NOT_LISTED).months
    ]
    if absent and is_full(workspace_id, listed.get(OTHERS, NOT_LISTED), {month for _, month in absent}):
        return None
    return [listed[value].number for value in wanted if value in listed]


def name_range(workspace_id: UUID, name: str, months: Sequence[date]) -> NumberRange | None:
    """Returns the numbers of a label's name. None: not all of its labels in these months have numbers.

    A name that is in no row has an empty range.
    """
    own = listed_values(workspace_id, name, {OTHERS}, months).get(OTHERS, NOT_LISTED)
    if own.months != {*months} and is_full_of_names(workspace_id, {*months} - own.months):
        return None
    return NumberRange(own.number, own.number + (1 << VALUE_BITS) if own.number else 0)


class ListedValue(NamedTuple):
    number: int
    months: frozenset[date]


NOT_LISTED = ListedValue(0, frozenset())


def listed_values(
    workspace_id: UUID, name: str, values: Iterable[str], months: Sequence[date]
) -> dict[str, ListedValue]:
    params = {
        "workspace_id": workspace_id,
        "name": name,
        "values": list(values),
        "first": months[0],
        "last": months[-1],
    }
    found = rows(LISTED_VALUES, params)
    return {row["value"]: ListedValue(row["number"], frozenset(row["months"])) for row in found}


def is_full(workspace_id: UUID, name: ListedValue, months: Iterable[date]) -> bool:
    """Returns whether in one of the months a value of the name may have come too late to be listed."""
    counts = listed_in(workspace_id, months)
    full_values = name.number and any(
        counts[month, name.number >> VALUE_BITS] > SUMMED_VALUES for month in months if month in name.months
    )
    return bool(full_values) or has_too_many_names(counts, {month for month in months if month not in name.months})


def is_full_of_names(workspace_id: UUID, months: Iterable[date]) -> bool:
    return has_too_many_names(listed_in(workspace_id, months), months)


def has_too_many_names(counts: Mapping[tuple[date, int], int], months: Iterable[date]) -> bool:
    names = Counter(month for month, _ in counts)
    return any(names[month] >= SUMMED_NAMES for month in months)


def listed_in(workspace_id: UUID, months: Iterable[date]) -> Counter[tuple[date, int]]:
    """Returns how many numbers are listed by month and name. One of them is the name's own."""
    found = rows(LISTED_IN_MONTHS, {"workspace_id": workspace_id, "months": list(months)})
    return Counter({(row["month"], row["name_number"]): row["numbers"] for row in found})
