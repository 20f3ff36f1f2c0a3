"""Compares two answers: exactly, or within a tolerance for floats."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import isclose
from typing import Any

PERCENTILES = ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms")
FLOATS = 1e-9
HISTOGRAM = 0.015
"""The error that a percentile from the histogram may have (docs/decisions/percentiles.md)."""


def differences(ours: Any, raw: Any, tolerance: float = HISTOGRAM, at: str = "") -> Iterator[str]:
    """Yields the differences in the fields that `raw` has. `tolerance` is for percentiles."""
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            yield from differences(ours[name], value, tolerance, f"{at}.{name}")
    elif isinstance(raw, Sequence) and not isinstance(raw, str):
        if len(ours) != len(raw):
            yield f"{at}: {len(ours)} instead of {len(raw)}"
        for number, (our_item, raw_item) in enumerate(zip(ours, raw, strict=False)):
            yield from differences(our_item, raw_item, tolerance, f"{at}[{number}]")
    elif not are_same(ours, raw, allowed(at, raw, tolerance)):
        yield f"{at}: {ours} instead of {raw}"


def allowed(at: str, value: Any, tolerance: float) -> float:
    """Returns the absolute error that is allowed."""
    size = abs(float(value)) if is_number(value) else 0
    if not at.endswith(PERCENTILES):
        return max(size, 1) * FLOATS
    if "change" in at:  # percent, of two percentiles that are each off
        return (100 + size) * 2.1 * tolerance + FLOATS
    return size * tolerance + FLOATS


def are_same(first: Any, second: Any, error: float) -> bool:
    if is_number(first) and is_number(second):
        return isclose(float(first), float(second), rel_tol=0, abs_tol=error)
    return bool(first == second)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal)
