from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from insights.experiments import models as experiments  # noqa: F401
from insights.invoices import models as invoices  # noqa: F401 (Django looks for models here)
from insights.savings import models as savings  # noqa: F401
from workspaces.models import Annotation, Workspace


class FindingState(models.TextChoices):
    OPEN = "open", "Open"
    DISMISSED = "dismissed", "Dismissed"
    PLANNED = "planned", "Planned"


class Finding(models.Model):
    """Unusual hours, as they were found, and what people decided about them."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="findings")
    measure = models.CharField(max_length=10)
    is_rise = models.BooleanField()
    # The calls in which it was found, like {"agent_id": "support"}. Empty: all calls.
    scope = models.JSONField(default=dict)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    value = models.FloatField()
    expected = models.FloatField()
    # When it was last looked at. Null: unknown for this measure.
    impact_usd = models.FloatField(null=True)
    impact_calls = models.FloatField(null=True)
    impact_users = models.BigIntegerField(null=True)
    sentence = models.TextField()
    first_seen = models.DateTimeField()
    state = models.CharField(max_length=10, choices=FindingState, default=FindingState.OPEN)
    reason = models.CharField(max_length=500, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    annotation = models.ForeignKey(Annotation, models.SET_NULL, null=True, related_name="findings")

    class Meta:
        ordering: ClassVar = ["-starts_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "measure", "is_rise", "starts_at"], name="one_finding_for_unusual_hours"
            ),
            models.CheckConstraint(condition=Q(state__in=FindingState.values), name="finding_state_is_known"),
        ]

    def __str__(self) -> str:
        return self.sentence
