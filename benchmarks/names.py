"""Measures a workspace with 100,000 agents, models, users, error types and scores, and the workspace beside it.

python -m benchmarks.names

Each name occurs in the last hour, in the last day and in the last month, so each window has all of them. One worker is
asked for every endpoint, panel and filter list, with an empty cache.
"""

import argparse
import http.client
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import django
import psutil
import psycopg

from benchmarks.databases import step
from benchmarks.otlp import manage
from observability.launcher import embedded

PORT = int(os.environ.get("BENCHMARK_PORT", "8320"))
NAMES = 100_000
MOST_SECONDS, MOST_BYTES, MOST_GROWTH = 2.0, 2_000_000, 100_000_000
RANGES = ("1h", "24h", "7d", "30d")
SCORE_LIST = "/api/v1/scores?limit=100"
ROUNDS = 7
ROWS = """
INSERT INTO traces (
    workspace_id, timestamp, trace_id, span_id, operation, agent_id, provider, model, user_id, user_number, status,
    error_type, error_message, latency_ms, input_tokens, output_tokens, cost_usd, span_facts
)
SELECT
    %(workspace_id)s,
    date_trunc('minute', now()) - reach * (0.02 + 0.96 * name / %(names)s),
    md5(format('%%s %%s', name, reach)),
    left(md5(format('span %%s %%s', name, reach)), 16),
    'chat',
    'agent ' || name,
    'provider ' || name %% 50,
    'model ' || name,
    'user ' || name,
    name,
    CASE name %% 3 WHEN 0 THEN 'timeout' ELSE 'error' END,
    'error ' || name,
    'it failed',
    name %% 9000,
    name %% 5000,
    name %% 700,
    name * 0.000001,
    '{"kind": "llm"}'
FROM generate_series(0, %(names)s - 1) AS name
CROSS JOIN unnest(ARRAY[interval '1 hour', interval '24 hours', interval '30 days']) AS reach
ORDER BY 2
"""
NUMBERS = """
INSERT INTO user_numbers (workspace_id, user_id, number)
SELECT DISTINCT workspace_id, user_id, user_number
FROM traces
WHERE workspace_id = %(workspace_id)s
"""
SCORES = """
INSERT INTO scores (workspace_id, id, timestamp, name, trace_id, number, category, source, agent_id, provider, model)
SELECT
    workspace_id,
    span_id,
    timestamp,
    'score ' || user_number,
    trace_id,
    1,
    'category ' || user_number,
    'api',
    agent_id,
    provider,
    model
FROM traces
WHERE workspace_id = %(workspace_id)s
"""
SCORE_SUMS = """
INSERT INTO score_places_hourly (
    workspace_id, bucket, name, agent_id, provider, model, category, scores, numbers, number, squared_number
)
SELECT
    workspace_id,
    time_bucket('1 hour', timestamp),
    name,
    agent_id,
    provider,
    model,
    category,
    count(*),
    count(*),
    sum(number),
    sum(number * number)
FROM scores
WHERE workspace_id = %(workspace_id)s
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


class Question(NamedTuple):
    path: str
    is_panel: bool = False

    def __str__(self) -> str:
        return f"{'panel ' if self.is_panel else ''}{self.path.removeprefix('/api/v1/').removeprefix('/dashboard/')}"


class Measured(NamedTuple):
    seconds: float
    size: int
    status: int

    @property
    def is_good(self) -> bool:
        return self.status == 200 and self.seconds < MOST_SECONDS and self.size < MOST_BYTES


# --- Filling ---


def fill_with_names(workspace_id: str, names: int) -> None:
    """Stores three failed calls of each name, and makes the rollups of the database again."""
    from django.db import connections

    from benchmarks.databases import parameters
    from traces import rollups
    from traces.rollups.catalogue import ALL_TABLES

    name = connections["analytics"].settings_dict["NAME"]
    params = {"workspace_id": workspace_id, "names": names}
    with psycopg.connect(**parameters(name), autocommit=True) as connection, step(f"{names:,} names"):
        for statement in (ROWS, NUMBERS, SCORES, SCORE_SUMS):
            connection.execute(statement, params)
        connection.execute("TRUNCATE rollup_state, " + ", ".join(ALL_TABLES))
        for text in rollups.read_statement("postgresql", "fill").split(";\n\n"):
            connection.execute(text)
        connection.execute("VACUUM ANALYZE")


def fill_with_usual_work(workspace_id: str) -> None:
    from datetime import UTC, datetime

    from observability.launcher.demo import fill

    with step("usual work"):
        fill(UUID(workspace_id), datetime.now(UTC), 30)


# --- Asking ---


def questions() -> Iterator[Question]:
    """Yields every endpoint, panel and filter list, over each range, with few rows and with the most."""
    from analytics.catalogue import METRICS
    from analytics.page_questions import CHOICES

    windows = [f"range={name}" for name in RANGES]
    for window in (*windows, "range=24h&granularity=minute", "range=30d&model=model+7"):
        for route, metric in METRICS.items():
            shown = f"&limit={metric.panel.limit}" if metric.panel.limit else ""
            yield Question(f"/api/v1/{route}?{window}")
            yield Question(f"/api/v1/{route}?{window}{shown}", is_panel=True)
    for window in windows:
        for route in METRICS:
            yield Question(f"/api/v1/{route}?{window}&limit=100")
        for name in CHOICES:
            yield Question(f"/dashboard/choices/{name}?{window}")
            yield Question(f"/dashboard/choices/{name}?{window}&search=7")
        yield Question(f"{SCORE_LIST}&{window}")
    yield Question("/api/v1/openapi.json")


def usual_questions() -> list[Question]:
    """Returns every endpoint over a day; none of its answers comes from the cache twice."""
    from analytics.catalogue import METRICS

    return [Question(f"/api/v1/{route}?range=24h&limit=") for route in METRICS]


def ask(question: Question, workspace_id: str) -> Measured:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = {"X-Workspace-ID": workspace_id} | ({"HX-Request": "true"} if question.is_panel else {})
    began = time.perf_counter()
    connection.request("GET", question.path, headers=headers)
    response = connection.getresponse()
    size = len(response.read())
    connection.close()
    return Measured(time.perf_counter() - began, size, response.status)


def usual_ms(workspace_id: str) -> float:
    """Returns the median over all rounds of the time in which every endpoint was answered, in milliseconds."""
    rounds = []
    for number in range(ROUNDS):
        answers = [
            ask(question._replace(path=f"{question.path}{number + 10}"), workspace_id) for question in usual_questions()
        ]
        rounds.append(sum(answer.seconds for answer in answers) * 1000)
        if any(answer.status != 200 for answer in answers):
            raise SystemExit("The neighbour was not answered.")
        forget_answers(workspace_id)
    return statistics.median(rounds)


def forget_answers(workspace_id: str) -> None:
    """Makes the cached answers of the workspace useless, as a change of its budget does."""
    from workspaces.models import Workspace

    Workspace.objects.filter(pk=workspace_id).update(epoch=uuid4())


@contextmanager
def being_asked(workspace_id: str, asked: Iterable[Question]) -> Iterator[None]:
    """Asks the questions over and over, one at a time, until the block ends."""
    ended = threading.Event()

    def keep_asking() -> None:
        while not ended.is_set():
            for question in asked:
                if not ended.is_set():
                    ask(question, workspace_id)
            forget_answers(workspace_id)

    thread = threading.Thread(target=keep_asking)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# --- The results ---


def memory_of(server: psutil.Process) -> int:
    """Returns the memory of the workers."""
    return sum(int(worker.memory_info().rss) for worker in server.children())


def measure(server: psutil.Process, workspace_id: str, shown: int) -> bool:
    """Prints the slowest and the largest answers, and how far the worker grew. Returns whether all bars are met."""
    asked = list(questions())
    memory = memory_of(server)
    measured = {question: ask(question, workspace_id) for question in asked}
    growth = memory_of(server) - memory
    bad = [question for question, answer in measured.items() if not answer.is_good]
    slowest = sorted(measured, key=lambda question: -measured[question].seconds)[:shown]
    largest = sorted(measured, key=lambda question: -measured[question].size)[:shown]
    print(f"{'':75} {'time':>9} {'bytes':>11} status")
    for question in dict.fromkeys([*slowest, *largest, *bad]):
        answer = measured[question]
        print(f"{str(question)[:75]:75} {answer.seconds * 1000:6,.0f} ms {answer.size:11,} {answer.status:6}")
    print(f"{len(asked)} questions, {len(bad)} of them not within {MOST_SECONDS:g} s and {MOST_BYTES:,} bytes")
    print(f"the worker grew by {growth / 1e6:,.0f} MB (target: {MOST_GROWTH / 1e6:,.0f})")
    return not bad and growth < MOST_GROWTH


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.names", description=__doc__)
    parser.add_argument("--names", type=int, default=NAMES)
    parser.add_argument("--shown", type=int, default=8, help="how many of the slowest and of the largest answers")
    return parser.parse_args()


def main() -> bool:
    options = arguments()
    # When a signal ends it, it still stops its server and database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        data = Path(folder) / "postgres"
        stack.enter_context(embedded.running(data))
        host = embedded.socket_directory(data).replace("/", "%2F")
        environment = os.environ | {
            "DATABASE_URL": f"postgres://postgres@{host}/observability",
            "ANALYTICS_DATABASE_URL": f"postgres://postgres@{host}/observability_analytics",
            "BIND": f"127.0.0.1:{PORT}",
            "WEB_WORKERS": "1",
            "SECRET_KEY": "benchmark-only-" * 5,
            "STATIC_ROOT": f"{folder}/static",
            "DJANGO_SETTINGS_MODULE": "observability.settings",
        }
        for name in ("observability", "observability_analytics"):
            embedded.create_database(name, data)
        manage(environment, "migrate")
        manage(environment, "migrate", "--database=analytics")
        manage(environment, "collectstatic", "--no-input")
        many, usual = (manage(environment, "create_workspace", name).strip() for name in ("names", "usual"))
        environment["OPEN_WORKSPACE_IDS"] = f"{many},{usual}"
        os.environ |= environment
        django.setup()
        fill_with_usual_work(usual)
        process = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        time.sleep(4)
        ask(Question(SCORE_LIST), usual)
        alone_ms = usual_ms(usual)
        fill_with_names(many, options.names)
        beside_ms = usual_ms(usual)
        is_good = measure(psutil.Process(process.pid), many, options.shown)
        with being_asked(many, [question for question in questions() if not question.is_panel]):
            busy_ms = usual_ms(usual)
        print(
            f"the workspace beside it, all {len(usual_questions())} endpoints one after the other, none cached: "
            f"{alone_ms:,.0f} ms before the names were there, {beside_ms:,.0f} ms beside them, "
            f"{busy_ms:,.0f} ms while one client asks about them without a pause"
        )
        return is_good


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
