"""Describes and checks annotations, stores them, and lists them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from analytics.query_string import Moment
from budgets.bodies import MAX_SCOPE_FILTERS, MAX_SCOPE_VALUES, ScopeName, ScopeValue, filled, not_blank, storable, text
from web.problems import Problem
from web.row_places import RowPlace
from workspaces.models import Annotation, AnnotationKind, Workspace

LABEL_LENGTH, TEXT_LENGTH, AUTHOR_LENGTH = 100, 2000, 150
PAGE = 100
Kind = Literal["deploy", "launch", "planned", "note"]
KIND_TEXT = "planned: a load that forecast and anomalies do not learn from; it needs an end."
AnnotationFilters = Annotated[
    dict[ScopeName, Annotated[list[ScopeValue], Field(min_length=1, max_length=MAX_SCOPE_VALUES)]],
    Field(
        max_length=MAX_SCOPE_FILTERS,
        description='What it is about, like {"agent_id": ["support"]}; by default all.',
        json_schema_extra={"additionalProperties": False},
    ),
]
Label = Annotated[str, filled(LABEL_LENGTH), AfterValidator(storable), AfterValidator(not_blank)]
Text = Annotated[str, text(TEXT_LENGTH), AfterValidator(storable)]


class NewAnnotation(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    id: Annotated[UUID | None, Field(description="An id of your own: sent again, it makes no second annotation.")] = (
        None
    )
    kind: Annotated[Kind, Field(description=KIND_TEXT)] = "note"
    label: Annotated[Label, Field(description="What charts show, like release 2.0.")]
    text: Text = ""
    from_: Annotated[Moment, Field(alias="from", description="When it happened or began, with offset.")]
    until: Annotated[Moment | None, Field(description="Its end, with offset. Null: it is a moment.")] = None
    filters: AnnotationFilters = {}

    @model_validator(mode="after")
    def times_are_sound(self) -> Self:
        check_times(self.kind, self.from_, self.until)
        return self


class AnnotationChanges(BaseModel):
    """Only what is named is changed."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    kind: Kind | None = None
    label: Label | None = None
    text: Text | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(description="Null: it is a moment.")] = None
    filters: AnnotationFilters | None = None


def check_times(kind: str, start: datetime, end: datetime | None) -> None:
    if end is not None and end <= start:
        raise PydanticCustomError("until", "until must be later than from")
    if kind == AnnotationKind.PLANNED and end is None:
        raise PydanticCustomError("until", "a planned load needs an end: give until")


AnnotationItem = TypedDict(
    "AnnotationItem",
    {
        "id": UUID,
        "kind": Kind,
        "label": str,
        "text": str,
        "from": datetime,
        "until": datetime | None,
        "filters": dict[str, list[str]],
        "author": str,
        "created_at": datetime,
    },
)


class AnnotationList(TypedDict):
    data: list[AnnotationItem]
    next_cursor: str | None


def item(one: Annotation) -> AnnotationItem:
    return {
        "id": one.pk,
        "kind": one.kind,  # type: ignore[typeddict-item]
        "label": one.label,
        "text": one.text,
        "from": one.starts_at,
        "until": one.ends_at,
        "filters": one.filters,
        "author": one.author,
        "created_at": one.created_at,
    }


def page_of(workspace: Workspace, after: RowPlace | None) -> tuple[list[Annotation], RowPlace | None]:
    """Returns a page of annotations, the newest first, and the place after which the next one begins."""
    found = Annotation.objects.filter(workspace=workspace)
    if after:
        found = found.filter(Q(starts_at__lt=after.moment) | Q(starts_at=after.moment, pk__gt=after.pk))
    some = [*found[: PAGE + 1]]
    last = some[PAGE - 1] if len(some) > PAGE else None
    return some[:PAGE], RowPlace(last.starts_at, last.pk) if last else None


def find(workspace: Workspace, annotation_id: UUID) -> Annotation:
    found = Annotation.objects.filter(workspace=workspace, pk=annotation_id).first()
    if found is None:
        raise Problem(404, "The workspace has no such annotation.")
    return found


MOST_STORED = 5000
"""In a workspace, so that no program fills the table."""


def create(workspace: Workspace, body: NewAnnotation, author: str) -> tuple[Annotation, bool]:
    """Stores an annotation. Returns it, and whether it is new: the body may have the id of one that exists."""
    if stored := with_id(workspace, body.id):
        return stored, False
    if Annotation.objects.filter(workspace=workspace).count() >= MOST_STORED:
        raise Problem(409, f"A workspace has at most {MOST_STORED:,} annotations. Delete some first.")
    values = ({"pk": body.id} if body.id else {}) | values_of(body)
    try:
        with transaction.atomic():
            return Annotation.objects.create(workspace=workspace, author=author[:AUTHOR_LENGTH], **values), True
    except IntegrityError:
        # Another request has just stored it.
        if stored := with_id(workspace, body.id):
            return stored, False
        raise


def with_id(workspace: Workspace, own_id: UUID | None) -> Annotation | None:
    """Returns the annotation that has the id already, or raises a 409 Problem if another workspace has it."""
    stored = Annotation.objects.filter(pk=own_id).first() if own_id else None
    if stored and stored.workspace_id != workspace.pk:
        raise Problem(409, "Another annotation has this id. Leave it out, or choose another one.")
    return stored


def values_of(body: NewAnnotation) -> dict[str, Any]:
    return {
        "kind": body.kind,
        "label": body.label,
        "text": body.text,
        "starts_at": body.from_,
        "ends_at": body.until,
        "filters": body.filters,
    }


@transaction.atomic
def change(workspace: Workspace, annotation_id: UUID, body: AnnotationChanges) -> Annotation:
    found = find(workspace, annotation_id)
    names = {"from_": "starts_at", "until": "ends_at"}
    for name in body.model_fields_set:
        value = getattr(body, name)
        if value is None and name != "until":
            raise invalid(name.rstrip("_"), "must not be null")
        setattr(found, names.get(name, name), value)
    try:
        check_times(found.kind, found.starts_at, found.ends_at)
    except PydanticCustomError as error:
        raise invalid("until", error.message()) from error
    found.save()
    return found


def invalid(field: str, message: str) -> Problem:
    return Problem(422, "The annotation is not valid.", [{"loc": ["body", field], "msg": message}])


def delete(workspace: Workspace, annotation_id: UUID) -> None:
    find(workspace, annotation_id).delete()
