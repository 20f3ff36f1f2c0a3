"""Checks documents: first their form, then that each panel asks a question that the product answers.

Every error names its place, like `panels[2].measures[0]: unknown measure "call"; did you mean calls?`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import orjson
from pydantic import ValidationError

from analytics import query_parameters
from analytics.query_measures import TOOL
from analytics.query_string import NOT, query_errors
from dashboards.document import (
    CATEGORY_KINDS,
    COLUMNS,
    MAX_BYTES,
    MAX_ROW,
    DashboardDocument,
    Panel,
    Place,
)
from dashboards.questions import is_query, query_of, window_query
from web.problems import FieldError, Problem

Loc = tuple[str | int, ...]
MESSAGES = {
    "extra_forbidden": "unknown field",
    "missing": "required",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
QUESTION_FIELDS = ("measures", "by", "order", "compare", "granularity", "limit")
"""Parameters of a question that a panel has as fields."""


# --- Places in a document ---


def path_of(loc: Sequence[str | int]) -> str:
    """Returns a place as people write it, like panels[2].measures[0]."""
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def sentence(error: FieldError) -> str:
    """Returns an error with its path in the document."""
    loc = error["loc"][1:] if error["loc"][:1] == ["body"] else error["loc"]
    return f"{path_of(loc)}: {error['msg']}" if loc else error["msg"]


def field_errors(error: ValidationError, before: Loc = ()) -> list[FieldError]:
    """Returns one error for each place."""
    errors: dict[Loc, FieldError] = {}
    for detail in error.errors(include_url=False, include_input=False):
        # Pydantic says by [key] that the name of a field of an object is wrong.
        loc = (*before, *(part for part in detail["loc"] if part != "[key]"))
        errors.setdefault(loc, {"loc": ["body", *loc], "msg": message(cast(Any, detail))})
    return list(errors.values())


def message(detail: dict[str, Any]) -> str:
    """Returns a Pydantic error in words."""
    kind, facts = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return f"must be one of {facts['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    words: str = MESSAGES.get(kind, detail["msg"])
    return words.format(**facts) if kind in MESSAGES else words


# --- Parsing ---


def parse(value: Any) -> DashboardDocument:
    """Returns the document, or raises a 422 Problem with every error."""
    check_size(value)
    try:
        document = DashboardDocument.model_validate(value)
    except ValidationError as error:
        raise problem(field_errors(error)) from error
    errors = [*names_twice(document), *question_errors(document)]
    if errors:
        raise problem(errors)
    document = settled(document)
    if errors := list(places_too_far(document)):
        raise problem(errors)
    return document


def parse_change(value: Any, before: dict[str, Any]) -> dict[str, Any]:
    """Returns the document as it is stored, or raises a 422 Problem.

    A panel that is invalid and was so before stays as it is: it must not stop a change of something else.
    """
    panels = value.get("panels") if isinstance(value, dict) else None
    kept = kept_panels(panels, before) if isinstance(panels, list) else {}
    if not isinstance(panels, list) or not kept:
        return parse(value).as_json()
    places = [place for place in range(len(panels)) if place not in kept]
    try:
        document = parse(value | {"panels": [panels[place] for place in places]}).as_json()
    except Problem as found:
        raise problem([relocated(error, places) for error in found.errors]) from found
    for place, panel in kept.items():
        document["panels"].insert(place, panel)
    return document


def kept_panels(panels: list[Any], before: dict[str, Any]) -> dict[int, Any]:
    """Returns the panels, by their place, that are as before and were invalid then."""
    invalid = {panel.place_in_list for panel in stored(before).invalid}
    raw = [panel for place, panel in enumerate(before.get("panels", [])) if place in invalid]
    return {place: panel for place, panel in enumerate(panels) if panel in raw}


def relocated(error: FieldError, places: Sequence[int]) -> FieldError:
    """Returns the error with the place of its panel among all panels."""
    loc = list(error["loc"])
    if loc[1:2] == ["panels"] and len(loc) > 2:
        loc[2] = places[int(loc[2])]
    return {"loc": loc, "msg": error["msg"]}


def problem(errors: Sequence[FieldError]) -> Problem:
    return Problem(422, f"The dashboard is not valid. {sentence(errors[0])}", errors)


def check_size(value: Any) -> None:
    try:
        size = len(orjson.dumps(value))
    except orjson.JSONEncodeError as error:  # a lone surrogate
        raise problem([{"loc": ["body"], "msg": "has a text that cannot be stored"}]) from error
    if size > MAX_BYTES:
        raise problem([{"loc": ["body"], "msg": f"has {size:,} bytes, and {MAX_BYTES:,} are the most"}])


def names_twice(document: DashboardDocument) -> Iterator[FieldError]:
    """Yields an error for each panel and variable with the name of another before it."""
    for field, names in (
        ("panels", [panel.id for panel in document.panels]),
        ("variables", [variable.name for variable in document.variables]),
    ):
        part = "id" if field == "panels" else "name"
        for place, name in enumerate(names):
            if name in names[:place]:
                yield {"loc": ["body", field, place, part], "msg": f'"{name}" is the {part} of another before it'}


def question_errors(document: DashboardDocument) -> Iterator[FieldError]:
    """Yields the errors of the questions of the document. An error of the document's own part comes once."""
    own = list(shared_errors(document))
    yield from own
    if not own:
        for place, panel in enumerate(document.panels):
            yield from panel_errors(document, panel, ("panels", place))


