"""Background jobs under faults: each effect exactly once, and none missing."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.faults.product import Postgres
from tests.jobs.effects import TABLES
from tests.jobs.processes import ROOT, start_worker
from tests.public_folder import public_folder
from tests.servers import environment_without_databases, until
from tests.summaries import LINES

pytestmark = pytest.mark.faults

JOBS, WORKERS, KILLS, RESTARTS = 2000, 3, 20, 2
DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args)
SELECT 'default', 'tests.effect', jsonb_build_object('key', number::text, 'seconds', 0.2)
FROM generate_series(1, %s) AS number
"""


# An attempt that was killed has no end, so these are two that both ran to their ends, at the same time.
OVERLAPPING = """
SELECT count(*)
FROM attempts AS first
JOIN attempts AS second ON second.key = first.key AND second.id <> first.id
WHERE first.began <= second.began AND second.began < first.ended AND second.ended IS NOT NULL
"""


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with public_folder() as folder, ExitStack() as stack:
        yield Postgres(folder / "postgres", stack)


@pytest.fixture
def environment(postgres: Postgres) -> dict[str, str]:
    urls = {"DATABASE_URL": "observability", "ANALYTICS_DATABASE_URL": "observability_analytics"}
    environment = environment_without_databases(**{name: postgres.url(database) for name, database in urls.items()})
    for alias in ("default", "analytics"):
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--database", alias]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
    return environment


class Workers:
    """Workers of which each is started again when it ends, as the launcher and compose do."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.processes = [start_worker(environment) for _ in range(WORKERS)]

    def start_again(self) -> None:
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                process.communicate()
                self.processes[number] = start_worker(self.environment)

    def kill_one(self) -> None:
        random.choice(self.processes).send_signal(signal.SIGKILL)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


def count(postgres: Postgres, table: str) -> int:
    """Returns the number of rows; -1 while the database is away."""
    try:
        with postgres.connect("observability") as connection:
            [(rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
            return int(rows)
    except psycopg.OperationalError:
        return -1


def test_2000_jobs_survive_killed_workers_and_restarts_of_postgresql(
    postgres: Postgres, environment: dict[str, str]
) -> None:
    with postgres.connect("observability") as connection:
        connection.execute(TABLES)
        connection.execute(DEFER, [JOBS])
    workers = Workers(environment)
    try:
        until(lambda: count(postgres, "effects") > 0, "jobs run")
        began = time.monotonic()
        for kill in range(KILLS):
            time.sleep(random.uniform(0.5, 1.5))
            workers.kill_one()
            if kill % (KILLS // RESTARTS) == KILLS // RESTARTS // 2:
                postgres.crash() if kill < KILLS // 2 else postgres.stop()
                time.sleep(1)
                postgres.run()
            workers.start_again()

        def all_done() -> bool:
            workers.start_again()
            time.sleep(0.2)
            return count(postgres, "effects") == JOBS

        until(all_done, "every effect is there", 300 - (time.monotonic() - began))
        seconds = time.monotonic() - began
        until(lambda: count(postgres, "procrastinate_jobs") == 0, "the queue is empty", 60)
    finally:
        workers.stop()
    with postgres.connect("observability") as connection:
        [(attempts, keys)] = connection.execute("SELECT count(*), count(DISTINCT key) FROM attempts").fetchall()
        [(overlapping,)] = connection.execute(OVERLAPPING).fetchall()
    LINES["jobs"].append(
        f"{JOBS:,} jobs, {WORKERS} workers, {KILLS} killed, PostgreSQL killed and stopped: {keys:,} effects,"
        f" {attempts - keys} jobs ran again, all done after {seconds:.0f} s"
    )
    assert keys == JOBS
    assert overlapping == 0
    assert attempts < JOBS + 12 * (KILLS + RESTARTS * WORKERS)  # only what was running ran again
