"""Jobs that carry changed prices or labels into stored rows, and how far they are."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils import timezone

from workspaces.models import AUTHOR_LENGTH, Workspace

SILENT_FOR = timedelta(minutes=15)
"""A job without any progress for this time is lost and may be ordered again."""


class UpdateKind(models.TextChoices):
    PRICES = "prices", "Prices"
    LABELS = "labels", "Labels"


class RowsUpdate(models.Model):
    """An order to price or label the stored rows of a workspace again, part by part: it goes on where it stopped."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="rows_updates")
    kind = models.CharField(max_length=10, choices=UpdateKind)
    start = models.DateTimeField()
    end = models.DateTimeField()
    # Prices go forward from the start, labels backward from the end.
    reached = models.DateTimeField()
    progress_at = models.DateTimeField(default=timezone.now)
    rows = models.BigIntegerField(default=0)
    changed_rows = models.BigIntegerField(default=0)
    before_usd = models.DecimalField(max_digits=40, decimal_places=20, default=Decimal(0))
    after_usd = models.DecimalField(max_digits=40, decimal_places=20, default=Decimal(0))
    unpriced_before = models.BigIntegerField(default=0)
    unpriced_after = models.BigIntegerField(default=0)
    requested_by = models.CharField(max_length=AUTHOR_LENGTH)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-requested_at", "id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "kind", "-requested_at"], name="newest_rows_updates")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(kind__in=UpdateKind.values), name="rows_update_kind_is_known"),
            models.UniqueConstraint(
                fields=["workspace", "kind"],
                condition=models.Q(finished_at__isnull=True),
                name="one_rows_update_at_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.workspace}"

    @property
    def percent(self) -> int:
        """Returns how much of the time between start and end is done."""
        if self.finished_at:
            return 100
        whole = self.end - self.start
        done = self.reached - self.start if self.kind == UpdateKind.PRICES else self.end - self.reached
        return min(99, int(100 * (done / whole))) if whole else 0

    def is_silent(self, now: datetime) -> bool:
        return self.finished_at is None and now - self.progress_at > SILENT_FOR
