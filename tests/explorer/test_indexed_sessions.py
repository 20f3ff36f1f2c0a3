"""Sorted lists of sessions come from the row of each session, with the figures of the window and the filters."""

from datetime import timedelta
from typing import Any

import pytest

from explorer import indexed_sessions, sessions
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.engines.postgresql import ENGINE

pytestmark = pytest.mark.django_db(databases="__all__")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = {"start": (NOON - 2 * DAY).isoformat(), "end": (NOON + HOUR).isoformat()}


@pytest.fixture
def _no_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a list fail that reads the sums of its window."""

    def ranked(*_: Any) -> None:
        raise AssertionError("The sums are read.")

    monkeypatch.setattr(sessions, "ranked_sessions", ranked)


@pytest.fixture
def filled(tenant: Tenant) -> Tenant:
    """Has the sessions whole ($1), over (a call before the window, $2 in it), mixed ($1 in dev, $2 elsewhere)."""
    rows = [
        a_row(NOON - DAY, session_id="whole", cost_usd="1", environment="dev", user_id="ada", agent_id="a"),
        a_row(NOON - 3 * DAY, session_id="over", cost_usd="9", environment="prod"),
        a_row(NOON - DAY, session_id="over", cost_usd="2", environment="prod"),
        a_row(NOON - DAY, session_id="mixed", cost_usd="1", environment="dev", user_id="bob", agent_id="a"),
        a_row(NOON - DAY, session_id="mixed", cost_usd="2", environment=None, user_id="bob", agent_id="b"),
        a_row(NOON - 4 * DAY, session_id="earlier", cost_usd="50"),
    ]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON)
    return tenant


def costs(tenant: Tenant, **query: Any) -> list[tuple[str, float]]:
    answer = tenant.ask("sessions", **WINDOW, **({"sort": "-cost_usd"} | query))
    return [(session["session_id"], session["cost_usd"]) for session in answer["data"]]


@pytest.mark.usefixtures("_no_sums")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [("mixed", 3), ("over", 2), ("whole", 1)]),
        ({"sort": "cost_usd", "search": "o"}, [("whole", 1), ("over", 2)]),
        ({"environment": "dev"}, [("mixed", 1), ("whole", 1)]),
        ({"not_environment": "dev"}, [("mixed", 2), ("over", 2)]),
        ({"environment": "dev", "agent_id": "a", "user_id": "ada"}, [("whole", 1)]),
        ({"user_id": "bob"}, [("mixed", 3)]),
        ({"user_id": "nobody"}, []),
        ({"sort": "user_id", "not_agent_id": "b", "environment": "dev"}, [("whole", 1), ("mixed", 1)]),
    ],
)
def test_a_session_has_the_figures_of_the_window_and_the_filters(
    filled: Tenant, query: dict[str, str], expected: list[tuple[str, float]]
) -> None:
    assert costs(filled, **query) == expected


@pytest.mark.usefixtures("_no_sums")
def test_new_and_late_spans_are_in_the_list_at_once(filled: Tenant) -> None:
    new = a_row(NOON, session_id="whole", cost_usd="4", environment="dev")
    late = a_row(NOON - DAY, session_id="late", cost_usd="6", environment="dev")
    writer.store(filled.workspace.id, [new, late])
    assert costs(filled) == [("late", 6), ("whole", 5), ("mixed", 3), ("over", 2)]
    [session, _] = filled.ask("sessions", **WINDOW, sort="-calls", environment="dev", search="w")["data"] * 2
    assert (session["user_id"], session["agents"], session["calls"]) == ("ada", ["a", new.agent_id], 2)


@pytest.mark.usefixtures("_no_sums")
def test_pages_follow_each_other(filled: Tenant) -> None:
    found: list[str] = []
    cursor = None
    while cursor is not None or not found:
        more = {"cursor": cursor} if cursor else {}
        answer = filled.ask("sessions", **WINDOW, sort="-tokens", limit=1, **more)
        found += [session["session_id"] for session in answer["data"]]
        cursor = answer["next_cursor"]
    assert sorted(found) == ["mixed", "over", "whole"]


def test_the_sums_are_read_where_too_many_sessions_are_cut(filled: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed_sessions, "MOST_CUT", 0)
    monkeypatch.setattr(indexed_sessions, "page_of", None)
    assert costs(filled) == [("mixed", 3), ("over", 2), ("whole", 1)]