def shared_errors(document: DashboardDocument) -> Iterator[FieldError]:
    """Yields what is wrong with the window, the filters and the variables."""
    if any(name.removeprefix(NOT) == TOOL for name in document.filters):
        yield {"loc": ["body", "filters"], "msg": "only a panel can be filtered by tool"}
        return
    empty = Panel(id="none", kind="text", place=Place(x=0, y=0, width=1, height=1))
    variables = {variable.dimension: place for place, variable in enumerate(document.variables)}
    for error in query_errors(window_query(document, empty)):
        name = str(error["loc"][1])
        yield {"loc": ["body", *shared_place(name, variables)], "msg": error["msg"]}


def shared_place(name: str, variables: dict[str, int]) -> list[str | int]:
    if name in ("range", "start", "end"):
        return ["range", name]
    if name in variables:
        return ["variables", variables[name], "default"]
    return ["granularity"] if name == "granularity" else ["filters", name]


def panel_errors(document: DashboardDocument, panel: Panel, loc: Loc) -> Iterator[FieldError]:
    """Yields why a panel cannot be answered."""
    found = list(form_errors(panel))
    if not found:
        found = list(asked_errors(document, panel))
    for where, text in found:
        yield {"loc": ["body", *loc, *where], "msg": text}


def form_errors(panel: Panel) -> Iterator[tuple[Loc, str]]:
    """Yields what does not fit the kind of the panel."""
    if is_query(panel) and not panel.measures:
        yield ("measures",), f"a panel of the kind {panel.kind} has at least one measure"
    if panel.kind in CATEGORY_KINDS and not panel.by:
        yield ("by",), f"a panel of the kind {panel.kind} needs a dimension"
    if panel.kind == "number" and panel.by:
        yield ("by",), "a number has no dimension"
    if panel.kind == "text" and not panel.text.strip():
        yield ("text",), "a panel of the kind text needs a text"
    if not is_query(panel) and any(name.removeprefix(NOT) == TOOL for name in panel.filters):
        yield ("filters",), f"a panel of the kind {panel.kind} cannot be filtered by tool"


def asked_errors(document: DashboardDocument, panel: Panel) -> Iterator[tuple[Loc, str]]:
    """Yields what is wrong with the panel's question, as the API says it."""
    if is_query(panel):
        errors = query_parameters.errors(query_of(document, panel))
    else:
        errors = query_errors(window_query(document, panel))
    for error in errors:
        name = str(error["loc"][1])
        yield ((name,) if name in QUESTION_FIELDS else ("filters", name)), error["msg"]


# --- Places on the grid ---


def settled(document: DashboardDocument) -> DashboardDocument:
    """Returns the document with no panel over another: the later one moves down until it is free."""
    places = {index: panel.place for index, panel in enumerate(document.panels)}
    placed: dict[int, Place] = {}
    for index in sorted(places, key=lambda index: (places[index].y, places[index].x, index)):
        placed[index] = free_place(places[index], list(placed.values()))
    panels = [panel.model_copy(update={"place": placed[index]}) for index, panel in enumerate(document.panels)]
    return document.model_copy(update={"panels": panels})


