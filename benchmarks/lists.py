"""Measures the lists of traces, sessions, users, agents and tools, and one of each: the time in the database.

python -m benchmarks.lists --rows 1m,10m
"""

import argparse
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

from django.db import connections

from benchmarks import data, databases, text_tables
from benchmarks.databases import row_count_label
from benchmarks.queries import END, DatabaseTime

START = data.START
FILTERS = (
    *("agent_id=agent-00", "agent_id=agent-39", "not_agent_id=agent-00", "model=gpt-4o", "model=gemini-2.5-pro"),
    *("provider=mistral_ai", "operation=embeddings", "environment=dev", "release=1.2.0"),
    *("status=error", "status=timeout", "status=success", "error_type=connection_error", "has_error=true"),
    *("has_error=false", "tool=tool-00", "tool=tool-11", "user_id=user-0001", "user_id=user-4999"),
    *("label.customer=customer-001", "label.customer=customer-199", "label.feature=feature-3"),
    *("min_latency_ms=20000", "min_latency_ms=25000", "min_latency_ms=60000"),
    *("min_cost_usd=0.1", "min_cost_usd=1", "min_cost_usd=5"),
)
COMBINATIONS = (
    "agent_id=agent-39&model=claude-opus-4-1",
    "agent_id=agent-06&status=timeout",
    "environment=dev&error_type=connection_error",
    "environment=dev&has_error=true&min_latency_ms=20000",
    "user_id=user-0001&tool=tool-11",
    "label.customer=customer-199&status=error",
    "tool=tool-11&min_cost_usd=1",
    "agent_id=agent-39&tool=tool-11&environment=staging",
    "not_model=gpt-4o&not_environment=production&status=error",
)
TRACE_SORTS = ("newest", "slowest", "costliest", "most_tokens")


class Case(NamedTuple):
    name: str
    path: str
    query: str
    bar_ms: int


def cases() -> Iterator[Case]:
    from explorer.entity_api import ENTITIES

    for sort in TRACE_SORTS:
        for text in ("", *FILTERS, *COMBINATIONS):
            bar = 50 if sort == "newest" and text not in COMBINATIONS else 300
            yield Case(f"traces {sort} {text}", "traces", f"sort={sort}&limit=50&{text}", bar)
    for entity in ENTITIES.values():
        for sort in entity.kind.sorts:
            yield Case(f"{entity.name} sort={sort}", entity.name, f"sort={sort}&limit=50", 100)
    for text in ("agent_id=agent-39", "environment=dev", "model=gpt-4o", "search=user-4"):
        for name in ("sessions", "users"):
            yield Case(f"{name} {text}", name, f"limit=50&{text}", 300)
    yield Case("one trace", f"traces/{newest_trace()}", "", 10)
    for path in ("users/user-0001", "agents/agent-00", "agents/agent-39", "tools/tool-00", "tools/tool-11"):
        yield Case(path, path, "", 100)


def newest_trace() -> str:
    [trace] = answer_of(Case("", "traces", "limit=1", 0)).json()["data"]
    return str(trace["trace_id"])


def measured(case: Case, rounds: int) -> tuple[float, float, str]:
    """Returns the medians of the milliseconds in the database and of the whole request, and a word about the answer."""
    times = [asked(case) for _ in range(rounds + 1)][1:]
    in_database, whole, words = zip(*times, strict=True)
    return median(in_database), median(whole), words[-1]


def asked(case: Case) -> tuple[float, float, str]:
    spent, began = DatabaseTime(), time.perf_counter()
    with connections["analytics"].execute_wrapper(spent):
        response = answer_of(case)
    whole = time.perf_counter() - began
    if response.status_code != 200:
        raise SystemExit(f"{case.name}: {response.status_code} {response.content[:300]!r}")
    return spent.seconds * 1000, whole * 1000, word_about(response.json())


def answer_of(case: Case) -> Any:
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    client = Client(SERVER_NAME="localhost", headers={"X-Workspace-ID": data.MAIN_WORKSPACE})
    window = f"start={START:%Y-%m-%dT%H:%M:%S.%fZ}&end={END:%Y-%m-%dT%H:%M:%S.%fZ}&"
    return client.get(f"/api/v1/{case.path}?{'' if case.name == 'one trace' else window}{case.query}")


def word_about(answer: dict[str, Any]) -> str:
    rows = answer.get("data")
    cut = ", in part" if answer.get("searched_until") else ""
    return f"{len(rows)} rows{cut}" if isinstance(rows, list) else ""


def fill_traces() -> None:
    """Sums the traces that are missing, as the worker would."""
    from traces import engines, session_summaries, trace_totals

    if not engines.current().has_followers:
        return
    for workspace_id in trace_totals.workspaces_behind(END):
        with databases.step(f"the traces of {workspace_id}"):
            trace_totals.fill_until(workspace_id, END)
    # The worker leaves the newest minutes to the rows.
    for workspace_id in session_summaries.workspaces_behind(END - session_summaries.LAG):
        with databases.step(f"the sessions of {workspace_id}"):
            session_summaries.fill_until(workspace_id, END - session_summaries.LAG)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE trace_totals, session_summaries")


def line_of(case: Case, rounds: int) -> list[str]:
    in_database, whole, word = measured(case, rounds)
    missed = "over" if in_database > case.bar_ms or "part" in word else ""
    return [case.name, f"{in_database:,.1f}", f"{whole:,.1f}", str(case.bar_ms), word, missed]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.counts, default="1m", help="how many, like 100k,1m,10m")
    parser.add_argument("--only", default="", help="only lists whose name contains this text")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is asked")
    options = parser.parse_args()
    head = ("list", "ms in the database", "ms of the request", "at most", "answer", "")
    with databases.server(options.directory, options.database):
        for rows in options.rows:
            databases.load(rows, options.fresh, options.directory)
            fill_traces()
            chosen = [case for case in cases() if options.only in case.name]
            print(f"{row_count_label(rows)} rows, {data.DESCRIPTION}. {text_tables.machine()}\n")
            print(text_tables.table(head, [line_of(case, options.rounds) for case in chosen], options.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
