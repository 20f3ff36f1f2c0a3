"""Statistics that a few odd values hardly move."""

from collections.abc import Sequence
from statistics import median

MAD_TO_SIGMA = 1.4826
"""Of a normal distribution, the standard deviation is this many median absolute deviations."""


def spread(values: Sequence[float], center: float) -> float:
    """Returns the standard deviation that the median distance from `center` suggests."""
    return MAD_TO_SIGMA * median(abs(value - center) for value in values)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Returns the value below which `share` of the ordered values lie, interpolated between neighbours."""
    position = share * (len(ordered) - 1)
    index = min(int(position), len(ordered) - 2) if len(ordered) > 1 else 0
    following = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (following - ordered[index]) * (position - index)


def theil_sen_line(values: Sequence[float]) -> tuple[float, float]:
    """Returns the line's value at the last of the values, and its slope: the median of the slopes of all pairs."""
    last = len(values) - 1
    slope = median((values[j] - values[i]) / (j - i) for j in range(1, last + 1) for i in range(j))
    return median(value + slope * (last - i) for i, value in enumerate(values)), slope
