"""Runs the jobs of the queue and the clock, in a process of its own. Any number may run; each job runs once.

It ends when it loses the database, or after a signal. Whoever started it starts it again: nothing is lost, since a
worker that comes next takes up what this one has left.
"""

import asyncio
import logging
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.db import Error as DatabaseError
from procrastinate import App, JobContext, RetryDecision
from procrastinate.contrib.django import app as deferring_app
from procrastinate.contrib.django import connector_params
from procrastinate.contrib.django.db_cleanup import close_db_connections
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobResult
from procrastinate.jobs import Job, Status
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.worker import Worker

from jobs.clock import TICK_SECONDS, tick
from jobs.queue_table import ABANDONED_SECONDS, hand_back
from jobs.runs import JOB_SECONDS, first_line, recorded

logger = logging.getLogger(__name__)

# After a signal, running jobs have this long. Then they are handed back, and the process ends in their midst.
GRACE_SECONDS = 20
HEARTBEAT_SECONDS = 5
# Between the starts of two jobs. Many short ones that become due at once would slow down requests beside them.
START_EVERY_SECONDS = 0.05
# How often the worker looks for jobs that have become due. It notices at once a job that is due when it is deferred.
POLL_SECONDS = 2
# Jobs of queues that have threads of their own, in each worker: their receivers may be slow.
OWN_THREADS = {"deliveries": 8}
# While versions change, a job may be of a task that only newer workers have. It waits for one for an hour.
UNKNOWN_TASK_ATTEMPTS = 60
# One connection listens for new jobs; the others fetch them and record their ends.
MAX_CONNECTIONS = 4
# A pool closes one connection in each such time. An idle one takes 3 MB of the database.
MAX_IDLE_SECONDS = 10
THREADS = {"default": settings.JOB_THREADS, **OWN_THREADS}


class Pace:
    """Spreads starts over time."""

    def __init__(self) -> None:
        self.next_start = 0.0

    def wait_seconds(self, now: float) -> float:
        """Returns how long the next start has to wait, and counts it as planned."""
        start = max(now, self.next_start)
        self.next_start = start + START_EVERY_SECONDS
        return start - now


class JobWorker(Worker):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"concurrency": sum(THREADS.values())})
        self.pace = Pace()

    @property
    def queues(self) -> list[str]:
        """Returns the queues that have a thread left. The library reads them before it fetches a job."""
        running = Counter(context.job.queue for context in self._running_jobs.values())
        return [name for name, threads in THREADS.items() if running[name] < threads]

    @queues.setter
    def queues(self, names: Any) -> None:
        """Does nothing: the library would store the queues that the worker began with."""

    async def _process_job(self, context: JobContext) -> None:
        await asyncio.sleep(self.pace.wait_seconds(time.monotonic()))
        await super()._process_job(context)
        self._new_job_event.set()  # a queue that had no thread left has one

    def stop(self) -> None:
        """Takes up no more jobs, and ends when those that run have ended, or are out of time."""
        super().stop()  # type: ignore[no-untyped-call]
        self.end_in_time()

    async def _shutdown(self, side_tasks: list[asyncio.Task[Any]]) -> None:
        """Waits for running jobs, in time, also where the loss of the database ends the worker, and not `stop`."""
        self.end_in_time()
        await super()._shutdown(side_tasks)

    def end_in_time(self) -> None:
        """Ends the process after GRACE_SECONDS: a worker that waits for its longest job shows no sign of life."""
        timer = Timer(GRACE_SECONDS, end_now, [self.worker_id])
        timer.daemon = True
        timer.start()

    async def _persist_job_status(
        self,
        job: Job,
        status: Status,
        retry_decision: RetryDecision | None,
        context: JobContext,
        job_result: JobResult | None,
    ) -> None:
        """Ends the worker when the end of a job cannot be recorded: the job belongs to it until it has ended."""
        if job.task_name not in self.app.tasks and job.attempts < UNKNOWN_TASK_ATTEMPTS:
            retry_decision = RetryDecision(retry_in={"minutes": 1})
        try:
            await super()._persist_job_status(job, status, retry_decision, context, job_result)
        except ConnectorException:
            logger.warning("The end of a job could not be recorded. The worker ends, and the job runs again.")
            self.stop()

    @property
    def hangs(self) -> bool:
        """Returns whether a job runs for longer than any may: its thread cannot be ended, but the process can."""
        oldest = min((context.start_timestamp for context in self._running_jobs.values()), default=time.time())
        return time.time() - oldest > JOB_SECONDS + GRACE_SECONDS


