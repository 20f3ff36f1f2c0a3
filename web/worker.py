"""Changes gunicorn's threaded worker so that slow clients cannot block its threads.

A client blocks no thread by sending nothing, by sending a request byte by byte, or by not reading the response.
The class overrides methods that gunicorn does not document: docs/decisions/gunicorn-worker.md.
"""

import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers import gthread

from web.pinned import version_fault

GUNICORN_VERSION = "27.0.1"

# A new connection that sends nothing for this long waits outside the threads.
SILENT_SECONDS = 0.1
# 8 MiB at 1 MiB/s; a client that needs longer sends smaller batches.
RECEIVE_SECONDS = 10
# For receiving, working and sending together. Work takes at most 15 s, so at least 5 s remain to send the response.
HANDLE_SECONDS = 30
# For a client to read the end of a response, after which its connection is closed.
LINGER_SECONDS = 2
DRAINED_BYTES = 64 * 1024

# gunicorn imports this module when it starts: it ends here with the reason, before it serves anything.
if fault := version_fault("web/worker.py", "gunicorn", GUNICORN_VERSION):
    raise RuntimeError(fault)


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.began: dict[gthread.TConn, float] = {}
        """The time at which each connection that has a thread got it."""
        self.requests: dict[gthread.TConn, Any] = {}
        """The requests whose head has arrived."""
        self.lingering: dict[gthread.TConn, float] = {}
        """Connections with a sent response, and the time at which each is closed unless the client closes it first."""

    def handle(self, conn: gthread.TConn) -> Any:
        if not conn.initialized and not conn.wait_for_data(SILENT_SECONDS):
            return gthread._DEFER
        self.began[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self.began[conn]
            self.requests.pop(conn, None)

    def handle_request(self, req: Any, conn: gthread.TConn) -> Any:
        self.requests[conn] = req
        return super().handle_request(req, conn)

    def finish_request(self, conn: gthread.TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self.linger(conn)

    def linger(self, conn: gthread.TConn) -> None:
        """Closes the server's side of the connection; the poller waits for the client to close its side.

        gunicorn waits up to 2 s for each client here, in the thread that serves all connections.
        """
        self.lingering[conn] = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.drain, conn))
        except (OSError, ValueError):
            self.close(conn)

    def drain(self, conn: gthread.TConn, sock: socket.socket) -> None:
        """Reads and drops what the client still sends; closes the connection once it has ended."""
        try:
            rest = sock.recv(DRAINED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            rest = b""
        if not rest:
            self.close(conn)

    def close(self, conn: gthread.TConn) -> None:
        del self.lingering[conn]
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Ends requests and connections that take too long. gunicorn calls it once a second."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, began in list(self.began.items()):
            if now - began > HANDLE_SECONDS:
                shut_down(conn, socket.SHUT_RDWR)
            elif now - began > RECEIVE_SECONDS and not has_arrived(self.requests.get(conn)):
                # The thread reads the end of the request here, and can still send a response.
                shut_down(conn, socket.SHUT_RD)
        for conn in [conn for conn, ends in self.lingering.items() if ends < now]:
            self.close(conn)


def shut_down(conn: gthread.TConn, direction: int) -> None:
    with suppress(OSError):
        conn.sock.shutdown(direction)


def has_arrived(req: Any) -> bool:
    """Returns whether the whole request was read. Then only the work or the response takes long."""
    if req is None:
        return False
    reader = req.body.reader
    return getattr(reader, "length", 0) == 0 and getattr(reader, "parser", None) is None
