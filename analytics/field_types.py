"""Defines types of fields that several answers share, each with its description for the API document.

All other fields of an answer have a docstring instead. Pydantic reads docstrings only in the class itself, so that a
field which another type inherits needs its description in its type.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

BucketStart = Annotated[
    datetime, Field(description="Start of the bucket. The first and last bucket hold only what lies in the window.")
]
LatencyMs = Annotated[float | None, Field(description="Null where no call has a latency.")]
PricedCostUsd = Annotated[float | None, Field(description="Null where no call has a price.")]
PerPricedCallUsd = Annotated[
    float | None, Field(description="Over the calls that have a price; null where there is none.")
]
