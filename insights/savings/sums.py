"""The kinds of savings that stored sums show, without a look at single calls."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from insights.savings.window import FEWEST_CALLS, LEAST_USD, LENGTH, RECENT, Found, Line, SavingWindow
from methods.comparison import Arm, Z, compare_means, compare_rates
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import rows
from traces.filters import Filters, FilterValues

# --- A cheaper model that is already used for like calls ---

LIKE = 2
"""Calls are alike if their average input and output differ by no more than this factor."""
WORSE_RATE = 0.03
"""An error rate is no worse if it is surely not this much higher."""
FEWEST_SCORES = 20
WORSE_SCORE = 0.1
"""A score is no worse if it is surely not lower by this part of the average."""
SCORES = """
SELECT
    agent_id,
    provider,
    model,
    name,
    sum(numbers)::bigint AS numbers,
    sum(number) AS number,
    sum(squared_number) AS squared_number
FROM score_sums
WHERE workspace_id = %(workspace_id)s AND bucket >= time_bucket('1 hour', %(start)s) AND bucket < %(end)s
    AND agent_id = ANY(%(agents)s::text[])
GROUP BY agent_id, provider, model, name
HAVING sum(numbers) >= %(fewest)s
"""
Names = tuple[str, str | None, str | None]
Scores = Mapping[Names, Mapping[str, Arm]]


def cheaper_models(window: SavingWindow) -> Iterator[Found]:
    """Yields each agent's dear model beside a cheaper one that does the same calls without more errors or less score.

    The tokens of the dear calls are priced on the cheaper model; what its own calls cost on average is a second figure.
    """
    pairs = [pair for pair in pairs_of(window.habits) if is_cheaper(*pair)]
    scores = scores_of(window, {dear.agent_id for dear, _ in pairs})
    best: dict[Names, Found] = {}
    for dear, cheap in pairs:
        if not is_worse(dear, cheap, scores) and (found := saving_of(window, dear, cheap, scores)):
            known = best.get(dear.names)
            best[dear.names] = max(found, known, key=lambda one: one.low_usd) if known else found
    yield from best.values()


def pairs_of(lines: Iterable[Line]) -> Iterator[tuple[Line, Line]]:
    by_agent: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.priced_calls >= FEWEST_CALLS:
            by_agent[line.agent_id, line.operation].append(line)
    for group in by_agent.values():
        yield from ((one, other) for one in group for other in group if one.names != other.names)


def is_cheaper(dear: Line, cheap: Line) -> bool:
    """Returns whether the calls are alike and cost less on average."""
    sizes = [
        (getattr(line, name) / line.priced_calls)
        for name in ("input_tokens", "output_tokens")
        for line in (dear, cheap)
    ]
    are_alike = all(max(a, b) <= LIKE * max(min(a, b), 1) for a, b in (sizes[:2], sizes[2:]))
    return are_alike and cheap.cost_usd / cheap.priced_calls < dear.cost_usd / dear.priced_calls


def scores_of(window: SavingWindow, agents: set[str]) -> Scores:
    found: defaultdict[Names, dict[str, Arm]] = defaultdict(dict)
    params = window.filters.params | {"agents": sorted(agents), "fewest": FEWEST_SCORES}
    for row in rows(SCORES, params) if agents else ():
        arm = Arm(row["numbers"], float(row["number"]), float(row["squared_number"]))
        found[row["agent_id"], row["provider"], row["model"]][row["name"]] = arm
    return found


def is_worse(dear: Line, cheap: Line, scores: Scores) -> bool:
    errors = compare_rates(Arm(dear.calls, dear.errors, dear.errors), Arm(cheap.calls, cheap.errors, cheap.errors))
    if errors.difference is None or errors.difference.high > WORSE_RATE:
        return True
    of_cheap = scores.get(cheap.names, {})
    return any(
        name not in of_cheap or is_lower(arm, of_cheap[name]) for name, arm in scores.get(dear.names, {}).items()
    )


def is_lower(dear: Arm, cheap: Arm) -> bool:
    """Returns whether the score is surely lower, or may be much lower."""
    difference = compare_means(dear, cheap).difference
    return difference is None or difference.high < 0 or difference.low < -WORSE_SCORE * abs(dear.mean)


def saving_of(window: SavingWindow, dear: Line, cheap: Line, scores: Scores) -> Found | None:
    then = window.cost_as(dear, window.target(cheap.provider, cheap.model))
    average = cheap.cost_usd / cheap.priced_calls
    variance = max(cheap.squared_cost / cheap.priced_calls - average**2, Decimal(0)) / cheap.priced_calls
    reach = Decimal(Z * math.sqrt(variance))
    figures = [dear.cost_usd - dear.priced_calls * (average + sign * reach) for sign in (1, -1)]
    if then is None:
        return None
    facts = {
        "agent": dear.agent_id,
        "model": dear.model,
        "other_model": cheap.model,
        "target": f"{cheap.provider}/{cheap.model}" if cheap.provider else cheap.model,
        "calls": dear.calls,
        "other_calls": cheap.calls,
        "error_rate": dear.errors * 100 / dear.calls,
        "other_error_rate": cheap.errors * 100 / cheap.calls,
        "scores": sorted(scores.get(dear.names, {})),
    }
    saved = dear.cost_usd - then
    return Found("cheaper_model", dear.filters, saved, min(saved, *figures), max(saved, *figures), dear.calls, facts)


# --- Cache writes that nobody reads ---


def unread_cache_writes(window: SavingWindow) -> Iterator[Found]:
    """Yields each model for which writing to the cache cost more than reading from it saved.

    All agents count together: one may read what another has written.
    """
    by_model: defaultdict[tuple[str | None, str | None], list[Line]] = defaultdict(list)
    for line in window.lines:
        by_model[line.provider, line.model].append(line)
    for (provider, model), lines in by_model.items():
        written, read = (sum(getattr(line, f"cache_{way}_tokens") for line in lines) for way in ("write", "read"))
        rates = window.rates(provider, model)
        writers = [line for line in lines if line.cache_write_tokens]
        if rates is None or not any(window.is_habit(line.days, line.last_day) for line in writers):
            continue
        wasted = written * (rates.cache_write - rates.input) - read * (rates.input - rates.cache_read)
        agents = sorted({line.agent_id for line in writers})
        filters = {"provider": provider, "model": model} | ({"agent_id": agents[0]} if len(agents) == 1 else {})
        named = {name: value for name, value in filters.items() if value is not None}
        facts = {"model": model, "agents": agents[:3], "written": written, "read": read}
        calls = sum(line.calls for line in writers)
        yield Found("unread_cache_writes", named, wasted, wasted, wasted, calls, facts)


# --- Calls that nobody waits for ---

NIGHT = (20, 8)
"""From this hour to that one, in the workspace's time zone."""
NIGHT_SHARE = Decimal("0.9")
FEWEST_NIGHTS = 5
UNATTENDED = Decimal("0.01")
"""At most this part of the calls has a user or session."""
HOURS = """
SELECT
    agent_id,
    sum(calls)::bigint AS calls,
    coalesce(sum(calls) FILTER (WHERE hour >= %(from_hour)s OR hour < %(to_hour)s), 0)::bigint AS night_calls,
    count(DISTINCT night) AS nights,
    max(timestamp) AS last
FROM (
    SELECT
        agent_id,
        calls,
        timestamp,
        extract(hour FROM timestamp AT TIME ZONE %(zone)s) AS hour,
        ((timestamp AT TIME ZONE %(zone)s) - interval '12 hours')::date AS night
    FROM {calls} AS calls
) AS by_hour
WHERE agent_id = ANY(%(agents)s::text[])
GROUP BY agent_id
"""
ATTENDED = """
SELECT agent_id, sum({measure})::bigint AS calls
FROM {calls} AS calls
WHERE agent_id = ANY(%(agents)s::text[])
GROUP BY agent_id
"""


