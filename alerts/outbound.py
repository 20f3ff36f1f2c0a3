"""Sends a webhook so that it cannot be turned against the network in which the product runs.

The name is looked up once, each of its addresses must belong to the internet, and the connection goes to one of those
addresses; the certificate must be that of the name. Redirects are not followed. Everything together has SECONDS, also
where the other side sends a byte now and then.
"""

import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from queue import Empty, SimpleQueue
from socket import create_connection, getaddrinfo
from threading import Thread, Timer
from urllib.parse import unquote

from alerts.faults import DeliveryFault
from alerts.target import BadTarget, Target, is_global, target_of

SECONDS = 10.0
MAX_ANSWER_BYTES = 2048
"""Of an answer that refuses. One that accepts is not read."""
ANSWER_SHOWN = 120
SHORTEST_SECRET = 6
"""A shorter part of a path keeps nobody out."""
MAX_ADDRESSES = 32
"""A name with more is not one of a web server."""
TRIED_ADDRESSES = 3
GONE = 410


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Returns the status of an answer that accepts, or raises a DeliveryFault."""
    ends = time.monotonic() + SECONDS
    try:
        target = target_of(url)
    except BadTarget as error:
        raise DeliveryFault(f"The URL {error}.", is_final=True) from error
    connection = Connection(target, addresses_of(target, ends), ends)
    try:
        return checked(target, connection.ask(body, headers))
    except DeliveryFault:
        raise
    except (OSError, HTTPException) as error:
        raise fault(target, error, ends) from error
    finally:
        connection.end()


# --- Addresses ---


def addresses_of(target: Target, ends: float) -> list[str]:
    """Returns the addresses of the name. Each must belong to the internet: one that does not refuses them all."""
    found = looked_up(target, ends)
    if not target.is_internal and not all(is_global(address) for address in found):
        raise DeliveryFault(f"{target.host} has an address that does not belong to the internet.", is_final=True)
    if not 0 < len(found) <= MAX_ADDRESSES:
        raise DeliveryFault(f"{target.host} has {len(found)} addresses.")
    return found


def looked_up(target: Target, ends: float) -> list[str]:
    """Looks the name up in a thread of its own: the system's resolver knows no deadline."""
    results: SimpleQueue[list[str] | OSError] = SimpleQueue()
    Thread(target=look_up, args=(target, results), daemon=True).start()
    try:
        found = results.get(timeout=max(ends - time.monotonic(), 0))
    except Empty:
        raise DeliveryFault(f"The name {target.host} was not found in {SECONDS:g} s.", is_slow=True) from None
    if isinstance(found, OSError):
        raise DeliveryFault(f"The name {target.host} is not known.") from found
    return found


def look_up(target: Target, results: "SimpleQueue[list[str] | OSError]") -> None:
    # With a full stop at its end the name is a whole one: nothing of a local search list is put behind it.
    name = target.host if target.is_internal else f"{target.host}."
    try:
        found = getaddrinfo(name, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        results.put(OSError(str(error)))
    else:
        results.put(list(dict.fromkeys(str(address[4][0]) for address in found)))


# --- The connection ---


@cache
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class Connection(HTTPSConnection):
    """Goes to one of the given addresses, and to no other."""

    def __init__(self, target: Target, addresses: list[str], ends: float) -> None:
        super().__init__(target.host, target.port, context=tls())
        self.target = target
        self.addresses = addresses
        self.ends = ends
        self.open_sockets: list[socket.socket] = []
        self.response: HTTPResponse | None = None
        self.alarm = Timer(self.left, self.interrupt)

    @property
    def left(self) -> float:
        return max(self.ends - time.monotonic(), 0.001)

    def connect(self) -> None:
        self.open_sockets = [self.first_that_answers()]
        # A byte now and then would end every wait for the next one, so an alarm ends them all.
        self.alarm = Timer(self.left, self.interrupt)
        self.alarm.daemon = True
        self.alarm.start()
        self.sock = tls().wrap_socket(
            self.open_sockets[0], server_hostname=self.target.host, do_handshake_on_connect=False
        )
        self.open_sockets = [self.sock]
        self.sock.do_handshake()

    def first_that_answers(self) -> socket.socket:
        error: OSError = OSError("no address")
        for address in self.addresses[:TRIED_ADDRESSES]:
            try:
                return create_connection((address, self.target.port), timeout=self.left)
            except OSError as failed:
                error = failed
        raise error

    def ask(self, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        own = {"Host": self.target.authority, "User-Agent": "agent-observability", "Connection": "close"}
        self.request("POST", self.target.path, body, own | dict(headers))
        self.response = self.getresponse()
        if time.monotonic() >= self.ends:
            raise TimeoutError  # the alarm has cut its head off
        return self.response

    def interrupt(self) -> None:
        """Ends every wait for the other side."""
        for open_socket in self.open_sockets:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self.alarm.cancel()
        self.interrupt()
        self.close()
        # The library gives the socket away to an answer that is to be the last one.
        for held in (self.response, *self.open_sockets):
            if held is not None:
                held.close()


# --- The answer ---


def checked(target: Target, response: HTTPResponse) -> int:
    """Returns the status of an answer that accepts."""
    status = response.status
    if 200 <= status < 300:
        return status
    if 300 <= status < 400:
        words = f"{target.host} answered {status}, which leads elsewhere. Redirects are not followed."
        raise DeliveryFault(words, status, is_final=True)
    words = f"{target.host} answered {status}{beginning(response, target)}."
    raise DeliveryFault(words, status, is_final=status == GONE)


def beginning(response: HTTPResponse, target: Target) -> str:
    """Returns the first words of the answer, in which there may be the reason, without the path: it is a secret."""
    try:
        text = response.read(MAX_ANSWER_BYTES).decode("ascii", "replace")
    except (OSError, HTTPException, ValueError):
        return ""
    words = "".join(character if " " <= character <= "~" else " " for character in text)
    shown = without_path(" ".join(words.split()), target)[:ANSWER_SHOWN]
    return f": {shown}" if shown else ""


def without_path(text: str, target: Target) -> str:
    """Returns the text without the parts of the path, which many servers repeat in what they refuse."""
    parts = {part for path in (target.path, unquote(target.path)) for part in (path, *re.split(r"[/?&=]", path))}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…") if len(part) >= SHORTEST_SECRET else text
    return text


def fault(target: Target, error: OSError | HTTPException, ends: float) -> DeliveryFault:
    if time.monotonic() >= ends or isinstance(error, TimeoutError):
        return DeliveryFault(f"{target.host} did not answer within {SECONDS:g} s.", is_slow=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryFault(f"The certificate of {target.host} is not valid: {error.verify_message}.")
    if isinstance(error, ssl.SSLError):
        return DeliveryFault(f"There is no TLS with {target.host}.")
    if isinstance(error, HTTPException):
        return DeliveryFault(f"{target.host} sent no answer of HTTP.")
    return DeliveryFault(f"{target.host} cannot be reached: {error.strerror or type(error).__name__}.")