def free_place(place: Place, taken: Sequence[Place]) -> Place:
    """Returns the first place at or below this one that none of the others covers."""
    while covering := [other for other in taken if overlap(place, other)]:
        place = place.model_copy(update={"y": max(other.y + other.height for other in covering)})
    return place


def overlap(one: Place, other: Place) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def places_too_far(document: DashboardDocument) -> Iterator[FieldError]:
    for place, panel in enumerate(document.panels):
        if panel.place.y > MAX_ROW:
            text = f"there is no free place above row {MAX_ROW}"
            yield {"loc": ["body", "panels", place, "place", "y"], "msg": text}


def next_place(document: DashboardDocument, width: int = COLUMNS // 2, height: int = 6) -> Place:
    """Returns a free place: beside the last panel if there is room, or else below all."""
    taken = [panel.place for panel in document.panels]
    last = max(taken, key=lambda place: (place.y, place.x), default=None)
    if last and last.x + last.width + width <= COLUMNS:
        beside = Place(x=last.x + last.width, y=last.y, width=width, height=height)
        if not any(overlap(beside, other) for other in taken):
            return beside
    bottom = max((place.y + place.height for place in taken), default=0)
    return Place(x=0, y=bottom, width=width, height=height)


# --- Documents that were stored by another version ---


class InvalidPanel(NamedTuple):
    """A stored panel that is no longer valid."""

    place_in_list: int
    id: str
    title: str
    place: Place
    errors: list[str]
    """Sentences that name the place within the panel."""


class Stored(NamedTuple):
    document: DashboardDocument
    """With the valid panels only."""
    invalid: list[InvalidPanel]
    errors: list[str]
    """What is wrong beside the panels. Such parts have their defaults in `document`."""


def stored(value: dict[str, Any]) -> Stored:
    """Reads a stored document. What is no longer valid is left out and named, and harms nothing else."""
    document, errors = readable(value)
    valid: list[Panel] = []
    invalid: list[InvalidPanel] = []
    for place, raw in enumerate(value.get("panels", [])):
        panel, faults = readable_panel(document, raw)
        if panel and not faults:
            valid.append(panel)
        else:
            invalid.append(invalid_panel(raw, place, panel, faults))
    return Stored(document.model_copy(update={"panels": valid}), invalid, errors)


def only_panel(value: dict[str, Any], panel_id: str) -> dict[str, Any]:
    """Returns the document with one of its panels: checking all of them takes longer than an answer from the cache."""
    return value | {"panels": [panel for panel in value.get("panels", []) if panel.get("id") == panel_id]}


def readable(value: dict[str, Any]) -> tuple[DashboardDocument, list[str]]:
    """Returns the document without its panels, and what is wrong with it."""
    rest = {name: part for name, part in value.items() if name != "panels"}
    errors: list[FieldError] = []
    while True:
        try:
            document = DashboardDocument.model_validate(rest)
            found = list(shared_errors(document))
        except ValidationError as error:
            found = field_errors(error)
        wrong = {str(error["loc"][1]) for error in found} & rest.keys()
        if not wrong:
            return DashboardDocument.model_validate({"name": "Dashboard"} | rest), [sentence(e) for e in errors]
        errors += found
        rest = {name: part for name, part in rest.items() if name not in wrong}


def readable_panel(document: DashboardDocument, raw: Any) -> tuple[Panel | None, list[str]]:
    try:
        panel = Panel.model_validate(raw)
    except ValidationError as error:
        return None, [sentence(found) for found in field_errors(error)]
    return panel, [sentence(found) for found in panel_errors(document, panel, ())]


def invalid_panel(raw: Any, place: int, panel: Panel | None, faults: list[str]) -> InvalidPanel:
    if panel:
        return InvalidPanel(place, panel.id, panel.title, panel.place, faults)
    fields = raw if isinstance(raw, dict) else {}
    name, title = str(fields.get("id", f"panel-{place}")), str(fields.get("title", ""))
    return InvalidPanel(place, name, title, readable_place(fields), faults)


def readable_place(fields: dict[str, Any]) -> Place:
    try:
        return Place.model_validate(fields.get("place"))
    except ValidationError:
        return Place(x=0, y=MAX_ROW, width=COLUMNS // 2, height=4)
