"""Computes what could cost less, keeps it with what people decided, and measures what was saved.

Each kind is one function, which looks at a window and yields what it finds. A job computes them once a week; after
somebody has said that one is done, the same function looks at the time since then.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID

from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils.http import urlencode
from psycopg.errors import QueryCanceled
from typing_extensions import TypedDict

from insights.savings import rows, sums
from insights.savings.models import Saving, SavingRun, SavingState, saving_id
from insights.savings.texts import how, sentence
from insights.savings.window import LENGTH, Found, SavingWindow
from workspaces.models import Workspace

LEAST_USD_PER_MONTH = Decimal(1)
"""Of what is sure. Less is not worth a look."""
SHORTEST_AFTER = timedelta(days=7)
"""After so long it is measured what was saved."""
MOST_MEASURED = 50
MOST_SHOWN = 200
ASKED_FOR = timedelta(minutes=15)
"""For so long a computation that somebody asked for is expected."""

Kind = Literal[
    "cheaper_model",
    "uncached_prefix",
    "unread_cache_writes",
    "batch",
    "loop",
    "long_runs",
    "long_outputs",
    "unused_agent",
    "paid_failures",
]
KINDS: Mapping[Kind, Callable[[SavingWindow], Iterator[Found]]] = {
    "cheaper_model": sums.cheaper_models,
    "uncached_prefix": rows.uncached_prefixes,
    "unread_cache_writes": sums.unread_cache_writes,
    "batch": sums.batchable,
    "loop": rows.loops,
    "long_runs": rows.long_runs,
    "long_outputs": rows.long_outputs,
    "unused_agent": sums.unused_agents,
    "paid_failures": sums.paid_failures,
}


# --- Computing ---


class Amounts(NamedTuple):
    """USD a month."""

    usd: Decimal
    low: Decimal
    high: Decimal


def amounts_of(window: SavingWindow, found: Found) -> Amounts:
    return Amounts(*(round(usd * window.per_month, 6) for usd in (found.usd, found.low_usd, found.high_usd)))


def compute(workspace: Workspace, now: datetime) -> None:
    """Looks for savings in the last four weeks, stores what is worth a look, and measures what is done."""
    window = SavingWindow(workspace, now - LENGTH, now)
    found = [one for kind in KINDS for one in look(window, kind) if is_worth(window, one)]
    measured = list(measure(workspace, now))
    with transaction.atomic():
        Saving.objects.filter(workspace=workspace).update(is_found=False)
        for one in found:
            store(window, one, now)
        Saving.objects.filter(workspace=workspace, state="open", is_found=False).delete()
        Saving.objects.bulk_update(measured, ["after_usd_per_month", "measured_at"])
        SavingRun.objects.update_or_create(
            workspace=workspace, defaults={"computed_at": now, "asked_at": None, "notes": window.notes}
        )


class TookTooLong(Exception):
    """The database gave up."""


def search(window: SavingWindow, kind: Kind) -> list[Found]:
    try:
        return list(KINDS[kind](window))
    except DatabaseError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TookTooLong from error


def look(window: SavingWindow, kind: Kind) -> list[Found]:
    """Returns what a kind finds. One that takes too long is left out, and said so: the others go on."""
    try:
        return search(window, kind)
    except TookTooLong:
        window.notes.append(f"To look for {kind.replace('_', ' ')} took too long.")
        return []


def is_worth(window: SavingWindow, found: Found) -> bool:
    return amounts_of(window, found).low >= LEAST_USD_PER_MONTH


FOUND_FIELDS = (
    *("facts", "calls", "is_found", "usd_per_month", "low_usd_per_month", "high_usd_per_month"),
    *("window_start", "window_end", "found_at"),
)
"""Somebody may decide in the same moment, so a computation saves nothing else."""


def store(window: SavingWindow, found: Found, now: datetime) -> None:
    """Stores what was found. What people decided about it stays."""
    amounts, filters = amounts_of(window, found), dict(found.filters)
    saving, _ = Saving.objects.get_or_create(
        id=saving_id(window.workspace_id, found.kind, filters),
        defaults={"workspace": window.workspace, "kind": found.kind, "filters": filters},
    )
    saving.facts, saving.calls, saving.is_found = dict(found.facts), found.calls, True
    saving.usd_per_month, saving.low_usd_per_month, saving.high_usd_per_month = amounts
    saving.window_start, saving.window_end = window.start, window.end
    saving.found_at = saving.found_at or now
    saving.save(update_fields=FOUND_FIELDS)


def measure(workspace: Workspace, now: datetime) -> Iterator[Saving]:
    """Yields the savings that are done, with what the same formula says about the time since then."""
    done = Saving.objects.filter(workspace=workspace, state="done", decided_at__lte=now - SHORTEST_AFTER)
    for saving in done.order_by("-decided_at")[:MOST_MEASURED]:
        try:
            after = usd_per_month_since(workspace, saving, saving.decided_at or now, now)
        except TookTooLong:
            continue
        if after is not None:
            saving.after_usd_per_month, saving.measured_at = after, now
            yield saving


def usd_per_month_since(workspace: Workspace, saving: Saving, decided_at: datetime, now: datetime) -> Decimal | None:
    """Returns what the formula says about the time since the decision; None if it cannot tell.

    It needs some calls on some days. Where it would not have found the saving in a time that short before either, that
    it finds nothing now says nothing.
    """
    length = min(now - decided_at, LENGTH)
    since, before = (SavingWindow(workspace, end - length, end) for end in (now, decided_at))
    after = usd_per_month_in(since, saving)
    return Decimal(0) if after is None and usd_per_month_in(before, saving) is not None else after


def usd_per_month_in(window: SavingWindow, saving: Saving) -> Decimal | None:
    """Returns the amount of the saving in a window; None: it is not found there."""
    found = (one for one in search(window, saving.kind) if dict(one.filters) == saving.filters)  # type: ignore[arg-type]
    return max((amounts_of(window, one).usd for one in found), default=None)


# --- Deciding ---


def decide(saving: Saving, state: SavingState, reason: str, author: str, now: datetime) -> Saving:
    """Records what somebody decided. Open again means that nobody has decided."""
    is_new = saving.state != state
    saving.state, saving.reason = state, reason if state != "open" else ""
    if is_new:
        saving.decided_at = now if state != "open" else None
        saving.before_usd_per_month = saving.usd_per_month if state == "done" else None
        saving.after_usd_per_month = saving.measured_at = None
    saving.decided_by = author if state != "open" else ""
    saving.save()
    return saving


def saving_of(workspace: Workspace, kind: Kind, filters: dict[str, str]) -> Saving:
    """Returns the saving of this kind under these filters; one that was not found yet has no amounts."""
    identity = saving_id(workspace.pk, kind, filters)
    known = Saving.objects.filter(id=identity, workspace=workspace).first()
    return known or Saving(id=identity, workspace=workspace, kind=kind, filters=filters)


# --- The answer ---


class Effect(TypedDict):
    before_usd_per_month: float
    after_usd_per_month: float | None
    """The same formula over the time since; null in the first 7 days, and while there are too few calls to tell."""
    saved_usd_per_month: float | None
    measured_at: datetime | None


class SavingItem(TypedDict):
    id: UUID
    kind: Kind
    text: str
    how: str
    """How the amount is computed."""
    usd_per_month: float
    low_usd_per_month: float
    """What is sure of it (95 %)."""
    high_usd_per_month: float
    calls: int
    """The calls behind it, in the window."""
    filters: dict[str, str]
    """Those of the list of traces that shows them."""
    start: datetime | None
    end: datetime | None
    traces_path: str
    what_if_path: str | None
    """Of the page that shows it over time, for a cheaper model and a batch."""
    state: SavingState
    reason: str
    decided_by: str
    decided_at: datetime | None
    is_found: bool
    """It was found when savings were last computed."""
    effect: Effect | None
    """Of what is done."""


class SavingList(TypedDict):
    computed_at: datetime | None
    """Null: not yet."""
    is_being_computed: bool
    total_usd_per_month: float
    """Each is computed by itself: done together, they may save less."""
    data: list[SavingItem]
    """At most 200, the dearest first."""
    notes: list[str]


def savings(workspace: Workspace, state: SavingState | Literal["all"], now: datetime) -> SavingList:
    run = SavingRun.objects.filter(workspace=workspace).first()
    chosen = Saving.objects.filter(workspace=workspace)
    if state == "open":
        chosen = chosen.filter(is_found=True)
    if state != "all":
        chosen = chosen.filter(state=state)
    items = [item(saving) for saving in chosen[:MOST_SHOWN]]
    return {
        "computed_at": run.computed_at if run else None,
        "is_being_computed": bool(run and run.asked_at and run.asked_at > now - ASKED_FOR),
        "total_usd_per_month": sum(one["usd_per_month"] for one in items),
        "data": items,
        "notes": run.notes if run else [],
    }


def item(saving: Saving) -> SavingItem:
    return {
        "id": saving.id,
        "kind": saving.kind,  # type: ignore[typeddict-item]
        "text": sentence(saving.kind, saving.facts, saving.filters),
        "how": how(saving.kind),
        "usd_per_month": float(saving.usd_per_month),
        "low_usd_per_month": float(saving.low_usd_per_month),
        "high_usd_per_month": float(saving.high_usd_per_month),
        "calls": saving.calls,
        "filters": saving.filters,
        "start": saving.window_start,
        "end": saving.window_end,
        "traces_path": traces_path(saving),
        "what_if_path": what_if_path(saving),
        "state": saving.state,  # type: ignore[typeddict-item]
        "reason": saving.reason,
        "decided_by": saving.decided_by,
        "decided_at": saving.decided_at,
        "is_found": saving.is_found,
        "effect": effect(saving),
    }


def effect(saving: Saving) -> Effect | None:
    before, after = saving.before_usd_per_month, saving.after_usd_per_month
    if before is None:
        return None
    return {
        "before_usd_per_month": float(before),
        "after_usd_per_month": None if after is None else float(after),
        "saved_usd_per_month": None if after is None else float(before - after),
        "measured_at": saving.measured_at,
    }


def traces_path(saving: Saving) -> str:
    """Returns the address of the list of traces with exactly the filters of the saving."""
    window = {"start": saving.window_start, "end": saving.window_end}
    times = {name: moment.isoformat().replace("+00:00", "Z") for name, moment in window.items() if moment}
    query = {"workspace": str(saving.workspace_id), **times, **saving.filters}
    return f"{reverse('traces-page')}?{urlencode(query)}"


def what_if_path(saving: Saving) -> str | None:
    """Returns the address of the page that prices the calls as it says."""
    changed = {name: saving.facts[name] for name in ("target", "tier") if name in saving.facts}
    if not changed:
        return None
    query = {"workspace": str(saving.workspace_id), "range": "30d", **changed, **saving.filters}
    return f"{reverse('what-if-page')}?{urlencode(query)}"
