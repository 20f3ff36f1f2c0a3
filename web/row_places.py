"""Names the row of a list after which a page begins, so that new rows move no page."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class RowPlace(NamedTuple):
    moment: datetime
    """By which the list is sorted."""
    pk: UUID
