"""Spans into `traces`: resolved with what is stored of their traces, stored rows corrected, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db.backends.utils import CursorWrapper

from analytics import cache
from ingest import pricing, writer
from ingest.attribution import SLACK, Resolved, end, is_sdk_root, is_stream_request, model_of, resolve
from ingest.contents import attributes_of
from ingest.mapping import Said, said
from ingest.models import PriceOverride
from ingest.rows import Row
from ingest.spans import Decoded, Span
from workspaces.models import Workspace

LONGEST_AHEAD = timedelta(hours=1)
LONGEST_CALL = timedelta(minutes=10)
LONGER = timedelta(minutes=1)
"""How much longer than one record of an answered call another may be: its stream, what a wrapper does after."""
MOST_MINUTES = 15
IDENTITY = frozenset(
    ("trace_id", "span_id", "parent_span_id", "timestamp", "name", "status", "error_type", "error_message")
)
BESIDE = tuple((one.name, one.default) for one in fields(Said) if one.name not in IDENTITY)
PRICED_BY = (
    "operation",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
)
Key = tuple[str, str, datetime]

STORED_NAMES = (*writer.KEY, *writer.CORRECTED, "said")
# One index probe for each id: left to itself the planner, whose statistics of a growing table are always old,
# may read all rows of the workspace instead.
STORED = f"""
SELECT {", ".join(f"found.{name}" for name in STORED_NAMES)}
FROM unnest(%(trace_ids)s::text[]) AS wanted (trace_id)
CROSS JOIN LATERAL (
    SELECT {", ".join((*writer.KEY, *writer.CORRECTED))}, said::text
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND traces.trace_id = wanted.trace_id
        AND said IS NOT NULL
    OFFSET 0
) AS found
"""  # noqa: S608 (built from the writer's names, never from input)

LINKED = """
SELECT DISTINCT found.trace_id
FROM unnest(%(links)s::text[]) AS wanted (link)
CROSS JOIN LATERAL (
    SELECT trace_id
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND traces.link = wanted.link
    OFFSET 0
) AS found
"""


@dataclass(slots=True)
class Known:
    """A span and its row: of this request, or stored before."""

    said: Said
    row: Row
    is_new: bool

    @property
    def key(self) -> Key:
        return self.said.trace_id, self.said.span_id, self.said.timestamp


def record(workspace: Workspace, decoded: Decoded) -> writer.Stored:
    """Committed when it returns. Spans out of time join the refused."""
    workspace_id = workspace.id
    store_content = settings.STORE_CONTENT and workspace.store_content
    given: dict[Key, Known] = {}
    for span in timely(decoded):
        known = new(span, store_content)
        given.setdefault(known.key, known)
    if not given:
        return writer.Stored(0, 0)
    overrides = pricing.overrides_of(workspace_id)  # before the lock: it is in the other database
    # One writer per workspace: a call may have its second record in any trace.
    with writer.writing(workspace_id) as cursor:
        accepted = resolve_and_store(cursor, workspace_id, given, overrides)
    cache.traces_arrived(workspace_id)
    return writer.Stored(accepted, len(decoded.spans) - accepted)


def timely(decoded: Decoded) -> list[Span]:
    now = datetime.now(UTC)
    earliest_ns = (now - timedelta(days=settings.RETENTION_DAYS)).timestamp() * 1e9
    latest_ns = (now + LONGEST_AHEAD).timestamp() * 1e9
    in_time = [span for span in decoded.spans if earliest_ns <= span.start_ns <= latest_ns]
    decoded.refused += [
        f"the start must lie within the last {settings.RETENTION_DAYS} days and at most 1 hour ahead"
    ] * (len(decoded.spans) - len(in_time))
    decoded.spans = in_time
    return in_time


def new(span: Span, store_content: bool) -> Known:
    told = said(span)
    row = Row(
        timestamp=told.timestamp,
        trace_id=told.trace_id,
        span_id=told.span_id,
        parent_span_id=told.parent_span_id,
        operation=told.operation,
        agent_id="",
        name=told.name or None,
        status=told.status,
        error_type=told.error_type,
        error_message=told.error_message,
        attributes=attributes_of(span, store_content),
        said={name: value for name, default in BESIDE if (value := getattr(told, name)) != default},
        link=link_of(told),
    )
    return Known(told, row, is_new=True)


def resolve_and_store(
    cursor: CursorWrapper, workspace_id: UUID, given: dict[Key, Known], overrides: list[PriceOverride]
) -> int:
    known = with_stored(cursor, workspace_id, given)
    fresh = [one for one in known.values() if one.is_new]
    if not fresh:
        return 0
    changed = settle(known, overrides)
    accepted = writer.insert(cursor, workspace_id, [one.row for one in fresh])
    if changed:
        writer.correct(cursor, workspace_id, changed)
    return accepted


def settle(known: dict[Key, Known], overrides: list[PriceOverride]) -> list[Row]:
    """Every row as it is now known to be; returns the stored ones that were not so."""
    before = {key: values(one.row, writer.CORRECTED) for key, one in known.items() if not one.is_new}
    unpriced: list[pricing.Call] = []
    for result in resolve(one.said for one in known.values()):
        one = known[result.said.trace_id, result.said.span_id, result.said.timestamp]
        priced_by = values(one.row, PRICED_BY)
        fill(one.row, result)
        if result.call is None:
            one.row.cost_usd, one.row.cost_source, one.row.price_id = None, None, None
        elif one.is_new or values(one.row, PRICED_BY) != priced_by:
            unpriced.append(to_price(one.row, result.call))
    pricing.price_calls(overrides, unpriced)
    return [known[key].row for key, old in before.items() if values(known[key].row, writer.CORRECTED) != old]


def values(row: Row, names: Iterable[str]) -> list[Any]:
    return [getattr(row, name) for name in names]


def fill(row: Row, result: Resolved) -> None:
    """All of it but the price."""
    call = result.call
    row.operation = result.operation
    row.agent_id = result.agent_id
    row.user_id = result.user_id
    row.session_id = result.session_id
    row.latency_ms = result.latency_ms
    row.provider = call.provider if call else None
    row.model = model_of(call) if call else None
    row.input_tokens = call.input_tokens if call else None
    row.output_tokens = call.output_tokens if call else None
    row.cache_read_tokens = call.cache_read_tokens if call else None
    row.cache_write_tokens = call.cache_write_tokens if call else None
    row.reasoning_tokens = call.reasoning_tokens if call else None
    row.response_id = call.response_id if call else result.said.response_id


def to_price(row: Row, call: Said) -> pricing.Call:
    models = tuple(name for name in (call.used_model, call.requested_model) if name)
    reported = Decimal(call.reported_cost_usd) if call.reported_cost_usd else None
    return pricing.Call(row, models, reported, call.service_tier)


# --- What is stored already ---


def with_stored(cursor: CursorWrapper, workspace_id: UUID, given: dict[Key, Known]) -> dict[Key, Known]:
    """The given spans, the stored spans of their traces, and of all traces that hold a record of the same calls."""
    known = dict(given)
    asked: set[str] = set()
    trace_ids = {one.said.trace_id for one in given.values()}
    while trace_ids:
        found = stored(cursor, workspace_id, trace_ids)
        known |= {one.key: one for one in found}
        forget_repeated_traces(known, found)
        if not any(one.is_new for one in known.values()):
            break
        asked |= trace_ids
        trace_ids = linked_trace_ids(cursor, workspace_id, known.values()) - asked
    return known


def forget_repeated_traces(known: dict[Key, Known], found: list[Known]) -> None:
    """The Agents SDK's traces have no time, so a repetition has another key."""
    for one in found:
        if one.said.span_id == one.said.trace_id:
            for key in [key for key, other in known.items() if other.is_new and key[:2] == one.key[:2]]:
                del known[key]


