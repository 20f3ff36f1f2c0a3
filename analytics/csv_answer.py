"""Writes the answer of a metric or list as a CSV file, with exactly the rows of its JSON."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_type_hints
from unicodedata import category

import orjson
from django.http import HttpResponse, QueryDict
from django.utils.http import content_disposition_header

from traces.filters import Filters
from web.csv_text import cell, written

KEPT = frozenset("_.=,+-")
"""Signs that names of files keep, beside letters and digits."""
UNSAFE = re.compile(r"\0+")
LONGEST_NAME = 150
"""In bytes: Linux takes 255, with the end of the name."""

Row = Mapping[str, Any]


def data_response(query: QueryDict, body: bytes, name: str, filters: Filters, answer_type: Any) -> HttpResponse:
    """Returns the answer in the format that the query string names. `name` begins the name of the file."""
    if query.get("format") != "csv":
        return HttpResponse(body, content_type="application/json")
    response = HttpResponse(csv_of(orjson.loads(body), answer_type), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, file_name(name, filters))
    return response


def csv_of(answer: Row, answer_type: Any) -> bytes:
    """Writes the rows under `data`, or the answer itself as the only row.

    An object in a row has a column for each of its names.
    """
    rows = [flat(row) for row in answer.get("data", [answer])]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or declared_columns(answer_type)
    return written([columns, *([cell(row.get(name)) for name in columns] for row in rows)])


def flat(row: Row) -> Row:
    flattened: dict[str, Any] = {}
    for name, value in row.items():
        parts = value.items() if isinstance(value, dict) else ()
        flattened |= {f"{name}.{part}": one for part, one in parts} if parts else {name: value}
    return flattened


def declared_columns(answer_type: Any) -> Sequence[str]:
    """Returns the columns of an answer without rows."""
    rows = get_type_hints(answer_type).get("data")
    row = next(iter(get_args(rows)), None)
    return list(get_type_hints(row)) if hasattr(row, "__annotations__") else []


def file_name(name: str, filters: Filters) -> str:
    """Returns a name that says window, zone and filters, so that files of different questions have different names."""
    start, end = (moment.astimezone(filters.zone) for moment in (filters.start, filters.end))
    values = (
        f"{prefix}{key}={','.join(side)}"
        for key, one in filters.values.items()
        for prefix, side in (("", one.included), ("not_", one.excluded))
        if side
    )
    parts = (name, f"{start:%Y-%m-%dT%H%M}", f"{end:%Y-%m-%dT%H%M}", str(filters.zone), *values)
    return f"{safe_name(parts)}.csv"


def safe_name(parts: Iterable[str], room: int = LONGEST_NAME) -> str:
    """Joins the parts of a file's name: letters of all scripts stay, with their marks. It has at most `room` bytes."""
    joined = "_".join(UNSAFE.sub("-", "".join(map(safe_letter, part))) for part in parts)
    return joined.encode()[:room].decode(errors="ignore")


def safe_letter(letter: str) -> str:
    is_mark = category(letter).startswith("M")
    return letter if letter.isalnum() or is_mark or letter in KEPT else "\0"
