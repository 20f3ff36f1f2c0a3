"""The cache in memory is bounded in bytes, and its entries expire."""

import time
from uuid import uuid4

import pytest

from web.memory_cache import MAX_BYTES, MAX_ENTRY_BYTES, MemoryCache


@pytest.fixture
def memory() -> MemoryCache:
    return MemoryCache(uuid4().hex, {})


def test_200_large_answers_fill_64_mb_and_no_more(memory: MemoryCache) -> None:
    for number in range(200):
        memory.set(f"answer-{number}", "a" * 900_000)
    assert memory.memory.entries.currsize <= MAX_BYTES == 64 * 1024 * 1024
    assert memory.get("answer-199") == "a" * 900_000
    assert memory.get("answer-0") is None


def test_the_entry_that_was_not_read_for_the_longest_time_goes_first(memory: MemoryCache) -> None:
    for number in range(70):
        memory.set(f"answer-{number}", "a" * 1_000_000)
        memory.get("answer-0")
    assert memory.has_key("answer-0")
    assert not memory.has_key("answer-1")


def test_a_value_above_1_mb_is_not_stored_and_an_older_one_does_not_stay(memory: MemoryCache) -> None:
    memory.set("answer", "small")
    memory.set("answer", "a" * (MAX_ENTRY_BYTES + 1))
    assert memory.get("answer") is None


def test_a_value_is_a_copy(memory: MemoryCache) -> None:
    stored = [1]
    memory.set("answer", stored)
    stored.append(2)
    assert memory.get("answer") == [1]


def test_entries_expire(memory: MemoryCache) -> None:
    memory.set("over", 1, timeout=0)
    memory.set("short", 1, timeout=0.02)
    memory.set("lasting", 1, timeout=None)
    assert not memory.has_key("over")
    time.sleep(0.03)
    assert memory.get_many(["short", "lasting"]) == {"lasting": 1}


def test_only_the_first_of_two_adds(memory: MemoryCache) -> None:
    assert [memory.add("lease", number) for number in range(2)] == [True, False]
    assert memory.delete("lease")
    assert not memory.delete("lease")
    assert memory.add("lease", 2)


def test_a_touched_entry_stays_longer(memory: MemoryCache) -> None:
    memory.set("answer", 1, timeout=0.02)
    assert memory.touch("answer", 60)
    assert not memory.touch("another")
    time.sleep(0.03)
    assert memory.get("answer") == 1
    memory.clear()
    assert memory.get("answer", "nothing") == "nothing"