def stored(cursor: CursorWrapper, workspace_id: UUID, trace_ids: set[str]) -> list[Known]:
    cursor.execute(STORED, {"workspace_id": workspace_id, "trace_ids": sorted(trace_ids)})
    return [from_stored(dict(zip(STORED_NAMES, row, strict=True))) for row in cursor.fetchall()]


def from_stored(values: dict[str, Any]) -> Known:
    told = orjson.loads(values.pop("said"))
    identity = {name: values[name] for name in IDENTITY}
    identity["name"] = identity["name"] or ""
    return Known(Said(**identity, **told), Row(**values), is_new=False)


# --- Records of the same call in other traces ---


def link_of(told: Said) -> str | None:
    """What both records of a call have, and roughly when: looked up without reading more than that time's rows."""
    if told.kind == "usage_log":
        return at_minute(f"stream-log:{told.requested_model}", told.timestamp)
    if not told.is_call:
        return None
    if is_stream_request(told):
        return at_minute(f"stream:{told.requested_model}", end(told))
    if told.response_id:
        return at_minute(told.response_id, end(told))
    if may_be_told_twice(told):
        return at_minute(f"{'sdk-failed' if is_sdk_root(told) else 'failed'}:{model_of(told)}", end(told))
    return None


def wanted_links(told: Said) -> list[str]:
    """The links that other records of the same call can have."""
    if told.kind == "usage_log":
        return minutes(f"stream:{told.requested_model}", told.timestamp - SLACK, told.timestamp + SLACK)
    if not told.is_call:
        return []
    if is_stream_request(told):
        return minutes(f"stream-log:{told.requested_model}", end(told) - SLACK, end(told) + SLACK)
    if told.response_id:
        return minutes(told.response_id, told.timestamp - SLACK, end(told) + LONGER)
    if may_be_told_twice(told):
        if is_sdk_root(told):
            return minutes(f"failed:{model_of(told)}", end(told) - SLACK, end(told) + LONGEST_CALL)
        return minutes(f"sdk-failed:{model_of(told)}", told.timestamp - SLACK, end(told) + SLACK)
    return []


def may_be_told_twice(told: Said) -> bool:
    return told.status != "success" and told.kind == "llm" and told.provider in (None, "anthropic")


def at_minute(key: str, at: datetime) -> str:
    return f"{key}@{int(at.timestamp()) // 60}"


def minutes(key: str, start: datetime, until: datetime) -> list[str]:
    first, last = int(start.timestamp()) // 60, int(until.timestamp()) // 60
    return [f"{key}@{minute}" for minute in range(first, min(last, first + MOST_MINUTES) + 1)]


def linked_trace_ids(cursor: CursorWrapper, workspace_id: UUID, around: Iterable[Known]) -> set[str]:
    links = sorted({link for one in around for link in wanted_links(one.said)})
    if not links:
        return set()
    cursor.execute(LINKED, {"workspace_id": workspace_id, "links": links})
    return {trace_id for (trace_id,) in cursor.fetchall()}
