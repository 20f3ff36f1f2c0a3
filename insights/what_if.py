"""Answers `/api/v1/insights/what-if`: what the calls of a window would have cost as another model, tier or price.

The calls are summed by everything that their price depends on, and the sums are priced by `prices/what_if.py`. For a
few hundred thousand calls these sums are made from the calls themselves, and the answer is what pricing each of them
would give. Of more calls the stored sums are read, which know neither the size nor the tier of a call: the answer says
so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import orjson
from typing_extensions import TypedDict

from insights.what_if_parameters import Tier, WhatIf
from prices.models import PriceOverride
from prices.overrides import overrides_of
from prices.usage import CONTEXT_KEYS, Context, context_of
from prices.what_if import (
    MOST_CHANGES,
    CallSums,
    Target,
    call_cost,
    changes_within_day,
    highest_cost,
    price_changes,
    sums_cost,
    thresholds,
)
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import rows
from traces.filters import Filters
from traces.row import Row
from web.problems import Problem, check_deadline

MOST_CALLS = 200_000
"""So many calls are read themselves."""
MOST_PASSED = 300_000
"""So many calls of the window are looked at for those that pass the filters. It takes half a second."""
WITH_INDEX = ("user_id", "session_id")
"""The calls that pass these filters are found by an index."""
MOST_SINGLE = 3_000
"""So many calls that used more than tokens are priced one by one."""
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


class WhatIfTarget(TypedDict):
    provider: str | None
    model: str | None
    """Null: the model stays."""
    tier: Tier | None
    cache_share: float | None
    price_date: date | None


class Costs(TypedDict):
    calls: int
    compared_calls: int
    """Those with a price both now and then. All amounts are of these."""
    now_cost_usd: float
    then_cost_usd: float
    then_of_unpriced_usd: float
    """What calls without a price now would cost. It is in no other amount."""
    then_at_most_usd: float | None
    """Of very many calls nobody knows how many have a long input, which costs more: then it is between both. Null: the
    amount is exact."""
    difference_usd: float
    """Then less now: negative where it saves."""
    difference_percentage: float | None
    unpriced_now_calls: int
    """Calls without a price. They may have no price then either."""
    unpriced_then_calls: int
    """Calls for which nobody knows the price then."""


class ModelCosts(Costs):
    provider: str | None
    model: str | None


class WhatIfPoint(TypedDict):
    timestamp: datetime
    now_cost_usd: float
    then_cost_usd: float


class WhatIfScore(TypedDict):
    name: str
    now: float | None
    """The average of the calls in question."""
    now_scores: int
    then: float | None
    """The average of the target's own calls in this window."""
    then_scores: int


class WhatIfAnswer(TypedDict):
    target: WhatIfTarget
    method: Literal["calls", "sums"]
    """calls: as if each call had been priced. sums: from stored sums; `notes` says what these do not know."""
    granularity: str
    totals: Costs
    by_model: list[ModelCosts]
    """The calls by what they were, the dearest first; `limit` of them."""
    data: list[WhatIfPoint]
    scores: list[WhatIfScore]
    """What people and evaluators thought of both models; empty without scores, and then nothing judges the quality."""
    notes: list[str]


@dataclass
class Group:
    """Calls of one model in one bucket that are priced by the same rates."""

    timestamp: datetime
    provider: str | None
    model: str | None
    calls: int
    priced_calls: int
    now_usd: Decimal
    then_usd: Decimal | None
    at_most_usd: Decimal | None = None


@dataclass
class Total:
    calls: int = 0
    compared: int = 0
    now_usd: Decimal = Decimal(0)
    then_usd: Decimal = Decimal(0)
    at_most_usd: Decimal = Decimal(0)
    of_unpriced_usd: Decimal = Decimal(0)
    unpriced_now: int = 0
    unpriced_then: int = 0

    def add(self, group: Group) -> None:
        self.calls += group.calls
        self.unpriced_now += group.calls - group.priced_calls
        if group.then_usd is None:
            self.unpriced_then += group.calls
        elif group.priced_calls:
            self.compared += group.priced_calls
            self.now_usd += group.now_usd
            self.then_usd += group.then_usd
            self.at_most_usd += group.at_most_usd or group.then_usd
        else:
            self.of_unpriced_usd += group.then_usd


