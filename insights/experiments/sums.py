"""Keeps the sums of experiments: by slice and user, from the start of each, as its calls arrive.

A step reads the calls of a few hours and adds them in one transaction with the time up to which they are in it, so no
call is added twice. Users are those of a fixed sample once an arm has more than MOST_USERS: a user is in it by a hash
of the user's number, and its sums are then always those of all calls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from insights.experiments.models import NO_USER, OTHER_USERS, RUNNING, Experiment, ExperimentSum
from traces.db import rows
from traces.filters import Filters

LAG = timedelta(minutes=15)
"""So late calls arrive. What arrives later is not in the sums."""
STEP = timedelta(hours=6)
MOST_STEPS = 40
"""In one run of the job, for each experiment."""
MOST_USERS = 5_000
"""Of each slice, whose sums are kept one by one."""
HASH_FACTOR, HASH_RANGE = 2_654_435_761, 2**32
"""Knuth's multiplicative hash: users are numbered as they come, and people assign them as they come too."""

COLUMNS = {
    "calls": "count(*)",
    "errors": "count(*) FILTER (WHERE status <> 'success')",
    "priced_calls": "count(cost_usd)",
    "cost_usd": "coalesce(sum(cost_usd::float8), 0)",
    "squared_cost": "coalesce(sum(cost_usd::float8 ^ 2), 0)",
    "input_tokens": "coalesce(sum(input_tokens::float8), 0)",
    "squared_input": "coalesce(sum(input_tokens::float8 ^ 2), 0)",
    "output_tokens": "coalesce(sum(output_tokens::float8), 0)",
    "squared_output": "coalesce(sum(output_tokens::float8 ^ 2), 0)",
    "timed_calls": "count(latency_ms)",
    "latency_ms": "coalesce(sum(latency_ms), 0)",
    "squared_latency": "coalesce(sum(latency_ms ^ 2), 0)",
}
NAMES = ", ".join(COLUMNS)
BY_USER = """
SELECT coalesce(user_number, {no_user}) AS user_number, {sums}
FROM traces
WHERE {condition}
GROUP BY 1
"""
TABLE = ExperimentSum._meta.db_table
GROWN = ", ".join(f"{name} = {TABLE}.{name} + excluded.{name}" for name in COLUMNS)
ADD = f"""
INSERT INTO {TABLE} (experiment_id, place, user_number, {NAMES})
SELECT %(experiment)s, %(place)s, user_number, {", ".join(f"sum({name})" for name in COLUMNS)}
FROM unnest(%(user_number)s::integer[], {", ".join(f"%({name})s::float8[]" for name in COLUMNS)})
    AS added (user_number, {NAMES})
GROUP BY user_number
ON CONFLICT (experiment_id, place, user_number) DO UPDATE SET {GROWN}
"""  # noqa: S608 (names of this module)
IN_SAMPLE = f"(user_number::bigint * {HASH_FACTOR}) %% {HASH_RANGE} < %(limit)s"
THIN = f"""
WITH gone AS (
    DELETE FROM {TABLE}
    WHERE experiment_id = %(experiment)s AND user_number >= 0 AND NOT ({IN_SAMPLE})
    RETURNING *
)
INSERT INTO {TABLE} (experiment_id, place, user_number, {NAMES})
SELECT experiment_id, place, {OTHER_USERS}, {", ".join(f"sum({name})" for name in COLUMNS)}
FROM gone
GROUP BY experiment_id, place
ON CONFLICT (experiment_id, place, user_number) DO UPDATE SET {GROWN}
"""  # noqa: S608 (names of this module)


def hash_limit(halvings: int) -> int:
    return HASH_RANGE >> halvings


def is_in_sample(user_number: int, halvings: int) -> bool:
    return user_number * HASH_FACTOR % HASH_RANGE < hash_limit(halvings)


def filters_of(experiment: Experiment, start: datetime, end: datetime) -> Filters:
    return Filters(
        experiment.workspace_id,
        start,
        end,
        granularity="daily",
        values=experiment.filter_values,
        zone=experiment.workspace.zone,
    )


def due_until(experiment: Experiment, now: datetime) -> datetime:
    """Returns the time up to which calls can be added."""
    until = (now - LAG).replace(second=0, microsecond=0)
    return min(until, experiment.ends_at) if experiment.ends_at else until


def steps(experiment: Experiment, now: datetime) -> Iterable[datetime]:
    """Returns the ends of the next steps."""
    moment, until = experiment.filled_until, due_until(experiment, now)
    for _ in range(MOST_STEPS):
        if moment >= until:
            return
        moment = min(moment + STEP, until)
        yield moment


def fill(experiment: Experiment, now: datetime) -> Experiment:
    """Adds the calls that have arrived. Returns the experiment as it is by now."""
    for end in steps(experiment, now):
        added = [by_user(experiment, place, end) for place in range(len(experiment.slices))]
        experiment = add(experiment, added, end)
    return experiment


def by_user(experiment: Experiment, place: int, end: datetime) -> list[dict[str, Any]]:
    filters = filters_of(experiment, experiment.filled_until, end)
    filters = experiment.arms[place].filters(replace(filters))
    sums = ", ".join(f"{sql} AS {name}" for name, sql in COLUMNS.items())
    return rows(BY_USER, filters.params, no_user=str(NO_USER), sums=sums, condition=filters.row_condition)


@transaction.atomic
def add(experiment: Experiment, added: Sequence[list[dict[str, Any]]], end: datetime) -> Experiment:
    """Adds the sums of a step, unless another worker has, or the experiment has ended."""
    stored = Experiment.objects.select_for_update().select_related("workspace").get(pk=experiment.pk)
    if stored.filled_until != experiment.filled_until or stored.state != RUNNING:
        return stored
    for place, found in enumerate(added):
        store(stored, place, found)
    while largest_arm(stored) > MOST_USERS:
        halve(stored)
    stored.filled_until = end
    stored.save(update_fields=["filled_until", "halvings"])
    return stored


def store(experiment: Experiment, place: int, found: Sequence[dict[str, Any]]) -> None:
    if not found:
        return
    numbers = [one["user_number"] for one in found]
    kept = [
        number if number == NO_USER or is_in_sample(number, experiment.halvings) else OTHER_USERS for number in numbers
    ]
    columns = {name: [float(one[name]) for one in found] for name in COLUMNS}
    execute(ADD, {"experiment": experiment.pk, "place": place, "user_number": kept, **columns})


def largest_arm(experiment: Experiment) -> int:
    known = ExperimentSum.objects.filter(experiment=experiment, user_number__gte=0)
    return max((known.filter(place=place).count() for place in range(len(experiment.slices))), default=0)


def halve(experiment: Experiment) -> None:
    """Leaves half of the users in the sample. What the others add up to stays."""
    experiment.halvings += 1
    execute(THIN, {"experiment": experiment.pk, "limit": hash_limit(experiment.halvings)})


def execute(sql: str, params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
