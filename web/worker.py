"""gunicorn's threaded worker, in which nobody holds a thread by sending nothing, by sending a request byte by byte, or
by not reading the answer."""

import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers import gthread

# A connection that is silent at first waits outside the threads.
SILENT_SECONDS = 0.1
# 8 MiB at 1 MiB/s; what takes longer comes in smaller batches.
RECEIVE_SECONDS = 10
# Receiving, working and answering together: of it an answer, which is made within 15 s, has at least 5 s to get out.
HANDLE_SECONDS = 30
# For a client to read the end of an answer, after which its connection is closed.
LINGER_SECONDS = 2
DRAINED_BYTES = 64 * 1024


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.began: dict[gthread.TConn, float] = {}
        """Those that hold a thread."""
        self.requests: dict[gthread.TConn, Any] = {}
        """Those whose head is there."""
        self.lingering: dict[gthread.TConn, float] = {}
        """Those that are closed when the client has closed too, or then."""

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
        """gunicorn would wait for the client here, in the thread that serves all connections: up to 2 s for each."""
        self.lingering[conn] = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.drain, conn))
        except (OSError, ValueError):
            self.close(conn)

    def drain(self, conn: gthread.TConn, sock: socket.socket) -> None:
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
        """Called once a second."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, began in list(self.began.items()):
            if now - began > HANDLE_SECONDS:
                end(conn, socket.SHUT_RDWR)
            elif now - began > RECEIVE_SECONDS and not is_whole(self.requests.get(conn)):
                # Whoever reads on sees the end; what is answered still gets out.
                end(conn, socket.SHUT_RD)
        for conn in [conn for conn, ends in self.lingering.items() if ends < now]:
            self.close(conn)


def end(conn: gthread.TConn, direction: int) -> None:
    with suppress(OSError):
        conn.sock.shutdown(direction)


def is_whole(req: Any) -> bool:
    """Its body was read to the end, so it is the answer that takes long."""
    if req is None:
        return False
    reader = req.body.reader
    return getattr(reader, "length", 0) == 0 and getattr(reader, "parser", None) is None
