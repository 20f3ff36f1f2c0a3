"""Makes dashboards from the files of DASHBOARDS_DIR, for those who keep them in git.

Each file is a document, in which `workspaces` may name workspaces by id or name; without it the dashboard is in all of
them. Nobody edits such a dashboard here. Without its file it is deleted. A file that is not valid is named in the log,
its dashboards stay as they were, and it stops nothing else.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from dashboards import bodies, changes, checking, revisions
from dashboards.document import MAX_BYTES, DashboardDocument
from dashboards.models import FILE_LENGTH, Dashboard
from web.json_body import parse_json
from web.problems import Problem
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

WORKSPACES = "workspaces"
MAX_FILES = 500


class Seed(NamedTuple):
    name: str
    """Of its file."""
    document: DashboardDocument
    workspaces: list[str] | None
    """Ids and names; None: all."""


class Result(NamedTuple):
    files: int
    errors: list[str]
    """Each begins with the name of its file, and names the place in the document."""


def seed(only: QuerySet[Workspace] | None = None) -> Result:
    """Brings the dashboards of all workspaces, or of `only` those, to what the files say. Logs each error."""
    if not settings.DASHBOARDS_DIR:
        return Result(0, [])
    paths = files()
    if paths is None:
        return logged(Result(0, [f"DASHBOARDS_DIR: {settings.DASHBOARDS_DIR} is no folder that can be read"]))
    errors: list[str] = []
    seeds = list(read(paths, errors))
    for workspace in only if only is not None else Workspace.objects.all():
        update(workspace, seeds, [path.name for path in paths])
    errors += unknown_workspaces(seeds) if only is None else []
    return logged(Result(len(paths), errors))


def files() -> list[Path] | None:
    """Returns the files of the folder; None if it cannot be read, which deletes nothing."""
    try:
        return sorted(path for path in Path(settings.DASHBOARDS_DIR).iterdir() if path.suffix == ".json")[:MAX_FILES]
    except OSError:
        return None


def logged(result: Result) -> Result:
    for error in result.errors:
        logger.warning("dashboard from a file: %s", error)
    return result


# --- Files ---


def read(paths: Iterable[Path], errors: list[str]) -> Iterator[Seed]:
    for path in paths:
        try:
            yield seed_of(path)
        except Problem as problem:
            found = [checking.sentence(error) for error in problem.errors] or [problem.detail]
            errors += [f"{path.name}: {error}" for error in found]
        except OSError as error:
            errors.append(f"{path.name}: {error.strerror or 'it cannot be read'}")


def seed_of(path: Path) -> Seed:
    """Returns the seed of a file, or raises a Problem."""
    if len(path.name) > FILE_LENGTH:
        raise Problem(422, f"its name has more than {FILE_LENGTH} characters")
    if path.stat().st_size > MAX_BYTES:
        raise Problem(422, f"it has more than {MAX_BYTES:,} bytes")
    body = bodies.as_object(parse_json(path.read_bytes()), "dashboard")
    named = body.pop(WORKSPACES, None)
    if named is not None and not (isinstance(named, list) and all(isinstance(name, str) for name in named)):
        raise bodies.invalid("dashboard", [{"loc": ["body", WORKSPACES], "msg": "must be a list of ids or names"}])
    return Seed(path.name, checking.parse(body), named)


def is_for(seed: Seed, workspace: Workspace) -> bool:
    return seed.workspaces is None or bool({str(workspace.pk), workspace.name} & {*seed.workspaces})


def unknown_workspaces(seeds: Sequence[Seed]) -> list[str]:
    """Returns an error for each name of a workspace that there is not."""
    known = {text for pk, name in Workspace.objects.values_list("pk", "name") for text in (str(pk), name)}
    return [
        f'{seed.name}: workspaces[{place}]: there is no workspace "{name}"'
        for seed in seeds
        for place, name in enumerate(seed.workspaces or ())
        if name not in known
    ]


# --- Dashboards ---


@transaction.atomic
def update(workspace: Workspace, seeds: Sequence[Seed], names: Sequence[str]) -> None:
    """Makes, changes and deletes the workspace's dashboards from files. `names` are all files, valid or not."""
    changes.lock(workspace)
    stored = {one.source_file: one for one in Dashboard.objects.filter(workspace=workspace).exclude(source_file="")}
    wanted = {seed.name: seed for seed in seeds if is_for(seed, workspace)}
    for seed in wanted.values():
        store(workspace, seed, stored.get(seed.name))
    elsewhere = {seed.name for seed in seeds} - wanted.keys()
    for name, dashboard in stored.items():
        if name in elsewhere or name not in names:
            dashboard.delete()


def store(workspace: Workspace, seed: Seed, dashboard: Dashboard | None) -> None:
    author, now = f"file {seed.name}", timezone.now()
    if dashboard is None:
        changes.fill(Dashboard(workspace=workspace, source_file=seed.name), seed.document, author, now)
        return
    document: dict[str, Any] = seed.document.as_json()
    if summary := revisions.summary(dashboard.document, document):
        revisions.advance(dashboard, document, author, now, summary)
