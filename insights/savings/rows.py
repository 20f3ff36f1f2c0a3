"""The kinds of savings that only single calls show: repeated prefixes, loops, runs and outputs of unusual size.

Up to MOST_ROWS calls of the window are read; of more, some parts of it, spread evenly, and what they show is scaled to
the cost of all. Texts never leave the database: it compares their hashes, in the moment of the question.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import stdev
from typing import Any

from explorer.content import INPUTS
from insights.savings.window import Found, Line, SavingWindow
from methods.comparison import student_t
from traces.db import rows
from workspaces.models import ContentPolicy

MOST_ROWS = 20_000
PARTS = 8
"""Of the window. From their differences follows how sure a scaled amount is."""
MOST_BYTES = 200_000
"""Of the stored attributes of a call. Larger ones would be read for too long."""
PREFIXES = (4_096, 16_384, 65_536)
"""Characters. Providers keep about a thousand tokens or more in a cache."""
CACHE_SECONDS = 300
"""So long a provider keeps what was written to its cache."""
SYSTEM = ("gen_ai.system_instructions", "gen_ai.system", "system", "instructions")
LOOP_SECONDS = 60
FEWEST_REPEATS = 9
"""So often a call was made again, with the same input, before it counts as a loop."""
UNUSUAL = 10
"""A run or an output is unusual from so many times the median on."""
FEWEST_RUNS = 20
"""Of an agent, to know what is usual."""
LONG_RUN, LONG_OUTPUT = 20, 2_000
"""Calls, and tokens. Less is never unusual."""
UNSURE_TOKENS = Decimal("0.8")
"""The share of a prefix in the tokens is that in the characters, give or take a fifth."""
NO_CONTENT = "Contents are not stored or nobody may see them, so repeated prefixes and loops were not looked for."

Names = tuple[str, str | None, str | None]
Figures = Mapping[str, Any]


def text_sql(names: Sequence[str]) -> str:
    texts = ", ".join(f"content ->> '{name}'" for name in names)
    return f"coalesce({texts}, '')"


NO_TEXT = "NULL::text"
CALLS = """
    SELECT
        timestamp,
        trace_id,
        span_id,
        agent_id,
        provider,
        model,
        status,
        coalesce(cost_usd, 0) AS cost_usd,
        coalesce(input_tokens, 0) AS input_tokens,
        coalesce(output_tokens, 0) AS output_tokens,
        coalesce(cache_read_tokens, 0) AS cache_read_tokens,
        {text} AS text
    FROM traces
    -- Unpacked once, and not for each name that is looked for.
    CROSS JOIN LATERAL (SELECT {attributes} AS content OFFSET 0) AS unpacked
    WHERE {condition}
    ORDER BY timestamp
    LIMIT %(most_rows)s
"""
TEXT = f"{text_sql(SYSTEM)} || {text_sql(INPUTS)}"
ATTRIBUTES = f"CASE WHEN pg_column_size(attributes) < {MOST_BYTES} THEN attributes || '{{}}' END"
COSTS = """
WITH calls AS ({calls})
SELECT agent_id, provider, model, sum(cost_usd) AS cost_usd, count(*) AS calls
FROM calls
GROUP BY agent_id, provider, model
"""
LOOPS = """
WITH calls AS ({calls}), compared AS (
    SELECT
        *,
        lag(timestamp) OVER same >= timestamp - %(loop_seconds)s * interval '1 second'
            AND lag(status) OVER same = 'success' AS is_repeat
    FROM (SELECT *, md5(text) AS hash FROM calls WHERE text <> '') AS hashed
    WINDOW same AS (PARTITION BY agent_id, provider, model, hash ORDER BY timestamp, span_id)
), chained AS (
    SELECT *, count(*) FILTER (WHERE is_repeat IS NOT TRUE) OVER chain AS chain
    FROM compared
    WINDOW chain AS (PARTITION BY agent_id, provider, model, hash ORDER BY timestamp, span_id)
), loops AS (
    SELECT
        agent_id,
        provider,
        model,
        count(*) FILTER (WHERE is_repeat) AS repeats,
        sum(cost_usd) FILTER (WHERE is_repeat) AS cost_usd
    FROM chained
    GROUP BY agent_id, provider, model, hash, chain
    HAVING count(*) FILTER (WHERE is_repeat) >= %(fewest_repeats)s
)
SELECT agent_id, provider, model, sum(repeats)::bigint AS calls, sum(cost_usd) AS cost_usd, count(*) AS loops
FROM loops
GROUP BY agent_id, provider, model
"""
# The longest prefix counts with which a call came just before, and for those that wrote it, just after.
REPEATED = """
WITH calls AS ({calls}), hashed AS (
    SELECT *, length(text) AS length, {hashes}
    FROM calls
    WHERE length(text) >= %(shortest)s
), compared AS (
    SELECT *, {neighbours}
    FROM hashed
), shares AS (
    SELECT
        *,
        greatest({before_length})::numeric / length * input_tokens AS before_tokens,
        greatest({after_length})::numeric / length * input_tokens AS after_tokens
    FROM compared
)
SELECT
    agent_id,
    provider,
    model,
    count(*) FILTER (WHERE before_tokens > cache_read_tokens)::bigint AS calls,
    coalesce(sum(before_tokens - cache_read_tokens) FILTER (WHERE before_tokens > cache_read_tokens), 0) AS repeated,
    coalesce(sum(after_tokens) FILTER (WHERE before_tokens = 0), 0) AS written