@dataclass
class Notes:
    """What an answer from stored sums does not know."""

    texts: dict[str, None] = field(default_factory=dict)

    def add(self, text: str) -> None:
        self.texts[text] = None


# --- The window, in parts with the same prices ---


@dataclass(frozen=True)
class Priced:
    """A question and the prices that it needs."""

    what_if: WhatIf
    overrides: Sequence[PriceOverride]
    models: Sequence[tuple[str | None, str | None]]
    """The providers and models of the window's calls, the dearest."""
    has_all: bool

    @property
    def targets(self) -> list[Target]:
        return list({self.what_if.target_for(*names) for names in self.models})

    @property
    def params(self) -> dict[str, Any]:
        return {
            "listed_providers": [provider or "" for provider, _ in self.models],
            "listed_models": [model or "" for _, model in self.models],
        }

    @property
    def is_listed(self) -> str:
        return "true" if self.has_all else IS_LISTED

    def target_of(self, row: Mapping[str, Any]) -> Target | None:
        """Returns what the calls of a row are priced as; None for a model that is not listed and stays as it is."""
        if not row["is_listed"] and self.what_if.target is None:
            return None
        return self.what_if.target_for(row["provider"], row["model"])

    def parts(self, filters: Filters) -> Iterator[Filters]:
        """Splits the window where a price changes."""
        changes = price_changes(self.targets, self.overrides, filters.start, filters.end)
        if len(changes) > MOST_CHANGES:
            message = f"prices change {len(changes)} times in this window; choose the day whose prices count"
            raise Problem(422, "The query string is not valid.", [{"loc": ["query", "price_date"], "msg": message}])
        for start, end in pairwise((filters.start, *changes, filters.end)):
            yield replace(filters, start=start, end=end, range=None)


MOST_MODELS = 200
"""So many models of the window, the dearest, are told apart."""
MODELS = """
SELECT provider, model, sum(sum(calls)) OVER () AS all_calls
FROM {calls} AS calls
GROUP BY provider, model
HAVING sum(calls) > 0
ORDER BY sum(cost_usd) DESC, sum(calls) DESC, provider, model
LIMIT %(most_models)s + 1
"""
NOT_LISTED = f"The window has more than {MOST_MODELS} models: the others have no line of their own."
IS_LISTED = """(coalesce(provider, ''), coalesce(model, '')) IN (
        SELECT provider, model
        FROM unnest(%(listed_providers)s::text[], %(listed_models)s::text[]) AS listed (provider, model)
    )"""


def groups_of(what_if: WhatIf, filters: Filters, notes: Notes) -> tuple[Literal["calls", "sums"], list[Group]]:
    params = filters.params | {"most_models": MOST_MODELS}
    found = rows(MODELS, params, calls=sums.calls_sql(filters, "provider", "model", "calls", "cost_usd"))
    listed = [(row["provider"], row["model"]) for row in found[:MOST_MODELS]]
    priced = Priced(what_if, overrides_of(filters.workspace_id), listed, has_all=len(found) <= MOST_MODELS)
    if not priced.has_all:
        notes.add(NOT_LISTED)
    method: Literal["calls", "sums"] = "calls" if is_small(filters, found) else "sums"
    read = groups_of_calls if method == "calls" else groups_of_sums
    groups = [group for part in priced.parts(filters) for group in read(priced, filters, part, notes)]
    return method, groups


ALL_CALLS = "SELECT coalesce(sum(calls), 0) AS calls FROM {calls} AS calls"


def is_small(filters: Filters, models: Sequence[Mapping[str, Any]]) -> bool:
    """Returns whether the calls can be read themselves in a moment."""
    calls = models[0]["all_calls"] if models else 0
    has_index = any(filters.values[name].included for name in WITH_INDEX if name in filters.values)
    if calls > MOST_CALLS or has_index:
        return bool(calls <= MOST_CALLS)
    everything = replace(filters, values={})
    found = rows(ALL_CALLS, everything.params, calls=sums.calls_sql(everything, "calls"))
    return bool(found[0]["calls"] <= MOST_PASSED)


# --- From calls ---

