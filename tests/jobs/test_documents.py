"""The document for operators names every background task."""

from pathlib import Path

from jobs.timetable import TIMETABLE
from web.queue import app

OPERATIONS = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text()


def test_the_document_for_operators_names_every_task_and_when_it_runs() -> None:
    for entry in TIMETABLE:
        assert f"\n| `{entry.task.name}` | " in OPERATIONS


def test_it_names_the_tasks_that_somebody_causes() -> None:
    own = [name for name in app.tasks if not name.startswith(("procrastinate", "builtin", "tests."))]
    assert len(own) > len(TIMETABLE)
    assert [name for name in own if f"`{name}`" not in OPERATIONS] == []