FROM shares
GROUP BY agent_id, provider, model
"""
LONG_RUNS = """
WITH calls AS ({calls}), runs AS (
    SELECT agent_id, trace_id, count(*) AS calls, sum(cost_usd) AS cost_usd
    FROM calls
    GROUP BY agent_id, trace_id
), usual AS (
    SELECT agent_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY calls) AS median
    FROM runs
    GROUP BY agent_id
    HAVING count(*) >= %(fewest_runs)s
)
SELECT
    agent_id,
    NULL AS provider,
    NULL AS model,
    sum(calls)::bigint AS calls,
    count(*) AS runs,
    max(median) AS median,
    sum(cost_usd * (1 - %(unusual)s * median::numeric / calls)) AS cost_usd
FROM runs
JOIN usual USING (agent_id)
WHERE calls > greatest(%(unusual)s * median, %(long_run)s)
GROUP BY agent_id
"""
LONG_OUTPUTS = """
WITH calls AS ({calls}), usual AS (
    SELECT agent_id, provider, model, percentile_disc(0.5) WITHIN GROUP (ORDER BY output_tokens) AS median
    FROM calls
    WHERE status = 'success'
    GROUP BY agent_id, provider, model
    HAVING count(*) >= %(fewest_runs)s
)
SELECT
    agent_id,
    calls.provider,
    calls.model,
    count(*) AS calls,
    max(median) AS median,
    sum(output_tokens - greatest(%(unusual)s * median, %(long_output)s))::bigint AS tokens
FROM calls
JOIN usual USING (agent_id)
WHERE coalesce(calls.provider, '') = coalesce(usual.provider, '')
    AND coalesce(calls.model, '') = coalesce(usual.model, '')
    AND output_tokens > greatest(%(unusual)s * median, %(long_output)s)