def attended_calls(filters: Filters, agents: Iterable[str]) -> dict[str, int]:
    """Returns how many calls of each agent have a user or a session, whichever are more."""
    params = {"agents": sorted(agents)}
    of_sessions = replace(filters, any_operation=True)
    parts = [
        rows(ATTENDED, filters.params | params, measure="calls", calls=sums.users_sql(filters, "agent_id")),
        rows(
            ATTENDED,
            of_sessions.params | params,
            measure="model_calls",
            calls=sums.session_totals_sql(of_sessions),
        ),
    ]
    found: defaultdict[str, int] = defaultdict(int)
    for row in (row for part in parts for row in part):
        found[row["agent_id"]] = max(found[row["agent_id"]], row["calls"])
    return found


def unattended_agents(window: SavingWindow) -> dict[str, list[Line]]:
    """Returns the lines of each agent whose calls have neither user nor session."""
    by_agent: defaultdict[str, list[Line]] = defaultdict(list)
    for line in window.habits:
        by_agent[line.agent_id].append(line)
    attended = attended_calls(window.filters, by_agent) if by_agent else {}
    return {
        agent: lines
        for agent, lines in by_agent.items()
        if attended.get(agent, 0) <= UNATTENDED * sum(line.calls for line in lines)
    }


def nightly_agents(window: SavingWindow, agents: Iterable[str]) -> set[str]:
    filters = replace(window.filters, granularity="hourly", zone=window.zone)
    params = {"agents": sorted(agents), "zone": window.zone.key, "from_hour": NIGHT[0], "to_hour": NIGHT[1]}
    found = rows(HOURS, filters.params | params, calls=sums.calls_sql(filters, "agent_id", "calls", by_bucket=True))
    return {
        row["agent_id"]
        for row in found
        if row["night_calls"] >= NIGHT_SHARE * row["calls"]
        and row["nights"] >= FEWEST_NIGHTS
        and row["last"] >= window.end - RECENT
    }


