"""Says in words what a change did, stores the document after it, and finds the documents before."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from dashboards.models import AUTHOR_LENGTH, SUMMARY_LENGTH, Dashboard, Revision
from dashboards.panels import kind_words, kinds
from web.problems import Problem

MOST_REVISIONS = 100
"""Of a dashboard. Older ones are deleted."""
PARTS = {
    "name": "name",
    "description": "description",
    "range": "window",
    "granularity": "buckets",
    "filters": "filters",
    "variables": "variables",
}
MOST_NAMED = 3
"""Panels that a summary names. Of more it says how many."""


def record(dashboard: Dashboard, summary: str) -> None:
    """Stores the dashboard's document as its newest revision, and deletes those that are too old."""
    Revision.objects.create(
        dashboard=dashboard,
        number=dashboard.revision,
        document=dashboard.document,
        author=dashboard.changed_by[:AUTHOR_LENGTH],
        created_at=dashboard.changed_at,
        summary=shortened(summary),
    )
    dashboard.revisions.filter(number__lte=dashboard.revision - MOST_REVISIONS).delete()


def shortened(summary: str) -> str:
    return summary if len(summary) <= SUMMARY_LENGTH else f"{summary[: SUMMARY_LENGTH - 1]}…"


def find(dashboard: Dashboard, number: int) -> Revision:
    found = dashboard.revisions.filter(number=number).first()
    if found is None:
        raise Problem(404, "There is no such revision of this dashboard.")
    return found


def advance(dashboard: Dashboard, document: dict[str, Any], author: str, now: datetime, summary: str) -> None:
    """Gives the dashboard its next document, and saves both."""
    dashboard.document = document
    dashboard.name, dashboard.description = document["name"], document["description"]
    dashboard.revision += 1
    dashboard.changed_by, dashboard.changed_at = author[:AUTHOR_LENGTH], now
    dashboard.save()
    record(dashboard, summary)


# --- Words ---


def summary(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Returns what differs between two documents as a sentence without its full stop; empty if nothing does."""
    parts = [*panel_changes(before.get("panels", []), after.get("panels", [])), *part_changes(before, after)]
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def part_changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if before.get("name") != after.get("name"):
        yield f"renamed to {after['name']}"
    changed = [word for part, word in PARTS.items() if part != "name" and before.get(part) != after.get(part)]
    if changed:
        yield f"{listed(changed)} changed"


def panel_changes(before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    old, new = ({panel["id"]: panel for panel in panels} for panels in (before, after))
    both = [panel_id for panel_id in new if panel_id in old]
    moved = [panel_id for panel_id in both if without_place(old[panel_id]) == without_place(new[panel_id])]
    yield from phrase([new[panel_id] for panel_id in new if panel_id not in old], "added")
    yield from phrase([old[panel_id] for panel_id in old if panel_id not in new], "removed")
    yield from phrase([new[panel_id] for panel_id in both if panel_id not in moved], "changed")
    yield from phrase([new[panel_id] for panel_id in moved if old[panel_id] != new[panel_id]], "moved")
    if [*old] != [*new] and sorted(old) == sorted(new) and all(old[name] == new[name] for name in old):
        yield "panels ordered anew"


def without_place(panel: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in panel.items() if name != "place"}


def phrase(panels: Sequence[dict[str, Any]], participle: str) -> Iterator[str]:
    if len(panels) > MOST_NAMED:
        yield f"{len(panels)} panels {participle}"
    elif panels:
        yield f"{listed([title(panel) for panel in panels])} {participle}"


def title(panel: dict[str, Any]) -> str:
    kind = panel.get("kind", "")
    return str(panel.get("title") or (kind_words(kind) if kind in kinds() else "a panel"))


def listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
