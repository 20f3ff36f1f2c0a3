"""What a page that is sent in parts tells those who measure it, log it and count it."""

import logging
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from web.page_in_parts import PageInParts
from web.requests import RequestMiddleware

PART_SECONDS = 0.05


def lengths(response: PageInParts) -> list[int]:
    return [len(part) for part in response]


def test_the_length_of_no_part_says_what_is_in_it() -> None:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})
    found = [lengths(PageInParts(request, ["one " * 50, "two " * 50, "three " * 50])) for _ in range(20)]
    for of_part in zip(*(each[:3] for each in found), strict=True):
        assert len(set(of_part)) > 5


def test_each_part_can_be_read_when_it_arrives() -> None:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})
    reader, seen = zlib.decompressobj(31), ""
    for text, part in zip(["one", "two", "three"], PageInParts(request, ["one", "two", "three"]), strict=False):
        seen += reader.decompress(part).decode()
        assert text in seen


def answered(parts: Callable[[], Iterator[str]]) -> HttpResponse:
    """Returns what the middleware makes of a page with these parts."""

    def view(request: HttpRequest) -> HttpResponse:
        return PageInParts(request, parts())  # type: ignore[return-value]

    return RequestMiddleware(view)(RequestFactory().get("/", headers={"X-Request-ID": "mine"}))


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[logging.LogRecord]]:
    monkeypatch.setattr(logging.getLogger("web"), "propagate", True)
    caplog.set_level(logging.INFO, "web.requests")
    return lambda: [record for record in caplog.records if record.message == "answered"]


def test_it_is_logged_at_its_end_with_the_time_of_all_parts(logged: Callable[[], list[logging.LogRecord]]) -> None:
    def parts() -> Iterator[str]:
        for text in ("one", "two"):
            time.sleep(PART_SECONDS)
            yield text

    sent = iter(answered(parts))
    assert next(sent) == b"one"
    assert not logged()
    assert list(sent) == [b"two"]
    [record] = logged()
    assert record.__dict__["status"] == 200
    assert record.__dict__["duration_ms"] >= 2 * PART_SECONDS * 1000


@pytest.mark.django_db(databases="__all__")  # the end of a request closes connections
def test_it_is_logged_once_when_its_reader_leaves(logged: Callable[[], list[logging.LogRecord]]) -> None:
    response = answered(lambda: iter(["one", "two"]))
    assert next(iter(response)) == b"one"
    response.close()
    assert len(logged()) == 1


def test_a_fault_in_the_middle_counts_as_one_of_the_server(logged: Callable[[], list[logging.LogRecord]]) -> None:
    def parts() -> Iterator[str]:
        yield "one"
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        list(answered(parts))
    [record] = logged()
    assert record.__dict__["status"] == 500