USABLE = """CASE
        WHEN operation = 'embeddings' THEN input_tokens IS NOT NULL
        ELSE coalesce(input_tokens > 0, false) AND output_tokens IS NOT NULL
            AND coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) <= input_tokens
    END"""
"""Enough is known to price a call: `has_usage` in prices/usage.py, for calls that used tokens only."""
IS_SINGLE = "coalesce(usage_details - %(context_keys)s::text[] <> '{{}}', false)"
"""It used more than tokens, like searches or audio, whose parts depend on each other."""
OF_CALLS = f"""
SELECT
    {{bucket}} AS timestamp,
    CASE WHEN {{is_listed}} THEN provider END AS provider,
    CASE WHEN {{is_listed}} THEN model END AS model,
    {{is_listed}} AS is_listed,
    operation,
    cost_usd IS NOT NULL AS is_priced,
    {USABLE} AS is_usable,
    usage_details ->> 'service_tier' AS service_tier,
    usage_details ->> 'speed' AS speed,
    width_bucket(coalesce(input_tokens, 0), %(sides)s::bigint[]) AS side,
    {{half_hour}} AS half_hour,
    count(*) AS calls,
    sum(coalesce(cost_usd, 0)) AS cost_usd,
    {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in TOKENS)}
FROM traces
WHERE {{condition}} AND NOT {IS_SINGLE}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""  # noqa: S608 (constants)
SINGLE = f"""
SELECT
    {{bucket}} AS bucket,
    timestamp,
    provider,
    model,
    true AS is_listed,
    operation,
    {", ".join(TOKENS)},
    usage_details,
    cost_usd
FROM traces
WHERE {{condition}} AND {IS_SINGLE}
LIMIT %(most)s
"""  # noqa: S608 (constants)
HALF_HOUR_LENGTH = timedelta(minutes=30)
HALF_HOUR = "(extract(epoch FROM timestamp)::bigint / 1800 %% 48)::integer"


def groups_of_calls(priced: Priced, filters: Filters, part: Filters, notes: Notes) -> Iterator[Group]:
    """Yields the calls of a part of the window, summed by all that their price depends on."""
    prices, moments = priced.overrides, (part.start,)
    sides = sorted({above + 1 for target in priced.targets for above in thresholds(target, prices, moments)})
    by_half_hour = any(changes_within_day(target, prices, part.start) for target in priced.targets)
    params = filters.params | {
        **priced.params,
        **{"start": part.start, "end": part.end, "sides": sides or [2**62], "context_keys": list(CONTEXT_KEYS)},
        "most": MOST_SINGLE + 1,
    }
    bucket, condition = bucket_sql(filters), filters.row_condition
    half_hour = HALF_HOUR if by_half_hour else "NULL::integer"
    for row in rows(
        OF_CALLS, params, bucket=bucket, condition=condition, half_hour=half_hour, is_listed=priced.is_listed
    ):
        check_deadline()
        yield group_of_calls(priced, part, sides, row)
    single = rows(SINGLE, params, bucket=bucket, condition=condition)
    if len(single) > MOST_SINGLE or (single and priced.what_if.cache_share is not None):
        notes.add("Calls that used more than tokens, like searches or audio, are not priced here.")
    for row in single:
        check_deadline()
        yield group_of_one(priced, row, is_known=len(single) <= MOST_SINGLE)


def group_of_calls(priced: Priced, part: Filters, sides: Sequence[int], row: Mapping[str, Any]) -> Group:
    target = priced.target_of(row)
    found = CallSums(
        row["operation"],
        row["calls"],
        moment_of(part, row["half_hour"]),
        context_in(row),
        above=sides[row["side"] - 1] - 1 if row["side"] else 0,
        **counts(row),
    )
    then = sums_cost(target, priced.overrides, found) if target and row["is_usable"] else None
    return Group(
        *(row["timestamp"], row["provider"], row["model"], row["calls"]),
        *(row["calls"] if row["is_priced"] else 0, row["cost_usd"], then),
    )


def counts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: int(row[name]) for name in TOKENS}


def context_in(row: Mapping[str, Any]) -> Context:
    return context_of({name: row[name] for name in CONTEXT_KEYS if row[name] is not None})


def moment_of(part: Filters, half_hour: int | None) -> datetime:
    """Returns a moment of the part whose prices are those of all its moments, at this half hour of a day in UTC."""
    if half_hour is None:
        return part.start
    midnight = part.start.replace(hour=0, minute=0, second=0, microsecond=0)
    slot = midnight + half_hour * HALF_HOUR_LENGTH
    if slot + HALF_HOUR_LENGTH <= part.start:
        slot += timedelta(days=1)
    return max(slot, part.start)


def group_of_one(priced: Priced, row: Mapping[str, Any], is_known: bool) -> Group:
    values = {name: row[name] for name in ("operation", *TOKENS)}
    details = orjson.loads(row["usage_details"])
    call = Row(row["timestamp"], "", "", agent_id="", usage_details=details, **values)
    target = priced.target_of(row)
    then = call_cost(target, priced.overrides, call) if target and is_known else None
    is_priced = row["cost_usd"] is not None
    return Group(row["bucket"], row["provider"], row["model"], 1, int(is_priced), row["cost_usd"] or Decimal(0), then)


# --- From stored sums ---

OF_SUMS = f"""
SELECT
    {{bucket}} AS timestamp,
    CASE WHEN {{is_listed}} THEN provider END AS provider,
    CASE WHEN {{is_listed}} THEN model END AS model,
    {{is_listed}} AS is_listed,
    operation,
    status,
    sum(calls) AS calls,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd,
    {", ".join(f"sum({name}) AS {name}" for name in TOKENS)}
