"""Starts the product's servers again when they end, so that no fault of one needs a hand."""

import sys
import time
from collections.abc import Sequence
from typing import Protocol

from observability.launcher.refused import Refused

CHECK_SECONDS = 0.2
# The first attempt comes at once. Each one that fails, or soon ends, makes the next one wait longer.
PAUSES_SECONDS = (0, 1, 2, 5, 10)
STEADY_SECONDS = 60


class Service(Protocol):
    name: str

    def start(self) -> None:
        """Starts the server, and waits until it works if that is soon. Refuses if it ends; the text says why."""

    def ended(self) -> str | None:
        """Returns in words how the server ended; None while it runs."""


class Keeper:
    """Keeps one server running."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.attempts = 0
        self.started_at = time.monotonic()
        self.next_start: float | None = None

    def check(self) -> None:
        now = time.monotonic()
        end = self.service.ended()
        if end is None:
            self.next_start = None  # others may start it too, if they need it before
            self.attempts = 0 if now - self.started_at > STEADY_SECONDS else self.attempts
        elif self.next_start is None:
            self.plan(f"{self.service.name} {end}.")
        elif now >= self.next_start:
            self.start()

    def plan(self, reason: str) -> None:
        pause = PAUSES_SECONDS[min(self.attempts, len(PAUSES_SECONDS) - 1)]
        self.attempts += 1
        self.next_start = time.monotonic() + pause
        report(f"{reason} It is started again {f'in {pause} s' if pause else 'now'}.")

    def start(self) -> None:
        try:
            self.service.start()
        except (Refused, OSError) as error:
            self.plan(str(error))
        else:
            self.started_at, self.next_start = time.monotonic(), None
            report(f"{self.service.name} runs again.")


def supervise(services: Sequence[Service]) -> None:
    """Keeps the servers running until an exception stops the launcher."""
    keepers = [Keeper(service) for service in services]
    while True:
        for keeper in keepers:
            keeper.check()
        time.sleep(CHECK_SECONDS)


def report(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
