"""Bounds how many exports and reports are made at once: each holds a thread."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from web.problems import Problem

OF_A_PROCESS, OF_A_WORKSPACE = 4, 2
RETRY_SECONDS = 30


class Slots:
    """The places of one kind of work."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.running: Counter[UUID] = Counter()
        self.lock = Lock()

    @contextmanager
    def hold(self, workspace_id: UUID) -> Iterator[None]:
        """Holds a place. Raises a 429 Problem where there is none."""
        self.take(workspace_id)
        try:
            yield
        finally:
            self.give_back(workspace_id)

    def take(self, workspace_id: UUID) -> None:
        with self.lock:
            if self.running[workspace_id] >= OF_A_WORKSPACE:
                raise busy(f"This workspace has {OF_A_WORKSPACE} {self.noun} running.")
            if self.running.total() >= OF_A_PROCESS:
                raise busy(f"This server has {OF_A_PROCESS} {self.noun} running.")
            self.running[workspace_id] += 1

    def give_back(self, workspace_id: UUID) -> None:
        with self.lock:
            self.running[workspace_id] -= 1
            if not self.running[workspace_id]:
                del self.running[workspace_id]


def busy(reason: str) -> Problem:
    return Problem(429, f"{reason} Try again when one has ended.", headers={"Retry-After": str(RETRY_SECONDS)})


export_slot = Slots("exports").hold
report_slot = Slots("reports").hold
