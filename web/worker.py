"""Changes gunicorn's threaded worker so that slow clients cannot block its threads.

A client gets a thread with the whole head of a request, and with the whole form if it sends one: until then its
connection waits in the poller. A view reads any other body after it has checked the credential, for a limited time. The
poller also sends what a client does not read of a response at once.
The class overrides methods that gunicorn does not document: docs/decisions/gunicorn-worker.md.
"""

import re
import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.workers import gthread

from web import unsent
from web.pinned import version_fault

GUNICORN_VERSION = "27.0.1"

# From the first byte of a head to its last.
HEAD_SECONDS = 2
# The longest URL, cookies and a key together have less than half of it.
MAX_HEAD_BYTES = 64 * 1024
END_OF_HEAD = b"\r\n\r\n"
HEAD_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
# Django reads a form before any credential is checked: it may have the token against forged requests.
FORM = re.compile(rb"^content-type:[^\r\n]*(?:x-www-form-urlencoded|(multipart/form-data))", re.I | re.M)
LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
# DATA_UPLOAD_MAX_MEMORY_SIZE: Django refuses a longer form unread, but not a longer one in several parts.
MAX_FORM_BYTES = 1024 * 1024
# Of the forms of all connections that have not arrived yet; above it the connection that has waited longest is closed.
MAX_BYTES_OF_ALL_FORMS = 32 * 1024 * 1024
FORM_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
# 8 MiB at 1 MiB/s; a client that needs longer sends smaller batches.
RECEIVE_SECONDS = 10
# For the rest of a body that was refused unread.
UNREAD_BODY_SECONDS = 0.01
# For receiving, working and sending together. Work takes at most 15 s, so at least 5 s remain to send the response.
HANDLE_SECONDS = 30
# The same for a response that says that it is long (`web/long_responses.py`).
LONG_SECONDS = 60 * 60
# For a client to read the end of a response, after which its connection is closed.
LINGER_SECONDS = 2
DRAINED_BYTES = 64 * 1024

# gunicorn imports this module when it starts: it ends here with the reason, before it serves anything.
if fault := version_fault("web/worker.py", "gunicorn", GUNICORN_VERSION):
    raise RuntimeError(fault)