GROUP BY agent_id, calls.provider, calls.model
"""


def repeated_sql() -> str:
    """Returns REPEATED for each of PREFIXES. Those of one model are in one cache, whichever agent wrote them."""
    seconds = "%(cache_seconds)s * interval '1 second'"

    def neighbour(function: str, size: int, is_near: str) -> str:
        same = f"PARTITION BY provider, model, hash_{size} ORDER BY timestamp, span_id"
        return f"hash_{size} IS NOT NULL AND {function}(timestamp) OVER ({same}) {is_near}"

    def lengths(way: str) -> str:
        return ", ".join(f"CASE WHEN {way}_{size} THEN {size} ELSE 0 END" for size in PREFIXES)

    neighbours = [
        *(f"{neighbour('lag', size, f'>= timestamp - {seconds}')} AS before_{size}" for size in PREFIXES),
        *(f"{neighbour('lead', size, f'<= timestamp + {seconds}')} AS after_{size}" for size in PREFIXES),
    ]
    return REPEATED.format(
        calls="{calls}",
        hashes=", ".join(f"CASE WHEN length(text) >= {n} THEN md5(left(text, {n})) END AS hash_{n}" for n in PREFIXES),
        neighbours=", ".join(neighbours),
        before_length=lengths("before"),
        after_length=lengths("after"),
    )


REPEATED = repeated_sql()


@dataclass
class Sample:
    """Parts of a window whose calls are read. `share` is the part of the calls that they have, at most 1."""

    window: SavingWindow
    parts: Sequence[tuple[datetime, datetime]]
    rows_of_part: int
    is_whole: bool
    costs: dict[str, dict[Names, Decimal]] = field(default_factory=dict)

    def ask(self, sql: str, text: str = NO_TEXT) -> list[list[dict[str, Any]]]:
        """Returns what each part answers."""
        return [self.ask_part(sql, text, *part) for part in self.parts]

    def ask_part(self, sql: str, text: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        filters = self.window.filters
        params = filters.params | {
            **{"start": start, "end": end, "most_rows": self.rows_of_part, "shortest": PREFIXES[0]},
            **{"loop_seconds": LOOP_SECONDS, "fewest_repeats": FEWEST_REPEATS, "cache_seconds": CACHE_SECONDS},
            **{"fewest_runs": FEWEST_RUNS, "unusual": UNUSUAL, "long_run": LONG_RUN, "long_output": LONG_OUTPUT},
        }
        attributes = "NULL::jsonb" if text == NO_TEXT else ATTRIBUTES
        calls = CALLS.format(text=text, attributes=attributes, condition=filters.row_condition)
        return rows(sql, params, calls=calls)


def sample_of(window: SavingWindow) -> Sample:
    """Chooses what is read: everything, or the beginnings of PARTS equal parts of the window."""
    calls = sum(line.calls for line in window.lines)
    if calls <= MOST_ROWS:
        return Sample(window, [(window.start, window.end)], MOST_ROWS, is_whole=True)
    length = (window.end - window.start) / PARTS
    starts = [window.start + place * length for place in range(PARTS)]
    # Each part begins at another hour of the day.
    starts = [start + (place % 3) * length / 4 for place, start in enumerate(starts)]
    parts = [(start, start + length / 4) for start in starts]
    return Sample(window, parts, MOST_ROWS // PARTS, is_whole=False)


# --- From the parts to the window ---


class Estimate:
    """What the parts show of one agent and model, scaled to the window."""

    def __init__(self, found: Sequence[Figures | None], sampled: Sequence[Decimal], total_usd: Decimal) -> None:
        self.found, self.sampled, self.total_usd = found, sampled, total_usd

    @property
    def factor(self) -> Decimal:
        known = sum(self.sampled, Decimal(0))
        return max(self.total_usd / known, Decimal(1)) if known else Decimal(1)

    def sum(self, name: str) -> Decimal:
        return sum((Decimal(one[name]) for one in self.found if one), Decimal(0))

    def number(self, name: str) -> int:
        return int(self.sum(name) * self.factor)

    def usd(self, amount: Callable[[Figures], Decimal]) -> tuple[Decimal, Decimal, Decimal]:
        """Returns the amount of the window, and the least and the most that it may be (95 %, from the parts)."""
        amounts = [amount(one) if one else Decimal(0) for one in self.found]
        usd = sum(amounts, Decimal(0)) * self.factor
        if len(amounts) == 1:
            return usd, usd, usd
        shares = [float(part / cost) for part, cost in zip(amounts, self.sampled, strict=True) if cost]
        if len(shares) < 2:
            return usd, min(Decimal(0), 2 * usd), max(Decimal(0), 2 * usd)
        error = student_t(len(shares) - 1) * stdev(shares) / len(shares) ** 0.5
        reach = Decimal(error) * sum(self.sampled, Decimal(0)) * self.factor
        return usd, usd - reach, usd + reach


def estimates(sample: Sample, answers: Sequence[Sequence[Figures]], lines: Sequence[Line]) -> dict[Names, Estimate]:
    """Returns an estimate for each agent and model of `lines` in the answers of the parts."""
    costs = [named(part, "cost_usd") for part in sample.ask(COSTS)] if not sample.is_whole else [{}]
    totals = cost_of(lines)
    found: dict[Names, list[Figures | None]] = {}
    for place, part in enumerate(answers):
        for row in part:
            names = (row["agent_id"], row["provider"], row["model"])
            found.setdefault(names, [None] * len(answers))[place] = row
    return {
        names: Estimate(rows_of, [cost.get(names, Decimal(0)) for cost in costs], totals[names])
        for names, rows_of in found.items()
        if names in totals
    }


def named(part: Sequence[Figures], column: str) -> dict[Names, Decimal]:
    found: defaultdict[Names, Decimal] = defaultdict(Decimal)
    for row in part:
        found[row["agent_id"], row["provider"], row["model"]] += row[column]
        found[row["agent_id"], None, None] += row[column]
    return found


def cost_of(lines: Sequence[Line]) -> dict[Names, Decimal]:
    """Returns the cost of the window of each agent and model, and of each agent."""
    found: defaultdict[Names, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[line.names] += line.cost_usd
        if line.provider or line.model:
            found[line.agent_id, None, None] += line.cost_usd
    return dict(found)


def filters_of(names: Names) -> dict[str, str]:
    agent, provider, model = names
    values = {"agent_id": agent, "provider": provider, "model": model}
    return {name: value for name, value in values.items() if value is not None}


def may_read_contents(window: SavingWindow) -> bool:
    workspace = window.workspace
    may = workspace.store_content and workspace.content_visible_to != ContentPolicy.NOBODY
    if not may and NO_CONTENT not in window.notes:
        window.notes.append(NO_CONTENT)
    return may


# --- The kinds ---


def loops(window: SavingWindow) -> Iterator[Found]:
    """Yields agents that made the same call again and again, each within a minute after one that succeeded."""
    if not may_read_contents(window):
        return
    if window.loops is None:
        window.loops = list(found_loops(window))
    yield from window.loops


def found_loops(window: SavingWindow) -> Iterator[Found]:
    sample = sample_of(window)
    for names, one in estimates(sample, sample.ask(LOOPS, TEXT), window.habits).items():
        usd = one.usd(lambda row: row["cost_usd"])
        calls = one.number("calls")
        facts = {"agent": names[0], "model": names[2], "calls": calls, "loops": one.number("loops")}
        yield Found("loop", filters_of(names), *usd, calls, facts)


def uncached_prefixes(window: SavingWindow) -> Iterator[Found]:
    """Yields agents whose calls begin with the same long text, which no cache keeps."""
    if not may_read_contents(window):
        return
    sample = sample_of(window)
    lines = [line for line in window.habits if line.cache_read_tokens * 20 < line.input_tokens]
    for names, one in estimates(sample, sample.ask(REPEATED, TEXT), lines).items():
        rates = window.rates(names[1], names[2])
        if rates is None or names[2] is None:
            continue
        read, write = rates.input - rates.cache_read, max(rates.cache_write - rates.input, Decimal(0))
        usd, low, high = one.usd(lambda row, r=read, w=write: row["repeated"] * r - row["written"] * w)  # type: ignore[misc]
        calls, tokens = one.number("calls"), one.number("repeated")
        facts = {"agent": names[0], "model": names[2], "calls": calls, "tokens": tokens}
        low, high = low * UNSURE_TOKENS, high * (2 - UNSURE_TOKENS)
        yield Found("uncached_prefix", filters_of(names), usd, low, high, calls, facts)


def long_runs(window: SavingWindow) -> Iterator[Found]:
    """Yields agents of which some runs made far more calls than usual. Those that loop are found as loops."""
    looping = {found.filters["agent_id"] for found in loops(window)}
    sample = sample_of(window)
    for names, one in estimates(sample, sample.ask(LONG_RUNS), window.habits).items():
        if names[0] not in looping:
            usd = one.usd(lambda row: row["cost_usd"])
            median = max(row["median"] for row in one.found if row)
            facts = {"agent": names[0], "runs": one.number("runs"), "median": median, "times": UNUSUAL}
            yield Found("long_runs", filters_of(names), *usd, one.number("calls"), facts)


def long_outputs(window: SavingWindow) -> Iterator[Found]:
    """Yields agents of which some answers were far longer than usual: a limit of output tokens would end them."""
    sample = sample_of(window)
    for names, one in estimates(sample, sample.ask(LONG_OUTPUTS), window.habits).items():
        rates = window.rates(names[1], names[2])
        if rates is not None:
            price = rates.output
            usd = one.usd(lambda row, price=price: row["tokens"] * price)  # type: ignore[misc]
            median = max(row["median"] for row in one.found if row)
            facts = {"agent": names[0], "model": names[2], "median": median, "calls": one.number("calls")}
            facts |= {"limit": max(UNUSUAL * median, LONG_OUTPUT)}
            yield Found("long_outputs", filters_of(names), *usd, one.number("calls"), facts)
