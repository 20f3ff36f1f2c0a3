"""Measures a round over many rules: the processor time of the worker and of the database.

python -m benchmarks.alerts --rows 10m --rules 1000

The rows are in ten workspaces, nine of ten in one of them; the other workspaces are empty. Each has the same ten rules.
With `--all-in-ten` all rules are in the ten workspaces that have rows, which is harder.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections, transaction

from benchmarks import data, databases
from benchmarks.idle import server_cpu_ms
from benchmarks.text_tables import machine, table

RULES: tuple[dict[str, Any], ...] = (
    {"metric": "cost_usd", "window_minutes": 60},
    {"metric": "cost_usd", "window_minutes": 30 * 1440, "filters": {"agent_id": ["agent-1"]}},
    {"metric": "error_rate", "window_minutes": 15},
    {"metric": "p95_latency_ms", "window_minutes": 60},
    {"metric": "p95_latency_ms", "window_minutes": 1440, "filters": {"environment": ["production"]}},
    {"metric": "calls", "window_minutes": 360, "comparison": "above_last_week_percent"},
    {"metric": "unpriced_calls", "window_minutes": 60},
    {"metric": "unique_users", "window_minutes": 1440},
    {"metric": "cost_usd", "window_minutes": 1440, "per": "user"},
    {"metric": "cost_usd", "window_minutes": 7 * 1440, "per": "agent"},
)
USUAL: dict[str, Any] = {"comparison": "above", "warning": 10**12}
OF_A_WORKSPACE = len(RULES)
WITH_ROWS = 10


def workspaces(number: int) -> list[Any]:
    """Returns workspaces, those with rows first."""
    from workspaces.models import Workspace

    ids = [UUID(f"0000000b-0000-4000-8000-{place:012x}") for place in range(number)]
    return [Workspace.objects.get_or_create(id=one, defaults={"name": f"Benchmark {one}"})[0] for one in ids]


def make_rules(number: int, is_in_ten: bool) -> list[Any]:
    from alerts.models import Rule

    found = workspaces(WITH_ROWS if is_in_ten else -(-number // OF_A_WORKSPACE))
    rules = []
    for place in range(number):
        turn, of_workspace = divmod(place, OF_A_WORKSPACE * len(found))
        workspace = found[of_workspace // OF_A_WORKSPACE]
        # Where a workspace has the same rule already, another window makes it another question.
        values = RULES[place % OF_A_WORKSPACE]
        values = values | {"window_minutes": values["window_minutes"] + 5 * turn}
        rules.append(Rule(**(USUAL | values), name=f"benchmark {place}", workspace=workspace))
    return Rule.objects.bulk_create(rules)


def rounds(number: int, end: datetime) -> list[list[str]]:
    """Returns for each round the seconds of the worker, of the database, and by the clock."""
    from alerts.evaluation import evaluate

    connections["analytics"].ensure_connection()
    server: psycopg.Connection[Any] = connections["analytics"].connection.connection
    lines = []
    for place in range(number):
        before, cpu, clock = server_cpu_ms(server) or 0, time.process_time(), time.monotonic()
        evaluate(end + place * timedelta(minutes=1))
        own, database = time.process_time() - cpu, ((server_cpu_ms(server) or 0) - before) / 1000
        lines.append([str(place + 1), f"{own:.2f}", f"{database:.2f}", f"{time.monotonic() - clock:.2f}"])
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerts", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.count, default="1m", help="that are stored, like 10m")
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--all-in-ten", action="store_true", help="all rules in the workspaces that have rows")
    options = parser.parse_args(arguments)
    with databases.server(options.directory, options.database):
        databases.load(options.rows, options.fresh, options.directory)
        print(report(options))
    return 0


def report(options: argparse.Namespace) -> str:
    with transaction.atomic():
        rules = make_rules(options.rules, options.all_in_ten)
        lines = rounds(options.rounds, data.END.astimezone())
        transaction.set_rollback(True)
    head = ["round", "worker, s", "database, s", "clock, s"]
    return f"{machine()}. {len(rules)} rules.\n\n{table(head, lines, options.markdown)}"


if __name__ == "__main__":
    sys.exit(main())
