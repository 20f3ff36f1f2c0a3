"""Reads request bodies, inflates them and bounds their size, however they were sent."""

import zlib

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from gunicorn.http.errors import ParseException

from web.problems import Problem

CHUNK = 64 * 1024
MAX_EXPANSION = 100
# A body of repeated spans can shrink more than a hundredfold. This is allowed up to this size, which costs little.
EXPANSION_FLOOR = 256 * 1024
# For each member of a gzip file, the rest of the file is copied: the cost grows with the square of their number.
MAX_MEMBERS = 100


def read_body(request: HttpRequest, most_bytes: int | None = None) -> bytes:
    """Returns the inflated body, of at most MAX_BODY_BYTES before and after inflation.

    After inflation it may have `most_bytes` instead. Raises 400, 413 and 415 Problems.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "deflate"):
        raise Problem(415, f"Content-Encoding {encoding!r} is not supported; send gzip, deflate or none.")
    body = raw_body(request)
    return body if encoding == "identity" else inflate(body, encoding, most_bytes)


def json_body(request: HttpRequest, what: str, most_bytes: int | None = None) -> bytes:
    """Returns the inflated body of a request whose type is JSON; otherwise raises a 415 Problem."""
    if request.content_type != "application/json":
        raise Problem(415, f"Send the {what} as Content-Type: application/json.")
    return read_body(request, most_bytes)


def raw_body(request: HttpRequest) -> bytes:
    """Returns the body as it was sent, before inflation."""
    limit = settings.MAX_BODY_BYTES
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        # Chunked. Django treats a body without Content-Length as empty, but the server knows where it ends.
        read = request.META["wsgi.input"].read
    else:
        read = request.read
    parts: list[bytes] = []
    size = 0
    try:
        while part := read(CHUNK):
            size += len(part)
            if size > limit:
                raise too_large()
            parts.append(part)
    except (UnreadablePostError, OSError) as error:
        raise Problem(400, "The request body ended early.") from error
    except ParseException as error:
        raise Problem(400, "The request body is not chunked as HTTP says.") from error
    if size < int(request.META.get("CONTENT_LENGTH") or 0):
        raise Problem(400, "The request body ended early.")
    return b"".join(parts)


def inflate(body: bytes, encoding: str, most_bytes: int | None = None) -> bytes:
    inflated = bytearray()
    rest = body
    members = 0
    while rest:
        members += 1
        if members > MAX_MEMBERS:
            raise Problem(413, f"The request body has more than {MAX_MEMBERS} {encoding} members; send it as one.")
        # The bit 32 lets zlib recognise gzip and zlib by their header. Some clients send "deflate" without any header.
        headerless = encoding == "deflate" and rest[0] & 0x0F != 8
        inflater = zlib.decompressobj(-zlib.MAX_WBITS if headerless else zlib.MAX_WBITS | 32)
        pending = rest
        try:
            while pending and not inflater.eof:
                inflated += inflater.decompress(pending, CHUNK)
                pending = inflater.unconsumed_tail
                check_expansion(len(inflated), len(body), most_bytes or settings.MAX_BODY_BYTES)
            inflated += inflater.flush()
        except zlib.error as error:
            raise Problem(400, f"The request body is not valid {encoding}.") from error
        if not inflater.eof:
            raise Problem(400, f"The {encoding} request body ended early.")
        rest = inflater.unused_data  # the next member of a gzip file
    return bytes(inflated)


def check_expansion(inflated_bytes: int, sent_bytes: int, most_bytes: int) -> None:
    """Raises 413 for a body that inflates too much."""
    if inflated_bytes > most_bytes:
        raise too_large(most_bytes)
    if inflated_bytes > EXPANSION_FLOOR and inflated_bytes > MAX_EXPANSION * sent_bytes:
        raise Problem(413, f"The request body inflates more than {MAX_EXPANSION} times; send smaller batches.")


def too_large(most_bytes: int | None = None) -> Problem:
    mib = (most_bytes or settings.MAX_BODY_BYTES) // (1024 * 1024)
    return Problem(413, f"The request body is larger than {mib} MiB; send smaller batches.")
