"""Stores together what several requests send for one workspace.

A workspace has one writer at a time. While the spans of one request are stored, those of others wait here. The first
of them then stores all that wait in one transaction, because most of its cost is that of the transaction and not of the
spans. Each request is answered after this commit, with the counts of its own spans.

If that transaction fails, each of its requests is stored alone: an error in one is no error of the others. A part of
them may be stored by then, if the failure was that of the connection; storing a span again changes nothing.

Nobody waits for others to come: a request that finds no writer is stored at once. Other processes wait for the lock in
the database, as before.
"""

import logging
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from ingest.labels import LabelChoice
from ingest.parts import MAX_SPANS, Part
from ingest.span_rows import Key
from prices.models import PriceOverride
from web import deadline
from web.postgres.base import DeadlinePassed

logger = logging.getLogger(__name__)

MAX_PERIOD = timedelta(days=1)
"""How long after the first span of a group the last one may begin. Spans of now stay apart from those of long ago: the
search for other spans of their traces takes longer."""


class Uncountable(Exception):
    """The table had some rows already, and the counts of each request of the group are unknown."""


class Stored(NamedTuple):
    """What was stored of a request, or of a group."""

    accepted: int
    """How many rows the table did not have. Fewer than `added` where a row of another kind has the same key."""
    added: Set[Key]
    """The spans that were not stored before."""
    learned: Set[Key]
    """The stored spans that have learned from a copy."""

    def check_counts(self, request: "Request") -> None:
        """Raises Uncountable, before the commit, unless each request of the group can be told its own counts."""
        if request.is_group and self.accepted != len(self.added):
            raise Uncountable

    def counts_of(self, request: "Request") -> tuple[int, int]:
        """Returns how many of the request's spans were added, and how many have learned."""
        if len(self.added) <= self.accepted:
            return len(self.added & request.part.keys()), len(self.learned & request.part.keys())
        return self.accepted, len(self.learned)


NOTHING = Stored(0, frozenset(), frozenset())


def held() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Request:
    """Spans that are stored together, and what decides about their rows."""

    part: Part
    overrides: Sequence[PriceOverride]
    choice: LabelChoice
    starts: tuple[datetime, datetime]
    """When the first and the last of them began."""
    is_timeless: bool
    """Some do not say when they began. Resolving changes their start, so it must not see spans of other requests."""
    is_group: bool = False
    is_its_turn: Lock = field(default_factory=held)
    """Held until the request is stored or has to store itself."""
    is_alone: bool = False
    """It was in a group that failed."""
    counts: tuple[int, int] | None = None
    """How many of its spans were added and have learned, once another request has stored it."""


Store = Callable[[Request], Stored]
"""Stores the spans of the request in one transaction."""

_lock = Lock()
_waiting: dict[UUID, list[Request]] = {}
"""The requests that wait, the oldest first, by workspace. A workspace without a writer has no entry."""


def request_of(part: Part, overrides: Sequence[PriceOverride], choice: LabelChoice) -> Request:
    facts = [span.facts for span in part.values()]
    starts = [span.timestamp for span in facts]
    is_timeless = any(span.is_timeless for span in facts)
    return Request(part, overrides, choice, (min(starts), max(starts)), is_timeless)


def store_in_turn(workspace_id: UUID, request: Request, store: Store) -> tuple[int, int]:
    """Stores the spans, together with those of other requests or alone. They are committed when it returns.

    Returns how many were added, and how many stored ones have learned from a copy.
    """
    if not begin(workspace_id, request):
        wait_for_turn(workspace_id, request)
    if request.counts is not None:
        return request.counts
    if request.is_alone:
        return store(request).counts_of(request)
    try:
        return store_group(take_group(workspace_id, request), store)
    finally:
        end(workspace_id)


def begin(workspace_id: UUID, request: Request) -> bool:
    """Returns whether it is the turn of the request. Otherwise it is in the queue now."""
    with _lock:
        if workspace_id in _waiting:
            _waiting[workspace_id].append(request)
            return False
        _waiting[workspace_id] = []
        return True


def end(workspace_id: UUID) -> None:
    """Gives the turn to the request that has waited longest, if there is one."""
    with _lock:
        if _waiting[workspace_id]:
            _waiting[workspace_id].pop(0).is_its_turn.release()
        else:
            del _waiting[workspace_id]


def wait_for_turn(workspace_id: UUID, request: Request) -> None:
    """Waits until the request is stored, or has to store itself. Raises DeadlinePassed at the deadline.

    A request that a group has taken by then may be stored all the same. Its client sends it again, and nothing changes.
    """
    seconds = deadline.remaining_seconds()
    if request.is_its_turn.acquire(timeout=-1 if seconds is None else seconds):
        return
    with _lock:
        has_turn = request.is_its_turn.acquire(blocking=False)
        if not has_turn and request in _waiting[workspace_id]:
            _waiting[workspace_id].remove(request)
    if not has_turn:
        raise DeadlinePassed(f"other requests were stored for all of the request's time ({seconds} s)")


def take_group(workspace_id: UUID, first: Request) -> list[Request]:
    """Takes from the queue the requests that can be stored with the first one."""
    group, taken = [first], set(first.part)
    begins, ends = first.starts
    with _lock:
        for request in list(_waiting[workspace_id]):
            from_, until = min(begins, request.starts[0]), max(ends, request.starts[1])
            has_room = len(taken) + len(request.part) <= MAX_SPANS and until - from_ <= MAX_PERIOD
            if has_room and is_alike(first, request) and taken.isdisjoint(request.part):
                _waiting[workspace_id].remove(request)
                group.append(request)
                taken |= request.part.keys()
                begins, ends = from_, until
    return group


def is_alike(one: Request, other: Request) -> bool:
    """Returns whether both were read under the same prices and labels. These are cached, so it is the same object."""
    has_times = not one.is_timeless and not other.is_timeless
    return has_times and one.overrides is other.overrides and one.choice is other.choice


def store_group(group: list[Request], store: Store) -> tuple[int, int]:
    """Stores the requests in one transaction, or each alone if that fails. Returns the counts of the first."""
    first, *others = group
    if not others:
        return store(first).counts_of(first)
    part = {key: span for request in group for key, span in request.part.items()}
    stored = None
    try:
        stored = store(replace(first, part=part, is_group=True))
        for request in others:
            request.counts = stored.counts_of(request)
    except Exception as error:
        logger.info("a group of %d requests failed, so each is stored alone: %s", len(group), error)
    finally:
        for request in others:
            request.is_alone = request.counts is None
            request.is_its_turn.release()
    return (stored or store(first)).counts_of(first)
