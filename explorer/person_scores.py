"""Stores the scores that people give on the page of a trace."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from ingest.formats.scores import COMMENT_LENGTH, MAX_NUMBER, hashed_id, number_and_category
from ingest.store import store_scores
from traces.scores import Score
from traces.text import NAME_LENGTH, clean
from web.problems import Problem

SOURCE = "person"
THUMBS = {"up": True, "down": False}
USUAL_NAMES = {"up": "thumb", "down": "thumb", "number": "rating", "comment": "comment"}
COMMENT_ONLY = "noted"
"""The value of a score that is only a comment."""


class GivenScore(BaseModel):
    """The fields of the form."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["up", "down", "number", "comment"]
    name: Annotated[str, Field(max_length=NAME_LENGTH)] = ""
    number: float | None = None
    comment: Annotated[str, Field(max_length=COMMENT_LENGTH)] = ""

    @field_validator("number", mode="before")
    @classmethod
    def is_a_number(cls, number: str | None) -> float | None:
        try:
            value = float(number) if number else None
        except ValueError:
            value = MAX_NUMBER * 2
        if value is not None and not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise PydanticCustomError("number", "must be a number between -1e12 and 1e12")
        return value

    @property
    def value(self) -> bool | float | str:
        if self.kind in THUMBS:
            return THUMBS[self.kind]
        if self.kind == "comment":
            return COMMENT_ONLY
        return self.number or 0.0

    @property
    def score_name(self) -> str:
        return clean(self.name.strip(), NAME_LENGTH) or USUAL_NAMES[self.kind]


def give(workspace_id: UUID, trace_id: str, span_id: str | None, form: QueryDict, person: str) -> None:
    """Stores the score of the form. A person's later score with the same name replaces the earlier one."""
    given = parsed(form)
    number, category = number_and_category(given.value)
    score = Score(
        id=hashed_id(SOURCE, person, trace_id, span_id, given.score_name),
        timestamp=datetime.now(UTC),
        name=given.score_name,
        trace_id=trace_id,
        span_id=span_id,
        number=number,
        category=category,
        comment=clean(given.comment.strip(), COMMENT_LENGTH) or None,
        source=SOURCE,
        author=person,
    )
    store_scores(workspace_id, [score])


def parsed(form: QueryDict) -> GivenScore:
    try:
        given = GivenScore.model_validate(form.dict())
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise Problem(
            422, "The score is not valid.", [{"loc": ["body", *one["loc"]], "msg": one["msg"]} for one in details]
        ) from error
    if given.kind == "number" and given.number is None:
        raise Problem(422, "The score is not valid.", [{"loc": ["body", "number"], "msg": "enter a number"}])
    if given.kind == "comment" and not given.comment.strip():
        raise Problem(422, "The score is not valid.", [{"loc": ["body", "comment"], "msg": "enter a comment"}])
    return given
