"""Reads whether a span failed, with its error type and message."""

import re
from typing import Any

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.messages import safe_message
from ingest.span_facts import SpanFacts
from ingest.spans import STATUS_ERROR, Span
from traces.text import MESSAGE_LENGTH, clean

# A word that begins so, or the same inside a name: ReadTimeout, ETIMEDOUT, UND_ERR_HEADERS_TIMEOUT.
TIMED_OUT = re.compile(
    r"(?<![A-Za-z])(?i:timed?out|timed?[ _-]outs?(?![a-z]))|(?<=[A-Za-z])Timed?[_-]?[Oo]ut|TIMED?_?OUT|(?i:deadline)"
)
# Without the bare noun, which a complaint about a parameter uses too.
RAN_OUT_OF_TIME = re.compile(
    r"(?i)(?<![a-z])timed[ _-]?out|ETIMEDOUT|deadline[ _]?exceeded"
    r"|(?:time[ _-]?out|deadline)\s+(?:(?:has|have|had|was|is)\s+)?(?:been\s+)?"
    r"(?:elapsed|expired|reached|hit|exceeded(?!\s+(?:the\s+)?(?:max|limit|allowed)))"
)
PARAMETER = re.compile(
    r"(?i)[\"'`][\w.]{0,32}(?:time_?out|deadline)\w{0,32}[\"'`]|(?<!\w)\w{0,32}(?:time_?out|deadline)\w{0,32}\s{0,4}="
    r"|(?:parameter|argument|option|field|property|key|keyword)s?:?\s+\w{0,32}(?:time_?out|deadline)"
    r"|(?:time_?out|deadline)\w{0,32}\s+(?:parameter|argument|option|field|property|must|should|needs|cannot)\b"
    r"|(?:invalid|unsupported|unknown|negative)[ _]time_?out"
    r"|(?:values?|type|format|unit)\s+(?:for|of|in)\s+(?:the\s+)?\w{0,32}(?:time_?out|deadline)"
)
"""Places in a message that speak of a parameter and not of what happened."""
CLIENT_ERROR = re.compile(
    r"(?i)(?:^|\b(?:error|code|status|http)\b\W{0,4})4(?!08)\d\d\b(?!\s*(?:m?s|seconds|milliseconds)\b)|bad_?request|invalid_?(?:request|argument|value|param)|validation|unprocessable"
    r"|typeerror|valueerror|not_?supported"
)
CODE_LENGTH = 40
"""Characters at the beginning of a message in which a status like `Error code: 400` stands."""
SEARCHED_LENGTH = 300
"""Characters of a message that are searched for a time-out. Later ones may quote code that names a timeout."""


def read_failure(facts: SpanFacts, span: Span, attributes: Attributes) -> None:
    exception = exception_of(span)
    if not has_failed(facts, span, exception):
        return
    exception = exception or {}
    facts.error_type = error_type(attributes, exception)
    message = error_message(span, attributes, exception)
    facts.error_message = clean(safe_message(message), MESSAGE_LENGTH) if message else None
    types = (
        str(span.attributes.get("error.type", "")),
        str(exception.get("exception.type", "")),
        facts.error_type or "",
        attributes.text(fields.ERROR_CODE) or "",
    )
    searched = (message or "").partition("Traceback")[0][:SEARCHED_LENGTH]
    facts.status = "timeout" if is_timeout(types, searched) else "error"


def is_timeout(types: tuple[str, ...], message: str) -> bool:
    """Returns whether the call took too long. A 400 about a parameter called timeout did not."""
    if any(map(TIMED_OUT.search, (PARAMETER.sub("", name) for name in types))):
        return True
    is_client_error = any(map(CLIENT_ERROR.search, (*types, message[:CODE_LENGTH])))
    pattern = RAN_OUT_OF_TIME if is_client_error else TIMED_OUT
    return pattern.search(PARAMETER.sub("", message)) is not None


def exception_of(span: Span) -> dict[str, Any] | None:
    """Returns the attributes of the last exception event."""
    for event in reversed(span.events):
        if event.name == "exception":
            return event.attributes
    return None


def has_failed(facts: SpanFacts, span: Span, exception: dict[str, Any] | None) -> bool:
    """Returns whether the span failed. A failed call can have the status OK: then it has an exception and no output."""
    if span.status == STATUS_ERROR:
        return True
    for name, value in client_rules.FAILURE_VALUES:
        if span.attributes.get(name) == value:
            return True
    return facts.kind == "llm" and exception is not None and not facts.output_tokens


def error_type(attributes: Attributes, exception: dict[str, Any]) -> str | None:
    name = attributes.text(fields.ERROR_TYPE)
    if name is None or name == "_OTHER":
        name = Attributes(exception).text(fields.EXCEPTION_TYPE) or name
    if name is None:
        name = attributes.text(fields.ERROR_CODE)
    return unwrapped(safe_message(name)) if name else None


def unwrapped(error_type: str) -> str:
    for pattern in client_rules.ERROR_TYPES:
        error_type = pattern.sub(r"\1", error_type)
    return error_type


def error_message(span: Span, attributes: Attributes, exception: dict[str, Any]) -> str | None:
    """Returns the first message, without the traceback after it."""
    messages = (
        span.status_message,
        str(exception.get("exception.message") or ""),
        *map(str, attributes.values_of(fields.ERROR_MESSAGE)),
    )
    for message in messages:
        if message:
            return message.partition("Traceback")[0].strip() or message
    return None
