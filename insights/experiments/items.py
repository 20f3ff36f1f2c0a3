"""Makes, changes, finds and answers experiments."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from typing_extensions import TypedDict

from budgets.bodies import normalized
from insights.compare import MeasureAnswer
from insights.experiments.bodies import ExperimentChanges, NewExperiment, check_times, refuse
from insights.experiments.models import AUTHOR_LENGTH, ENDED, RUNNING, Cause, Experiment, State
from web.problems import Problem
from web.row_places import RowPlace
from workspaces.models import Workspace

MOST_EXPERIMENTS, MOST_RUNNING = 1000, 20
"""Of a workspace."""
PAGE_SIZE = 50
LOOKS_SHOWN = 100


class ExperimentEnd(TypedDict):
    on_verdict: bool
    at: datetime | None
    calls: int | None


class ExperimentSlice(TypedDict):
    slice: str
    """a, b, c or d."""
    dimension: str
    value: str
    calls: int


class ExperimentItem(TypedDict):
    id: UUID
    name: str
    slices: list[ExperimentSlice]
    filters: dict[str, list[str]]
    measures: list[str]
    started_at: datetime
    end: ExperimentEnd
    state: State
    """waiting: it has not begun."""
    ended_at: datetime | None
    ended_because: Cause | None
    as_of: datetime
    """The calls that began before are in it; those that arrived more than 15 minutes late are not."""
    words: str
    """What the first measure says."""
    results: list[MeasureAnswer]
    """Each measure with intervals that hold however often somebody looks."""
    created_by: str
    created_at: datetime


class ExperimentLookItem(TypedDict):
    at: datetime
    calls: list[int]
    verdicts: list[str]
    """Of the first measure, for each slice but the first."""
    words: str


class ExperimentDetail(ExperimentItem):
    history: list[ExperimentLookItem]
    """The newest first: once a day, and where the verdict changed."""


class ExperimentList(TypedDict):
    data: list[ExperimentItem]
    next_cursor: str | None


NOT_YET = "Nothing is counted yet: a worker adds calls every few minutes, 15 minutes after they began."


def item(experiment: Experiment, now: datetime) -> ExperimentItem:
    results: dict[str, Any] = experiment.results
    calls = results.get("calls") or [0] * len(experiment.slices)
    return {
        "id": experiment.pk,
        "name": experiment.name,
        "slices": [
            {"slice": one.name, "dimension": one.dimension or "", "value": one.value or "", "calls": count}
            for one, count in zip(experiment.arms, calls, strict=True)
        ],
        "filters": experiment.filters,
        "measures": experiment.measures,
        "started_at": experiment.started_at,
        "end": {
            "on_verdict": experiment.ends_on_verdict,
            "at": experiment.ends_at,
            "calls": experiment.ends_after_calls,
        },
        "state": experiment.state_at(now),
        "ended_at": experiment.ended_at,
        "ended_because": experiment.ended_because or None,  # type: ignore[typeddict-item]
        "as_of": experiment.filled_until,
        "words": results.get("words", NOT_YET),
        "results": results.get("measures", []),
        "created_by": experiment.created_by,
        "created_at": experiment.created_at,
    }


def detail(experiment: Experiment, now: datetime) -> ExperimentDetail:
    looks = experiment.looks.all()[:LOOKS_SHOWN]
    history: list[ExperimentLookItem] = [
        {"at": one.at, "calls": one.calls, "verdicts": one.verdicts, "words": one.words} for one in looks
    ]
    return {**item(experiment, now), "history": history}


def page_of(workspace: Workspace, after: RowPlace | None) -> tuple[Sequence[Experiment], RowPlace | None]:
    """Returns the newest experiments, and the place where the next page begins; None on the last."""
    found = Experiment.objects.filter(workspace=workspace).order_by("-created_at", "-id")
    if after:
        same = found.filter(created_at=after.moment, id__lt=after.pk)
        found = (found.filter(created_at__lt=after.moment) | same).order_by("-created_at", "-id")
    page = list(found[: PAGE_SIZE + 1])
    last = page[PAGE_SIZE - 1] if len(page) > PAGE_SIZE else None
    return page[:PAGE_SIZE], RowPlace(last.created_at, last.pk) if last else None


def find(workspace: Workspace, experiment_id: UUID) -> Experiment:
    """Returns the experiment, or raises the same 404 Problem whether another workspace has it or none."""
    found = Experiment.objects.filter(workspace=workspace, pk=experiment_id).select_related("workspace").first()
    if found is None:
        raise Problem(404, "There is no such experiment in this workspace.")
    return found


@transaction.atomic
def create(workspace: Workspace, body: NewExperiment, created_by: str) -> tuple[Experiment, bool]:
    """Returns the experiment, and whether it is new: an id of the client's own that exists already changes nothing."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    if body.id and (existing := Experiment.objects.filter(pk=body.id).first()):
        if existing.workspace_id == workspace.pk:
            return find(workspace, body.id), False
        raise Problem(409, "This id is taken. Choose another, or none.")
    check_number(workspace)
    now = datetime.now(UTC)
    start = body.started_at or now
    check_times(start, body.end.at, now)
    experiment = Experiment(
        workspace=workspace,
        name=body.name,
        slices=[{"dimension": one.dimension, "value": one.value} for one in body.arms],
        filters=normalized(body.filters),
        measures=body.measures,
        started_at=start,
        filled_until=start,
        created_by=created_by[:AUTHOR_LENGTH],
        **({"id": body.id} if body.id else {}),
    )
    set_end(experiment, body)
    experiment.save(force_insert=True)
    return find(workspace, experiment.pk), True


def check_number(workspace: Workspace) -> None:
    found = Experiment.objects.filter(workspace=workspace)
    if found.count() >= MOST_EXPERIMENTS:
        raise Problem(422, f"A workspace has at most {MOST_EXPERIMENTS} experiments: delete old ones.", [])
    if found.filter(state=RUNNING).count() >= MOST_RUNNING:
        raise Problem(422, f"At most {MOST_RUNNING} experiments run at once: end one first.", [])


def set_end(experiment: Experiment, body: NewExperiment | ExperimentChanges) -> None:
    experiment.ends_on_verdict, experiment.ends_at = body.end.on_verdict, body.end.at
    experiment.ends_after_calls = body.end.calls


@transaction.atomic
def change(workspace: Workspace, experiment_id: UUID, body: ExperimentChanges) -> Experiment:
    """Gives the experiment those values that the client has sent."""
    found = Experiment.objects.select_for_update().filter(workspace=workspace, pk=experiment_id)
    experiment = found.select_related("workspace").first()
    if experiment is None:
        return find(workspace, experiment_id)
    now, sent = datetime.now(UTC), body.model_fields_set
    if "name" in sent:
        experiment.name = body.name
    if "end" in sent:
        if experiment.state == ENDED:
            refuse("end", "it has ended already")
        check_end(experiment, body)
        set_end(experiment, body)
    if body.state == ENDED and experiment.state != ENDED:
        experiment.end(now, "person")
    experiment.save()
    return find(workspace, experiment_id)


def check_end(experiment: Experiment, body: ExperimentChanges) -> None:
    if body.end.at and not experiment.started_at < body.end.at:
        refuse("end", "at must be later than the start")


def delete(workspace: Workspace, experiment_id: UUID) -> None:
    find(workspace, experiment_id).delete()