@dataclass(slots=True)
class Head:
    """The beginning of a request, as far as it has arrived."""

    ends: float
    """When the connection is closed unless the head, or the form behind it, is complete."""
    received: bytearray = field(default_factory=bytearray)
    needed: int | None = None
    """How many bytes the head and its form have; None until the head is complete."""

    def is_complete(self) -> bool:
        return self.needed is not None and len(self.received) >= self.needed


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.cfg.is_ssl:
            raise RuntimeError("The web server speaks plain HTTP behind a proxy: unset certfile and keyfile.")
        self.heads: dict[gthread.TConn, Head] = {}
        """The connections that wait for a whole head. Those that have waited longest come first."""
        self.began: dict[gthread.TConn, float] = {}
        """The time at which each connection that has a thread got it."""
        self.requests: dict[gthread.TConn, Any] = {}
        """The requests whose head has arrived."""
        self.lingering: dict[gthread.TConn, float] = {}
        """Connections with a sent response, and the time at which each is closed unless the client closes it first."""
        self.unsent_total = unsent.Total()
        self.outgoing: dict[gthread.TConn, unsent.Outgoing] = {}
        """The responses that are being made or sent."""
        self.sending: dict[gthread.TConn, float] = {}
        """Connections whose response is sent by the poller, and the time at which each is closed."""

    # --- Heads and forms: in the poller, without a thread ---

    def enqueue_req(self, conn: gthread.TConn) -> None:
        """Waits for the head of the first request. gunicorn gives a new connection a thread here."""
        self.wait_for_head(conn)
        self.receive_head(conn, conn.sock)  # it has arrived, nearly always

    def wait_for_head(self, conn: gthread.TConn, begun: bytes = b"") -> None:
        self.heads[conn] = Head(time.monotonic() + self.cfg.keepalive)
        conn.sock.setblocking(False)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.receive_head, conn))
        if begun:
            self.take_part_of_head(conn, begun)

    def on_client_socket_readable(self, conn: gthread.TConn, client: socket.socket) -> None:
        if conn not in self.keepalived_conns:  # closed by an earlier event of the same moment
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.wait_for_head(conn)
        self.receive_head(conn, client)

    def receive_head(self, conn: gthread.TConn, sock: socket.socket) -> None:
        """Reads what has arrived. Gives the connection a thread once the head is complete."""
        if conn not in self.heads:  # dropped by an earlier event of the same moment
            return
        try:
            data = sock.recv(MAX_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.take_part_of_head(conn, data)
        else:
            self.drop(conn)

    def take_part_of_head(self, conn: gthread.TConn, data: bytes) -> None:
        head = self.heads[conn]
        if not head.received:
            head.ends = time.monotonic() + HEAD_SECONDS
            self.heads[conn] = self.heads.pop(conn)  # it is the youngest now
        searched = max(len(head.received) - len(END_OF_HEAD), 0)
        head.received += data
        if head.needed is None and (end := head.received.find(END_OF_HEAD, searched)) >= 0:
            head.ends = time.monotonic() + RECEIVE_SECONDS
            form = form_length(head.received[:end])
            if form is None:
                self.drop(conn, FORM_TOO_LARGE)
                return
            head.needed = end + len(END_OF_HEAD) + form
        if head.is_complete():
            self.start(conn, bytes(head.received))
        elif head.needed is None and len(head.received) >= MAX_HEAD_BYTES:
            self.drop(conn, HEAD_TOO_LARGE)

    def start(self, conn: gthread.TConn, received: bytes) -> None:
        """Gives the connection a thread, which parses what was received and reads the body."""
        del self.heads[conn]
        self.poller.unregister(conn.sock)
        conn.parser = conn.parser or http.get_parser(self.cfg, conn.sock, conn.client)
        conn.parser.unreader.unread(received)
        conn.data_ready = True
        super().enqueue_req(conn)

    def drop(self, conn: gthread.TConn, response: bytes = b"") -> None:
        """Closes a connection without a whole head."""
        del self.heads[conn]
        with suppress(OSError):
            conn.sock.send(response)
        self.close(conn)

    def make_room(self) -> None:
        """Closes the connection that has waited longest if no new one would be accepted."""
        if self.nr_conns < self.worker_connections:
            return
        if self.heads:
            self.drop(next(iter(self.heads)))
        elif self.keepalived_conns:
            self.close(self.keepalived_conns.popleft())
        elif self.lingering:
            self.close(next(iter(self.lingering)))
        elif self.sending:
            self.close(self.longest_stalled())

    # --- Requests: in a thread ---

    def handle(self, conn: gthread.TConn) -> Any:
        self.began[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self.began[conn]
            self.requests.pop(conn, None)

    def handle_request(self, req: Any, conn: gthread.TConn) -> Any:
        """Answers. The connection is kept only if the rest of a body that nobody read has arrived.

        gunicorn waits for it up to 5 s in the thread, also after a 401.
        """
        self.requests[conn] = req
        sock = conn.sock
        self.outgoing[conn] = conn.sock = unsent.Outgoing(sock, self.unsent_total)
        try:
            is_kept = super().handle_request(req, conn)
        except BaseException:
            self.outgoing[conn].discard()
            raise
        finally:
            conn.sock = sock
        return is_kept and conn.parser.finish_body(deadline=time.monotonic() + UNREAD_BODY_SECONDS)

    def finish_request(self, conn: gthread.TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception():
            self.close(conn)
            return
        outgoing = self.outgoing.get(conn)
        if outgoing and outgoing.unsent:
            self.send_rest(conn, fs)
            return
        self.outgoing.pop(conn, None)
        if not fs.result():
            self.linger(conn)
        elif begun := conn.parser.unreader.take_buffered():
            self.wait_for_head(conn, begun)
        else:
            super().finish_request(conn, fs)

    # --- Responses: in the poller again, until the client has read them ---

    def send_rest(self, conn: gthread.TConn, fs: Future[Any]) -> None:
        """Sends in the poller what the client has not read yet."""
        self.sending[conn] = time.monotonic() + HANDLE_SECONDS
        try:
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self.on_writable, conn, fs))
        except (OSError, ValueError):
            self.close(conn)

    def on_writable(self, conn: gthread.TConn, fs: Future[Any], sock: socket.socket) -> None:
        if conn not in self.sending:  # closed by an earlier event of the same moment
            return
        try:
            remaining = self.outgoing[conn].flush()
        except OSError:
            self.close(conn)
            return
        if not remaining:
            del self.sending[conn]
            self.poller.unregister(sock)
            self.finish_request(conn, fs)

    def longest(self, conn: gthread.TConn) -> int:
        """Returns for how long the connection may have a thread, in seconds."""
        outgoing = self.outgoing.get(conn)
        return LONG_SECONDS if outgoing and outgoing.is_long else HANDLE_SECONDS

    def longest_stalled(self) -> gthread.TConn:
        return min(self.sending, key=lambda conn: self.outgoing[conn].progress_at)

    def close_stalled(self, now: float) -> None:
        """Closes connections whose clients do not read, sooner while there is no memory for others."""
        for conn, ends in list(self.sending.items()):
            if ends < now or now - self.outgoing[conn].progress_at > unsent.STALL_SECONDS:
                self.close(conn)
        while self.sending and self.unsent_total.is_full:
            longest = self.longest_stalled()
            if now - self.outgoing[longest].progress_at < unsent.SHORT_STALL_SECONDS:
                return
            self.close(longest)

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
        if conn not in self.lingering:  # closed by an earlier event of the same moment
            return
        try:
            rest = sock.recv(DRAINED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            rest = b""
        if not rest:
            self.close(conn)

    def close(self, conn: gthread.TConn) -> None:
        self.lingering.pop(conn, None)
        self.sending.pop(conn, None)
        if outgoing := self.outgoing.pop(conn, None):
            outgoing.discard()
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Ends requests and connections that take too long. gunicorn calls it after each round of events."""
        super().murder_keepalived(force)
        now = time.monotonic()
        # A worker that stops waits for a head that has begun, not for clients that have sent nothing.
        late = now if self.alive else now + self.cfg.keepalive - HEAD_SECONDS
        for conn, head in list(self.heads.items()):
            if head.ends < (now if head.received else late):
                self.drop(conn, HEAD_TOO_SLOW if head.received else b"")
        for conn, began in list(self.began.items()):
            if now - began > self.longest(conn):
                shut_down(conn, socket.SHUT_RDWR)
            elif now - began > RECEIVE_SECONDS and not has_arrived(self.requests.get(conn)):
                # The thread reads the end of the request here, and can still send a response.
                shut_down(conn, socket.SHUT_RD)
        for conn, ends in list(self.lingering.items()):
            if ends < now:
                self.close(conn)
        self.close_stalled(now)
        if sum(len(head.received) for head in self.heads.values()) > MAX_BYTES_OF_ALL_FORMS:
            self.drop(next(conn for conn, head in self.heads.items() if head.needed))
        self.make_room()


def form_length(head: bytes | bytearray) -> int | None:
    """Returns the length of the form that follows the head, 0 if nothing is read before the view, None if too long."""
    form, length = FORM.search(head), LENGTH.search(head)
    if not form or not length:
        return 0
    if int(length[1]) <= MAX_FORM_BYTES:
        return int(length[1])
    return None if form[1] else 0


def shut_down(conn: gthread.TConn, direction: int) -> None:
    with suppress(OSError):
        conn.sock.shutdown(direction)


def has_arrived(req: Any) -> bool:
    """Returns whether the whole request was read. Then only the work or the response takes long."""
    if req is None:
        return False
    reader = req.body.reader
    return getattr(reader, "length", 0) == 0 and getattr(reader, "parser", None) is None
