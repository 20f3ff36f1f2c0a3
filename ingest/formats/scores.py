"""Scores in plain JSON (`POST /api/v1/scores`), in Langfuse's shape, and as OpenTelemetry's evaluation events."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, Self

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ingest.formats.json_traces import KnownId, not_blank, parse_start, reasons, text_of
from ingest.formats.json_values import items_of
from ingest.spans import RejectedSpan, Span
from ingest.values import is_identifier
from traces.scores import Score
from traces.text import ID_LENGTH, NAME_LENGTH, clean

COMMENT_LENGTH = 4096
MAX_NUMBER = 1e12
"""A larger value means a mistake, and its square would make every sum useless."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVALUATION_EVENT = "gen_ai.evaluation.result"
SOURCE_OF_JSON, SOURCE_OF_EVENTS = "api", "evaluation"


def parse_time(value: Any) -> datetime | None:
    return None if value is None else parse_start(value)


def valid_value(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and not -MAX_NUMBER <= value <= MAX_NUMBER:  # NaN is neither
        raise PydanticCustomError("number", "must be a number between -1e12 and 1e12")
    if not is_number and not isinstance(value, (bool, str)):
        raise PydanticCustomError("value", "must be a number, a boolean or a text")
    return not_blank(value)


Name = Annotated[str, text_of(NAME_LENGTH), BeforeValidator(not_blank)]
Value = Annotated[StrictBool | StrictFloat | StrictStr, BeforeValidator(valid_value)]


class ScoreItem(BaseModel):
    """One score, as a client without an SDK writes it."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    value: Annotated[Value, Field(description="A number, a boolean, or a text that names a category.")]
    trace_id: KnownId = None
    span_id: KnownId = None
    session_id: KnownId = None
    comment: Annotated[str | None, text_of(COMMENT_LENGTH)] = None
    source: Annotated[Name, Field(description="Who judged: a person, an evaluator, code.")] = SOURCE_OF_JSON
    timestamp: Annotated[AwareDatetime | None, BeforeValidator(parse_time)] = Field(
        default=None, description="ISO 8601 with offset; default now."
    )
    id: Annotated[KnownId, Field(description="A later copy with the same id replaces the score.")] = None

    @model_validator(mode="after")
    def belongs_to_something(self) -> Self:
        if not self.trace_id and not self.session_id:
            raise PydanticCustomError("trace_id", "a score needs trace_id or session_id")
        if self.span_id and not self.trace_id:
            raise PydanticCustomError("trace_id", "span_id needs the trace_id of its trace")
        return self

    def score(self, author: str | None) -> Score:
        number, category = number_and_category(self.value)
        ids = {name: getattr(self, name) or None for name in ("trace_id", "span_id", "session_id")}
        return Score(
            **ids,
            id=self.id or hashed_id(*ids.values(), self.name, self.source, *self.time_or_value()),
            timestamp=self.timestamp or datetime.now(UTC),
            has_own_time=self.timestamp is not None,
            name=self.name,
            number=number,
            category=category,
            comment=self.comment or None,
            source=self.source,
            author=author,
        )

    def time_or_value(self) -> list[str | None]:
        """Returns the part of the id that separates scores with one name on one trace: the time, or else the value.

        The time of arrival does not count, because it differs when a client sends the score again.
        """
        return [self.timestamp.isoformat()] if self.timestamp else [repr(self.value), self.comment or None]


def number_and_category(value: bool | float | str) -> tuple[Decimal | None, str | None]:
    if isinstance(value, bool):
        return Decimal(value), str(value).lower()
    if isinstance(value, str):
        return None, clean(value, NAME_LENGTH)
    return Decimal(repr(value)), None


def hashed_id(*parts: str | None) -> str:
    return sha256(orjson.dumps(parts)).hexdigest()[:32]


# --- POST /api/v1/scores ---


def items(body: bytes) -> list[Any]:
    return items_of(body, "scores")


def scores_and_rejections(items: list[Any], author: str | None) -> tuple[list[Score], list[dict[str, Any]]]:
    """Returns the valid scores, and for each rejected item its index and its errors."""
    scores: list[Score] = []
    rejections: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            scores.append(ScoreItem.model_validate(item).score(author))
        except ValidationError as error:
            rejections.append({"index": index, "errors": score_reasons(error)})
    return scores, rejections


def score_reasons(error: ValidationError) -> list[dict[str, Any]]:
    """Returns the errors by field. An error between two fields has the name of one of them as its type."""
    found = reasons(error)
    for details, reason in zip(error.errors(include_url=False, include_input=False), found, strict=True):
        if not reason["loc"] and details["type"] in ScoreItem.model_fields:
            reason["loc"] = [details["type"]]
    return found


# --- Langfuse ---

LANGFUSE_NAMES = {
    "id": "id",
    "name": "name",
    "value": "value",
    "traceId": "trace_id",
    "observationId": "span_id",
    "sessionId": "session_id",
    "comment": "comment",
    "source": "source",
    "timestamp": "timestamp",
}
BOOLEANS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def langfuse_score(body: Any, sent_at: Any, author: str | None) -> Score:
    """Returns the score of a `score-create`, or of POST /api/public/scores. Raises RejectedSpan."""
    if not isinstance(body, dict):
        raise RejectedSpan("format", "a score must be a JSON object")
    values = {ours: body[name] for name, ours in LANGFUSE_NAMES.items() if body.get(name) not in (None, "")}
    values |= langfuse_value(body)
    if sent_at is not None:
        values.setdefault("timestamp", sent_at)
    try:
        return ScoreItem.model_validate(values).score(author)
    except ValidationError as error:
        raise RejectedSpan("value", sentence(score_reasons(error))) from None


def langfuse_value(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the value in its type. `stringValue` has a category, and the text of a boolean beside 1 or 0."""
    kind, value, text = body.get("dataType"), body.get("value"), body.get("stringValue")
    if kind == "BOOLEAN":
        truth = BOOLEANS.get(str(text if value in (None, "") else value).lower())
        return {} if truth is None else {"value": truth}
    return {"value": text} if text and (kind == "CATEGORICAL" or value in (None, "")) else {}


def sentence(errors: list[dict[str, Any]]) -> str:
    theirs = {ours: name for name, ours in LANGFUSE_NAMES.items()}
    named = [(theirs.get(str(next(iter(error["loc"]), "")), ""), error["msg"]) for error in errors]
    return "; ".join(f"{name}: {message}" if name else message for name, message in named)


# --- gen_ai.evaluation.result, as an event of a span or as a record of a log ---


def evaluations_of(span: Span, author: str | None) -> list[Score]:
    """Returns the scores in the span's events. An event that is no score stays what it is: an event of the span."""
    scores: list[Score] = []
    for event in span.events:
        if event.name == EVALUATION_EVENT:
            time_ns = event.time_ns or span.start_ns
            score = evaluation(event.attributes, time_ns, span.trace_id, span.span_id, author)
            if score is not None:
                scores.append(score)
    return scores


def evaluation(
    attributes: Mapping[str, Any], time_ns: int, trace_id: str | None, span_id: str | None, author: str | None
) -> Score | None:
    """Returns the score of an evaluation; None if it has no name, no value and no label, or belongs to nothing."""
    value, label = attributes.get("gen_ai.evaluation.score.value"), attributes.get("gen_ai.evaluation.score.label")
    sessions = (clean(str(attributes.get(name) or ""), ID_LENGTH) for name in ("session.id", "gen_ai.conversation.id"))
    item = {
        "name": attributes.get("gen_ai.evaluation.name"),
        "value": label if value is None else value,
        "trace_id": trace_id,
        "span_id": span_id,
        "session_id": next(filter(is_identifier, sessions), None),
        "comment": comment_of(attributes, None if value is None else label),
        "source": SOURCE_OF_EVENTS,
        "timestamp": (EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(),
    }
    try:
        return ScoreItem.model_validate(item).score(author)
    except ValidationError:
        return None


def comment_of(attributes: Mapping[str, Any], label: Any) -> str | None:
    """Returns the explanation, after the label where the value is a number."""
    parts = (label, attributes.get("gen_ai.evaluation.explanation"))
    return ": ".join(str(part) for part in parts if part) or None
