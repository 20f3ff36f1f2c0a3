"""`POST /api/v1/traces`: spans in plain JSON, from clients without an SDK."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from ingest.accepted_time import accepted_time, accepted_time_text, note_refused
from ingest.formats.json_values import items_of
from ingest.messages import safe_attribute, safe_message
from ingest.model_names import base_model
from ingest.span_facts import MAX_FIRST_TOKEN_MS
from ingest.values import MAX_COST_USD, MAX_LATENCY_MS, MAX_TOKENS, is_identifier
from prices.providers import provider_name
from traces.row import CALL_OPERATIONS, TOOL_OPERATION, Row, Status
from traces.text import ID_LENGTH, MESSAGE_LENGTH, NAME_LENGTH, clean, clean_json
from workspaces.label_limits import LABEL_LENGTH, MAX_LABELS

USAGE_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "first_token_ms",
    "cost_usd",
)
MESSAGES: Mapping[str, str] = {
    "extra_forbidden": "unknown field; put what is your own into attributes",
    "model_type": "must be a JSON object",
}
"""Replaces the messages of pydantic, by the type of an error."""


def text_of(length: int) -> BeforeValidator:
    def validate(value: Any) -> Any:
        return clean(value, length) if isinstance(value, str) else value

    return BeforeValidator(validate)


def message_of(length: int) -> BeforeValidator:
    def validate(value: Any) -> Any:
        return clean(safe_message(value), length) if isinstance(value, str) else value

    return BeforeValidator(validate)


def known_id(value: Any) -> Any:
    """Returns None for a user or session like `undefined`, which clients write without one."""
    return None if isinstance(value, str) and not is_identifier(value) else value


def whole_number(value: Any) -> Any:
    """Returns 2 for 2.0: JSON has one kind of numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def not_blank(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return value


def storable_json(value: Any) -> Any:
    if isinstance(value, dict):
        value = {name: safe_attribute(name, item) for name, item in value.items()}
    try:
        return clean_json(value)
    except ValueError as error:
        raise PydanticCustomError("attributes", "{reason}", {"reason": str(error)}) from error


def valid_labels(value: Any) -> Any:
    """Returns the labels without those that have no value. What is too long is refused: nobody could filter by it."""
    if not isinstance(value, dict):
        return value
    if len(value) > MAX_LABELS:
        raise PydanticCustomError("labels", "at most {most} labels", {"most": MAX_LABELS})
    errors = [f"{name[:64]!r} {error}" for name, text in value.items() if (error := label_error(name, text))]
    if errors:
        raise PydanticCustomError("labels", "{reason}", {"reason": "; ".join(errors)})
    labels = {clean(name, LABEL_LENGTH): clean(text, LABEL_LENGTH) for name, text in value.items() if text is not None}
    return {name: text for name, text in labels.items() if is_identifier(text)} or None


def label_error(name: str, text: Any) -> str | None:
    if not name.strip():
        return "is no name of a label"
    if text is not None and not isinstance(text, str):
        return "must be a text"
    is_long = any(len(part.encode("utf-8", "replace")) > LABEL_LENGTH for part in (name, text or ""))
    return f"is too long: at most {LABEL_LENGTH} bytes for the name and for the value" if is_long else None


def parse_start(value: Any) -> datetime:
    if value is None:
        return datetime.now(UTC)
    earliest, latest = accepted_time()
    try:
        start = datetime.fromisoformat(value)
        is_accepted = earliest <= start <= latest
    except (TypeError, ValueError, OverflowError):  # not a text, not a date, or without an offset to compare with
        raise PydanticCustomError("iso_8601", "must be ISO 8601 with an offset, like 2026-11-23T10:00:00Z") from None
    if not is_accepted:
        note_refused(start.timestamp())
        raise PydanticCustomError("timestamp", "{text}", {"text": accepted_time_text()})
    return start.astimezone(UTC)


Id = Annotated[str | None, text_of(ID_LENGTH)]
KnownId = Annotated[str | None, text_of(ID_LENGTH), BeforeValidator(known_id)]
RequiredId = Annotated[
    str,
    text_of(ID_LENGTH),
    BeforeValidator(not_blank),
    Field(json_schema_extra={"minLength": 1, "pattern": r"\S"}),
]
Name = Annotated[str | None, text_of(NAME_LENGTH)]
Labels = Annotated[Annotated[dict[str, str], Field(max_length=MAX_LABELS)] | None, BeforeValidator(valid_labels)]
Count = Annotated[StrictInt, Field(ge=0, le=MAX_TOKENS), BeforeValidator(whole_number)] | None
Operation = Literal[
    "chat",
    "text_completion",
    "generate_content",
    "embeddings",
    "invoke_agent",
    "invoke_workflow",
    "execute_tool",
    "other",
]


class TraceItem(BaseModel):
    """One span, as a client without an SDK writes it."""

    model_config = ConfigDict(extra="forbid")

    agent_id: RequiredId
    timestamp: Annotated[AwareDatetime, BeforeValidator(parse_start)] = Field(
        default=None, validate_default=True, description="Start of the span, ISO 8601 with offset; default now."
    )
    trace_id: RequiredId = Field(default_factory=lambda: uuid4().hex)
    span_id: RequiredId = Field(default_factory=lambda: uuid4().hex[:16])
    parent_span_id: Id = None
    operation: Operation = "chat"
    name: Name = None
    provider: Name = None
    model: Name = None
    user_id: KnownId = None
    session_id: KnownId = None
    environment: KnownId = None
    release: KnownId = None
    labels: Annotated[Labels, Field(description="Names and values, at most 256 bytes each.")] = None
    tool: Annotated[Name, Field(description="The tool of a tool call; by default its name.")] = None
    status: Status = "success"
    error_type: Annotated[str | None, message_of(NAME_LENGTH)] = None
    error_message: Annotated[str | None, message_of(MESSAGE_LENGTH)] = None
    latency_ms: Annotated[StrictFloat, Field(ge=0, le=MAX_LATENCY_MS, allow_inf_nan=False)] | None = None
    first_token_ms: Annotated[StrictFloat, Field(ge=0, lt=MAX_FIRST_TOKEN_MS, allow_inf_nan=False)] | None = None
    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_tokens: Count = None
    cache_write_tokens: Count = None
    reasoning_tokens: Count = None
    cost_usd: Annotated[StrictFloat, Field(ge=0, le=float(MAX_COST_USD), allow_inf_nan=False)] | None = None
    attributes: Annotated[dict[str, Any], BeforeValidator(storable_json)] = {}

    @field_validator("tool")
    @classmethod
    def is_of_a_tool_call(cls, tool: str | None, info: ValidationInfo) -> str | None:
        if tool and info.data.get("operation", TOOL_OPERATION) != TOOL_OPERATION:
            raise PydanticCustomError("tool", "only an item with the operation execute_tool has a tool")
        return tool

    def row(self) -> Row:
        values = dict(self)
        for name, value in values.items():
            if value == "":
                values[name] = None
        if self.operation in CALL_OPERATIONS:
            if self.cost_usd is not None:
                values["cost_usd"] = Decimal(repr(self.cost_usd))
                values["cost_source"] = "reported"
                # A price override replaces it in the row. When the override is gone, this figure is the cost again.
                values["span_facts"] = {"reported_cost_usd": repr(self.cost_usd)}
        else:
            # Agent runs repeat the sums of their calls: they are stored as attributes, and no total adds them.
            values["attributes"] = self.attributes | self.usage()
            values |= dict.fromkeys(USAGE_FIELDS)
        if self.operation == TOOL_OPERATION:
            values["tool"] = self.tool or self.name or None
        values["provider"] = provider_name(self.provider)
        values["model"] = base_model(self.model)
        for name, raw in (("provider", self.provider), ("model", self.model)):
            if raw and values[name] != raw:
                values["attributes"] = {name: raw} | values["attributes"]
        if noted := self.noted():
            values["span_facts"] = (values.get("span_facts") or {}) | noted
        return Row(**values)

    def noted(self) -> dict[str, Any]:
        """Returns the facts that the item itself states. Defaults must not replace the facts of a later copy.

        The whole name of the model decides its price.
        """
        given = self.model_fields_set
        noted: dict[str, Any] = {}
        if self.model and self.model != base_model(self.model):
            noted["requested_model"] = self.model
        if "span_id" not in given:
            return noted
        noted["item"] = True
        if "operation" in given:
            noted["operation"] = self.operation
        if self.tool:
            noted["tool"] = self.tool
        if "timestamp" not in given:
            noted["is_timeless"] = True
        return noted

    def usage(self) -> dict[str, float]:
        return {name: value for name in USAGE_FIELDS if (value := getattr(self, name)) is not None}


def items(body: bytes) -> list[Any]:
    return items_of(body, "traces")


def rows_and_rejections(items: list[Any]) -> tuple[list[Row], list[dict[str, Any]]]:
    """Returns the rows of the valid items, and for each rejected item its index and its errors."""
    rows: list[Row] = []
    rejections: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            rows.append(TraceItem.model_validate(item).row())
        except ValidationError as error:
            rejections.append({"index": index, "errors": reasons(error)})
    return rows, rejections


def reasons(error: ValidationError) -> list[dict[str, Any]]:
    return [
        {"loc": list(details["loc"]), "msg": MESSAGES.get(details["type"], details["msg"])}
        for details in error.errors(include_url=False, include_input=False)
    ]


def reason(rejection: dict[str, Any]) -> str:
    """Returns the first field that is wrong, or `format` for a field that does not exist."""
    field = next(iter(rejection["errors"][0]["loc"]), None)
    return field if field in TraceItem.model_fields else "format"