def batchable(window: SavingWindow) -> Iterator[Found]:
    """Yields agents that call at night, for nobody, at a price above that of a batch."""
    unattended = unattended_agents(window)
    unused = {found.filters["agent_id"] for found in unused_agents(window)}
    for agent in sorted(nightly_agents(window, unattended) - unused):
        parts = [(line, *found) for line in unattended[agent] if (found := discount(window, line))]
        if parts:
            saved, calls = sum((usd for _, usd, _ in parts), Decimal(0)), sum(line.calls for line, *_ in parts)
            tiers = sorted({tier for *_, tier in parts})
            facts = {"agent": agent, "calls": calls, "tiers": tiers, "tier": tiers[0]}
            yield Found("batch", {"agent_id": agent}, saved, saved, saved, calls, facts)


def discount(window: SavingWindow, line: Line) -> tuple[Decimal, str] | None:
    """Returns what the line would save in a batch, or else at the flex tier. What is one already saves nothing."""
    for tier in ("batch", "flex"):
        then = window.cost_as(line, window.target(line.provider, line.model, tier))
        if then is not None:
            saved = line.cost_usd - then
            return (saved, tier) if saved > 0 else None
    return None


# --- Agents that nobody uses any more ---

EARLIER = timedelta(days=182)
USED = Decimal("0.2")
"""At least this part of the earlier calls had a user or session."""
LONGEST_PAUSE = LENGTH
"""An agent that people left for so long before, and came back to, is seasonal."""
WEEKS_OF_USE = """
SELECT agent_id, array_agg(DISTINCT {bucket} ORDER BY {bucket}) AS weeks
FROM {calls} AS calls
WHERE agent_id = ANY(%(agents)s::text[])
GROUP BY agent_id
"""
CALLS_BY_AGENT = """
SELECT agent_id, sum(calls)::bigint AS calls
FROM {calls} AS calls
WHERE agent_id = ANY(%(agents)s::text[])
GROUP BY agent_id
"""


def unused_agents(window: SavingWindow) -> Iterator[Found]:
    """Yields agents that still cost money, though nobody has used them for the whole window and people did before."""
    unattended = unattended_agents(window)
    if not unattended:
        return
    earlier = Filters(window.workspace_id, window.start - EARLIER, window.start, granularity="weekly")
    params = earlier.params | {"agents": sorted(unattended)}
    total = {
        r["agent_id"]: r["calls"]
        for r in rows(CALLS_BY_AGENT, params, calls=sums.calls_sql(earlier, "agent_id", "calls"))
    }
    attended = attended_calls(earlier, unattended)
    weeks = weeks_of_use(earlier, unattended)
    for agent, lines in unattended.items():
        if agent in weeks and attended.get(agent, 0) >= USED * total.get(agent, 0) and not is_seasonal(weeks[agent]):
            cost, calls = sum((line.cost_usd for line in lines), Decimal(0)), sum(line.calls for line in lines)
            facts = {"agent": agent, "calls": calls, "last_used": weeks[agent][-1].date().isoformat()}
            yield Found("unused_agent", {"agent_id": agent}, cost, cost, cost, calls, facts)


def weeks_of_use(filters: Filters, agents: Iterable[str]) -> dict[str, list[datetime]]:
    """Returns the weeks in which people used each agent."""
    found = rows(
        WEEKS_OF_USE,
        filters.params | {"agents": sorted(agents)},
        bucket=bucket_sql(filters),
        calls=sums.users_sql(filters, "agent_id", by_bucket=True),
    )
    return {row["agent_id"]: row["weeks"] for row in found}


def is_seasonal(weeks: list[datetime]) -> bool:
    return any(later - earlier > LONGEST_PAUSE for earlier, later in pairwise(weeks))


# --- Calls that are paid for and fail ---

FAILED = """
SELECT
    agent_id,
    provider,
    model,
    status,
    error_type,
    sum(calls)::bigint AS calls,
    sum(priced_calls)::bigint AS priced_calls,
    sum(cost_usd) AS cost_usd,
    count(DISTINCT {bucket}) AS days,
    max({bucket}) AS last_day
FROM {calls} AS calls
WHERE status <> 'success'
GROUP BY agent_id, provider, model, status, error_type
HAVING sum(cost_usd) >= %(least)s
ORDER BY sum(cost_usd) DESC, agent_id, provider, model, error_type
LIMIT 100
"""


def paid_failures(window: SavingWindow) -> Iterator[Found]:
    """Yields errors whose calls cost money, by agent, model and type of error."""
    filters = window.filters
    filters = replace(filters, values={"status": FilterValues(excluded=("success",))})
    names = ("agent_id", "provider", "model", "status", "error_type", "calls", "priced_calls", "cost_usd")
    found = rows(
        FAILED,
        filters.params | {"least": LEAST_USD},
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, *names, by_bucket=True),
    )
    for row in found:
        if window.is_habit(row["days"], row["last_day"]):
            yield failure_of(row)


def failure_of(row: Mapping[str, Any]) -> Found:
    names = ("agent_id", "provider", "model", "status", "error_type")
    filters = {name: row[name] for name in names if row[name] is not None}
    facts = {"agent": row["agent_id"], "model": row["model"], "error": row["error_type"], "calls": row["priced_calls"]}
    cost = row["cost_usd"]
    return Found("paid_failures", filters, cost, cost, cost, row["priced_calls"], facts)
