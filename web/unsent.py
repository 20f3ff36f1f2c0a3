"""Keeps what a client does not read at once, so that no thread waits for it: the worker's poller sends it later."""

import select
import socket
import time
from errno import EPIPE
from threading import Lock
from typing import Any

# Of a response; a longer one waits for the client in its thread.
MAX_BYTES = 8 * 1024 * 1024
MAX_BYTES_OF_ALL = 32 * 1024 * 1024
# A client that reads nothing for so long is gone, or means harm.
STALL_SECONDS = 5
# The same while the memory for all clients is used up.
SHORT_STALL_SECONDS = 0.1
# Of a long response: its client works on what it has read. It reads the rest within seconds after its thread has ended.
LONG_STALL_SECONDS = 30
LONG_MAX_BYTES = 256 * 1024


class Total:
    """Counts the bytes that a process keeps for all clients."""

    def __init__(self) -> None:
        self.bytes = 0
        self.lock = Lock()

    @property
    def is_full(self) -> bool:
        return self.bytes >= MAX_BYTES_OF_ALL

    def change(self, number: int) -> None:
        with self.lock:
            self.bytes += number


class Outgoing:
    """Stands for the socket of a connection while gunicorn writes a response to it."""

    def __init__(self, sock: socket.socket, total: Total) -> None:
        self.sock = sock
        self.total = total
        self.unsent = bytearray()
        self.progress_at = time.monotonic()
        self.is_long = False
        """The response may take long: an export has as many rows as the window."""

    def allow_long(self) -> None:
        self.is_long = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def sendall(self, data: bytes) -> None:
        """Sends what the client takes now. Keeps the rest, or waits while it is too much."""
        rest = memoryview(data)
        if not self.unsent:
            rest = rest[self.send_now(rest) :]
        while rest and (self.total.is_full or len(self.unsent) + len(rest) > self.most_bytes):
            self.wait_for_client()
            if not self.flush():
                rest = rest[self.send_now(rest) :]
        self.unsent += rest
        self.total.change(len(rest))

    @property
    def most_bytes(self) -> int:
        return LONG_MAX_BYTES if self.is_long else MAX_BYTES

    def send_now(self, data: memoryview | bytearray) -> int:
        """Returns how many bytes the system took."""
        try:
            sent = self.sock.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        self.progress_at = time.monotonic()
        return sent

    def flush(self) -> int:
        """Sends what was kept as far as the client takes it. Returns how many bytes remain."""
        if self.unsent:
            sent = self.send_now(self.unsent)
            del self.unsent[:sent]
            self.total.change(-sent)
        return len(self.unsent)

    def wait_for_client(self) -> None:
        patience: float = LONG_STALL_SECONDS if self.is_long else STALL_SECONDS
        if self.total.is_full:
            patience = SHORT_STALL_SECONDS
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        if not poll.poll(patience * 1000):
            raise BrokenPipeError(EPIPE, "the client reads nothing")

    def discard(self) -> None:
        self.total.change(-len(self.unsent))
        self.unsent.clear()
