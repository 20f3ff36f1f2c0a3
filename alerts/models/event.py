from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from alerts.models.channel import AUTHOR_LENGTH, NAME_LENGTH, Channel
from alerts.models.rule import Rule
from budgets.models import Budget
from workspaces.models import Workspace


class Notice(models.Model):
    """A message that went out: it names one event, or several that came shortly after each other."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    """Its event id for receivers."""
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="notices")
    at = models.DateTimeField()
    state = models.CharField(max_length=10)
    """The worst state that it names."""
    message = models.JSONField()
    """What was told, see `alerts/message.py`."""
    channels = models.ManyToManyField(Channel, related_name="notices", blank=True)
    channel_key = models.TextField()
    """The ids of its channels. Events for the same channels are collected."""

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "-at"], name="notices_of_a_workspace")]

    def __str__(self) -> str:
        return str(self.message.get("subject", ""))


class AlertEvent(models.Model):
    """A state of a rule or group that changed, or a threshold that a budget reached, with what was known then."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="alert_events")
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, related_name="events")
    budget = models.ForeignKey(Budget, models.SET_NULL, null=True, related_name="alert_events")
    budget_event = models.UUIDField(null=True, unique=True, editable=False)
    """The id of the budget's event that it tells about."""
    name = models.CharField(max_length=NAME_LENGTH)
    """That of the rule or budget at that time."""
    episode = models.PositiveIntegerField(default=0)
    threshold = models.CharField(max_length=60)
    """The state that was reached; of a budget its threshold, like actual:80%."""
    group = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10)
    """ok, info, warning, critical, no_data or muted."""
    before = models.CharField(max_length=10, default="", blank=True)
    """The state before."""
    value = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    at = models.DateTimeField()
    since = models.DateTimeField()
    """When the state left ok: of a recovery, the beginning of what is over."""
    details = models.JSONField(default=dict)
    """What a message and the page show beside: see `alerts/facts.py`."""
    ended_at = models.DateTimeField(null=True)
    """When the rule was ok again, or the budget's period over."""
    is_waiting = models.BooleanField(default=False)
    """A message is still to name it."""
    notice = models.ForeignKey(Notice, models.SET_NULL, null=True, related_name="events")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "episode", "threshold", "group"],
                condition=Q(budget_event=None),
                name="a_state_is_reached_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "-at", "-id"], name="events_of_a_workspace"),
            models.Index(fields=["workspace"], condition=Q(is_waiting=True), name="events_to_tell"),
            models.Index(fields=["rule"], condition=Q(ended_at=None, rule__isnull=False), name="open_events_of_a_rule"),
            models.Index(
                fields=["budget"],
                condition=Q(ended_at=None, budget_event__isnull=False),
                name="open_events_of_a_budget",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state} at {self.at:%Y-%m-%d %H:%M}"
