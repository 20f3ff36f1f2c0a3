"""Adds, changes and removes one panel of a document."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dashboards import checking
from dashboards.changes import Change
from dashboards.document import Place
from web.problems import FieldError, Problem


@contextmanager
def errors_of_one() -> Iterator[None]:
    """Names the places of errors within the panel, as whoever sends one panel knows them."""
    try:
        yield
    except Problem as found:
        errors = [within_panel(error) for error in found.errors]
        if not errors or found.status != 422:
            raise
        raise Problem(422, f"The panel is not valid. {checking.sentence(errors[0])}", errors) from found


def within_panel(error: FieldError) -> FieldError:
    loc = error["loc"]
    return {"loc": ["body", *loc[3:]], "msg": error["msg"]} if loc[1:2] == ["panels"] else error


def added(panel: Mapping[str, Any]) -> tuple[Change, list[str]]:
    """Returns the change that adds the panel, and a list that then has its id."""
    ids: list[str] = []

    def change(document: dict[str, Any]) -> dict[str, Any]:
        panels = document.get("panels", [])
        ids.append(panel.get("id") or free_id(panels))
        place = panel.get("place") or free_place(document, panel)
        return document | {"panels": [*panels, {**panel, "id": ids[-1], "place": place}]}

    return change, ids


def free_id(panels: list[Any]) -> str:
    taken = {panel.get("id") for panel in panels}
    return next(f"p{number}" for number in range(1, len(panels) + 2) if f"p{number}" not in taken)


SIZES = {"number": (3, 3), "budget": (4, 4), "alerts": (4, 4), "text": (6, 3)}
"""Columns and rows of a panel that comes without a place."""
USUAL_SIZE = (6, 7)


def free_place(document: dict[str, Any], panel: Mapping[str, Any]) -> dict[str, int]:
    width, height = SIZES.get(str(panel.get("kind")), USUAL_SIZE)
    place: Place = checking.next_place(checking.stored(document).document, width, height)
    return place.model_dump()


def changed(panel_id: str, fields: Mapping[str, Any]) -> Change:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        place = place_of(document, panel_id)
        panels = list(document["panels"])
        panels[place] = {**panels[place], **fields, "id": panel_id}
        return document | {"panels": panels}

    return change


def removed(panel_id: str) -> Change:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        place = place_of(document, panel_id)
        panels = document["panels"]
        return document | {"panels": [*panels[:place], *panels[place + 1 :]]}

    return change


def place_of(document: dict[str, Any], panel_id: str) -> int:
    """Returns the place of the panel in the list, or raises a 404 Problem."""
    for place, panel in enumerate(document.get("panels", [])):
        if panel.get("id") == panel_id:
            return place
    raise Problem(404, "There is no such panel on this dashboard.")
