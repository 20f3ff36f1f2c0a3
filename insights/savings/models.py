from typing import ClassVar, Literal
from uuid import UUID, uuid4, uuid5

from django.db import models
from django.utils.http import urlencode

from workspaces.models import Workspace

SavingState = Literal["open", "dismissed", "done"]
STATES: tuple[SavingState, ...] = ("open", "dismissed", "done")
REASON_LENGTH, AUTHOR_LENGTH = 500, 200


def amount() -> models.DecimalField:
    return models.DecimalField(max_digits=20, decimal_places=6, default=0)


class Saving(models.Model):
    """What could cost less, as it was last computed, and what people decided about it.

    A decision may come before it is found: then it has no amounts yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    """That of `saving_id`: the same finding has the same id each week."""
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="savings")
    kind = models.CharField(max_length=40)
    filters = models.JSONField(default=dict)
    """The filters of the list of traces that shows the calls behind it: a value by the name of each."""
    facts = models.JSONField(default=dict)
    is_found = models.BooleanField(default=False)
    """It was found when it was last looked for."""
    usd_per_month = amount()
    low_usd_per_month = amount()
    high_usd_per_month = amount()
    calls = models.BigIntegerField(default=0)
    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, default="open", choices=[(name, name) for name in STATES])
    reason = models.CharField(max_length=REASON_LENGTH, default="", blank=True)
    decided_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    before_usd_per_month = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    """What it was when somebody said that it is done."""
    after_usd_per_month = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    """The same formula over the time since then. None: too short a time, or it is not done."""
    measured_at = models.DateTimeField(null=True)
    found_at = models.DateTimeField(null=True)
    """When it was found first."""

    class Meta:
        ordering: ClassVar = ["-usd_per_month", "kind", "id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "state"], name="insights_saving_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.filters}"


class SavingRun(models.Model):
    """When the savings of a workspace were last computed, and what could not be looked at."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="saving_run")
    computed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    """When somebody asked to compute them now."""
    notes = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"Savings of {self.workspace}"


def saving_id(workspace_id: UUID, kind: str, filters: dict[str, str]) -> UUID:
    return uuid5(workspace_id, f"{kind}?{urlencode(sorted(filters.items()))}")