FROM {{calls}} AS calls
GROUP BY 1, 2, 3, 4, 5, 6
HAVING sum(calls) > 0
"""  # noqa: S608 (constants)
MANY = "The window has too many calls to read each of them, so they are priced from sums."
NO_TIERS = "Sums do not know service tiers: all calls are priced at the usual tier. Choose a tier to be exact."
NO_SIZES = "Inputs above {above:,} tokens cost more, and sums do not know how many calls have one: it is between both."
NO_HOURS = "The price of {model} changes within the day, which sums do not know: its calls are left out."
MIXED = "{calls:,} calls have no price now. Where they reported tokens, these are in what it would cost."


def groups_of_sums(priced: Priced, filters: Filters, part: Filters, notes: Notes) -> Iterator[Group]:
    notes.add(MANY)
    if priced.what_if.tier is None:
        notes.add(NO_TIERS)
    columns = ("provider", "model", "operation", "status", "calls", "priced_calls", "cost_usd", *TOKENS)
    calls = sums.calls_sql(part, *columns, by_bucket=True)
    found = rows(
        OF_SUMS,
        filters.params | priced.params | part_params(part),
        bucket=bucket_sql(filters),
        calls=calls,
        is_listed=priced.is_listed,
    )
    for row in found:
        check_deadline()
        yield group_of_sums(priced, part, row, notes)
    mixed = sum(row["calls"] - row["priced_calls"] for row in found if row["priced_calls"])
    if mixed:
        notes.add(MIXED.format(calls=mixed))


def part_params(part: Filters) -> dict[str, Any]:
    return {"start": part.start, "end": part.end}


def group_of_sums(priced: Priced, part: Filters, row: Mapping[str, Any], notes: Notes) -> Group:
    target = priced.what_if.target_for(row["provider"], row["model"])
    found = CallSums(row["operation"], int(row["priced_calls"]), part.start, **counts(row))
    group = Group(
        *(row["timestamp"], row["provider"], row["model"], int(row["calls"])),
        *(int(row["priced_calls"]), row["cost_usd"], None),
    )
    if target is None:
        return group
    if changes_within_day(target, priced.overrides, part.start):
        notes.add(NO_HOURS.format(model=target.shown))
        return group
    group.then_usd = sums_cost(target, priced.overrides, found)
    if above := thresholds(target, priced.overrides, (part.start,)):
        group.at_most_usd = highest_cost(target, priced.overrides, found)
        notes.add(NO_SIZES.format(above=above[0]))
    return group


# --- The scores of both models ---

SCORES = """
SELECT
    name,
    sum(number) FILTER (WHERE {is_now}) AS now_total,
    coalesce(sum(numbers) FILTER (WHERE {is_now}), 0)::bigint AS now_scores,
    sum(number) FILTER (WHERE model = %(target)s) AS then_total,
    coalesce(sum(numbers) FILTER (WHERE model = %(target)s), 0)::bigint AS then_scores
