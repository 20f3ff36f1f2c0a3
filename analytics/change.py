"""Changes and shares in percent."""

from typing import Annotated

from pydantic import Field

Change = Annotated[
    float | None,
    Field(
        description="In percent of the window of equal length immediately before; "
        "null where that has nothing to compare with."
    ),
]


def change(now: float | None, previous: float | None) -> float | None:
    """Returns the change in percent; None where there is nothing to compare with."""
    if now is None or not previous:
        return None
    return (now - previous) / previous * 100


def percentage(part: float | None, whole: float | None) -> float | None:
    """Returns the part in percent of the whole; None if one is unknown or the whole is 0."""
    return None if part is None or not whole else part * 100 / whole
