"""Bounds how often a public page is asked. The counts are in the cache, which all processes share with Redis."""

import time
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

from web.problems import Problem
from workspaces.access import client_address

MINUTE_SECONDS = 60
OF_A_LINK = 1200
"""Requests in a minute by all readers of a link: twenty who watch sixty panels."""
OF_A_READER = 300
"""Requests in a minute from one address, for any link."""
GUESSES = 30
"""Addresses in a minute that lead to no link, from one address."""


def count(name: str, most: int) -> None:
    """Counts a request, or raises a 429 Problem where there were `most` in this minute."""
    minute = int(time.time() // MINUTE_SECONDS)
    key = f"public:{minute}:{sha256(name.encode()).hexdigest()}"
    cache.add(key, 0, 2 * MINUTE_SECONDS)
    try:
        times = cache.incr(key)
    except ValueError:  # the cache has dropped it meanwhile
        return
    if times > most:
        raise Problem(
            429, "There were too many requests. Try again in a minute.", headers={"Retry-After": str(MINUTE_SECONDS)}
        )


def reader(request: HttpRequest) -> str:
    return client_address(request) or "unknown"


def count_request(request: HttpRequest, link_id: str) -> None:
    count(f"reader {reader(request)}", OF_A_READER)
    count(f"link {link_id}", OF_A_LINK)


def count_guess(request: HttpRequest) -> None:
    count(f"guess {reader(request)}", GUESSES)