class LostDatabase(logging.Filter):
    """Leaves out the traceback of a lost connection, which has no news."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], ConnectorException):
            record.exc_info = None
        return True


async def run(heartbeat: Path | None = None) -> None:
    """Runs until a signal, or until the database is lost. Raises a ConnectorException where it cannot be reached."""
    adapt_connections()
    # Its lines of INFO have the arguments of jobs.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    app = App(connector=queue_connector())
    # The tasks stay those of Django's app, so that a job defers others in its own transaction.
    deferring_app.perform_import_paths()  # type: ignore[no-untyped-call]
    app.tasks = deferring_app.tasks
    async with app.open_async():
        worker = JobWorker(
            app,
            fetch_job_polling_interval=POLL_SECONDS,
            install_signal_handlers=False,
            delete_jobs="successful",
            stalled_worker_timeout=ABANDONED_SECONDS,
            task_middleware=[close_db_connections, recorded],
        )
        worker.logger.addFilter(LostDatabase())
        loop = asyncio.get_running_loop()
        # One thread more than jobs, so that the clock never waits for them.
        loop.set_default_executor(ThreadPoolExecutor(sum(THREADS.values()) + 1))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, worker.stop)
        beside = [asyncio.create_task(run_clock(worker)), asyncio.create_task(beat(heartbeat))]
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        finally:
            for running in beside:
                running.cancel()


def adapt_connections() -> None:
    """Makes the pools of this process close what they do not use: most of the time nothing is due.

    None of its statements is stopped: nobody waits for a job. The settings may have been read for the web server.
    """
    for alias in connections:
        options = connections.settings[alias]["OPTIONS"]
        options["pool"] |= {"min_size": 0, "max_idle": MAX_IDLE_SECONDS}
        options["options"] += " -c statement_timeout=0"


def queue_connector() -> PsycopgConnector:
    return PsycopgConnector(kwargs=queue_connection(), min_size=1, max_size=MAX_CONNECTIONS, max_idle=MAX_IDLE_SECONDS)


def queue_connection() -> dict[str, Any]:
    """Returns how to connect to the queue. Its commits do not wait for the disk, on which deliveries of traces wait.

    If the server crashes right then, a job that has ended runs again, as it does where its worker is killed.
    """
    params: dict[str, Any] = connector_params(DEFAULT_DB_ALIAS)
    return params | {"options": f"{params.get('options', '')} -c synchronous_commit=off".strip()}


def end_now(worker_id: int | None) -> None:
    """Hands back the jobs that still run and ends the process: nothing else ends a thread."""
    try:
        if worker_id is not None:
            hand_back(worker_id)
    finally:
        os._exit(0)


async def beat(file: Path | None) -> None:
    """Touches the file as long as this process does anything, also while the database is away."""
    while file:
        with suppress(OSError):
            file.touch()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def run_clock(worker: JobWorker) -> None:
    while True:
        try:
            await sync_to_async(tick_once, thread_sensitive=False)()
        except (DatabaseError, ConnectorException) as error:
            logger.warning("The clock could not look at the timetable: %s", first_line(error))
        except Exception:
            # A fault of one look must not end the clock, on which everything else waits.
            logger.exception("The clock could not look at the timetable")
        if worker.hangs:
            logger.error("A job has run for longer than any may. The worker ends.")
            worker.stop()
        await asyncio.sleep(TICK_SECONDS)


def tick_once() -> None:
    try:
        tick()
    finally:
        close_old_connections()
