"""gunicorn's threaded worker, in which nobody holds a thread by sending nothing, or a request byte by byte."""

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers import gthread

# A connection that is silent at first waits outside the threads.
SILENT_SECONDS = 0.1
# 8 MiB at 1 MiB/s; what takes longer comes in smaller batches.
RECEIVE_SECONDS = 10


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.receiving: dict[gthread.TConn, float] = {}
        self.requests: dict[gthread.TConn, Any] = {}
        """Those whose head is there."""

    def handle(self, conn: gthread.TConn) -> Any:
        if not conn.initialized and not conn.wait_for_data(SILENT_SECONDS):
            return gthread._DEFER
        self.receiving[conn] = time.monotonic() + RECEIVE_SECONDS
        try:
            return super().handle(conn)
        finally:
            del self.receiving[conn]
            self.requests.pop(conn, None)

    def handle_request(self, req: Any, conn: gthread.TConn) -> Any:
        self.requests[conn] = req
        return super().handle_request(req, conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Called once a second."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, ends in list(self.receiving.items()):
            if ends < now and not is_whole(self.requests.get(conn)):
                # Whoever reads on sees the end; what is answered still gets out.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)


def is_whole(req: Any) -> bool:
    """Its body was read to the end, so it is the answer that takes long."""
    if req is None:
        return False
    reader = req.body.reader
    return getattr(reader, "length", 0) == 0 and getattr(reader, "parser", None) is None
