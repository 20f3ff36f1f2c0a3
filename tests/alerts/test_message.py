from datetime import UTC, datetime
from uuid import uuid4

import pytest

from alerts.message import Message


def message(**changes):
    values = {"event_id": uuid4(), "workspace_id": uuid4(), "state": "warning", "subject": "Spend is up"}
    return Message(**values | {"moment": datetime(2026, 11, 27, 3, 0, tzinfo=UTC)} | changes)


def test_a_message_is_the_same_after_it_was_stored():
    made = message(
        sentences=("Spend was $12.", "It was $5 the day before."),
        facts=(("Limit", "$10"),),
        links=(("Open", "https://example.com/dashboard"),),
    )

    assert Message.from_json(made.as_json()) == made


def test_a_message_says_something_at_a_moment_in_a_known_state():
    for change in ({"subject": " "}, {"moment": datetime(2026, 11, 27)}, {"state": "loud"}):  # noqa: DTZ001
        with pytest.raises(ValueError, match="message"):
            message(**change)


def test_a_message_is_small():
    with pytest.raises(ValueError, match="16384 bytes"):
        message(sentences=("x" * 17_000,)).as_json()
