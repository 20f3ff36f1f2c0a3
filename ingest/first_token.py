"""Reads when the first token of a call came, in the unit and form of each client."""

from datetime import UTC, datetime

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.span_facts import SpanFacts
from ingest.spans import Span


def read_first_token(facts: SpanFacts, span: Span, attributes: Attributes) -> None:
    facts.first_token_ms = first_token_ms(span, attributes)
    if facts.first_token_ms is None:
        facts.first_token_at_us = first_token_at_us(span, attributes)


def first_token_ms(span: Span, attributes: Attributes) -> float | None:
    if (seconds := attributes.number(fields.FIRST_TOKEN_SECONDS)) is not None:
        return seconds * 1000
    if (ms := attributes.number(fields.FIRST_TOKEN_MS)) is not None:
        return ms
    by_server = attributes.number(fields.FIRST_TOKEN_BY_SERVER)
    if by_server is None or any(in_ms(span) for in_ms in client_rules.SERVER_TIMES_IN_MS):
        return by_server
    return by_server * 1000


def first_token_at_us(span: Span, attributes: Attributes) -> int | None:
    """Returns the time of the first token in microseconds since 1970, as an event or an attribute states it."""
    for event in span.events:
        if event.name in client_rules.FIRST_TOKEN_EVENTS and event.time_ns >= span.start_ns:
            return event.time_ns // 1000
    text = attributes.text(fields.FIRST_TOKEN_AT)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip('"'))
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6)
    except (ValueError, OverflowError):
        return None