FROM score_sums
WHERE workspace_id = %(workspace_id)s AND bucket >= time_bucket('1 hour', %(start)s) AND bucket < %(end)s
GROUP BY name
HAVING sum(numbers) > 0
ORDER BY name
LIMIT 20
"""
SCORE_FILTERS = ("agent_id", "model", "provider")


def score_lines(what_if: WhatIf, filters: Filters) -> list[WhatIfScore]:
    """Returns the average scores of the calls in question and of the target, where the sums of scores can say so."""
    target = what_if.target_for(None, None).shown
    if not target or {*filters.values} - {*SCORE_FILTERS}:
        return []
    conditions = [condition for found in filters.sql_filters for condition in found.conditions]
    is_now = " AND ".join((*conditions, "model <> %(target)s"))
    found = rows(SCORES, filters.params | {"target": target}, is_now=is_now)
    return [score_line(row) for row in found if row["now_scores"] and row["then_scores"]]


def score_line(row: Mapping[str, Any]) -> WhatIfScore:
    return {
        "name": row["name"],
        "now": row["now_total"] / row["now_scores"],
        "now_scores": row["now_scores"],
        "then": row["then_total"] / row["then_scores"],
        "then_scores": row["then_scores"],
    }


# --- The answer ---

UNJUDGED = "Tokens are as they are: another model may use others. Nothing here judges the quality of its answers."
JUDGED = "Tokens are as they are: another model may use others. The scores are those of its own calls, not of these."


def what_if_answer(what_if: WhatIf, filters: Filters) -> WhatIfAnswer:
    notes = Notes()
    method, groups = groups_of(what_if, filters, notes)
    scores = score_lines(what_if, filters)
    target = what_if.target_for(None, None)
    return {
        "target": {
            "provider": target.provider,
            "model": target.model or None,
            "tier": what_if.tier,
            "cache_share": what_if.cache_share,
            "price_date": what_if.price_date,
        },
        "method": method,
        "granularity": filters.granularity,
        "totals": costs(total_of(groups), method),
        "by_model": by_model(groups, filters.limit, method),
        "data": series(groups, filters),
        "scores": scores,
        "notes": [JUDGED if scores else UNJUDGED, *notes.texts],
    }


def total_of(groups: Iterable[Group]) -> Total:
    total = Total()
    for group in groups:
        total.add(group)
    return total


def costs(total: Total, method: str) -> Costs:
    difference = total.then_usd - total.now_usd
    is_exact = method == "calls" or total.at_most_usd == total.then_usd
    return {
        "calls": total.calls,
        "compared_calls": total.compared,
        "now_cost_usd": float(total.now_usd),
        "then_cost_usd": float(total.then_usd),
        "then_of_unpriced_usd": float(total.of_unpriced_usd),
        "then_at_most_usd": None if is_exact else float(total.at_most_usd),
        "difference_usd": float(difference),
        "difference_percentage": float(difference * 100 / total.now_usd) if total.now_usd else None,
        "unpriced_now_calls": total.unpriced_now,
        "unpriced_then_calls": total.unpriced_then,
    }


def grouped(groups: Iterable[Group], key: Callable[[Group], Any]) -> dict[Any, Total]:
    totals: dict[Any, Total] = {}
    for group in groups:
        totals.setdefault(key(group), Total()).add(group)
    return totals


def by_model(groups: Sequence[Group], limit: int, method: str) -> list[ModelCosts]:
    totals = grouped(groups, lambda group: (group.provider, group.model))
    dearest = sorted(totals.items(), key=lambda item: (-item[1].now_usd, -item[1].calls, str(item[0])))
    return [{"provider": names[0], "model": names[1], **costs(total, method)} for names, total in dearest[:limit]]


def series(groups: Sequence[Group], filters: Filters) -> list[WhatIfPoint]:
    totals = grouped(groups, lambda group: group.timestamp)
    points = ((start, totals.get(start, Total())) for start in filters.bucket_starts)
    return [
        {"timestamp": start, "now_cost_usd": float(total.now_usd), "then_cost_usd": float(total.then_usd)}
        for start, total in points
    ]
