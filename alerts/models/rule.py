from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from alerts.comparisons import COMPARISONS, OK, STATES
from alerts.models.channel import AUTHOR_LENGTH, NAME_LENGTH, Channel
from budgets.models import PER_DIMENSIONS
from traces.filters import FilterValues, stored_values
from workspaces.models import Workspace

METRIC_LENGTH, PER_LENGTH = 300, 300
NO_DATA_POLICIES = ("keep", "zero", "notify")


class Rule(models.Model):
    """What somebody wants to be told about: a metric of some calls that reaches a limit."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="rules")
    name = models.CharField(max_length=NAME_LENGTH)
    metric = models.CharField(max_length=METRIC_LENGTH)
    """A key of METRICS, or score.<name>."""
    window_minutes = models.PositiveIntegerField()
    filters = models.JSONField(default=dict, blank=True)
    """The values of each filter, by its name, which may begin with not_. Empty: all calls."""
    per = models.CharField(max_length=PER_LENGTH, default="", blank=True)
    """Each agent, user, model, provider, environment, release or value of label.<name> has a state of its own."""
    comparison = models.CharField(max_length=30, choices=[(name, name) for name in COMPARISONS])
    warning = models.FloatField(null=True, blank=True)
    critical = models.FloatField(null=True, blank=True)
    minimum_calls = models.PositiveIntegerField(default=0)
    """A window with fewer calls is no reason to change a state."""
    for_evaluations = models.PositiveSmallIntegerField(default=1)
    no_data = models.CharField(max_length=10, default="keep", choices=[(name, name) for name in NO_DATA_POLICIES])
    renotify_minutes = models.PositiveIntegerField(null=True, blank=True)
    """How often the message is sent again while the state lasts. None: never."""
    quiet_from = models.TimeField(null=True, blank=True)
    """In the workspace's zone. Messages wait until `quiet_to`."""
    quiet_to = models.TimeField(null=True, blank=True)
    muted_until = models.DateTimeField(null=True, blank=True)
    channels = models.ManyToManyField(Channel, related_name="rules", blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    evaluated_at = models.DateTimeField(null=True, editable=False)
    """The end of the last window that was looked at. Two rounds take turns: the second leaves the rule alone."""
    groups = models.PositiveIntegerField(default=0, editable=False)
    """How many groups the last round found."""
    fault = models.CharField(max_length=300, default="", blank=True, editable=False)
    """Why the last round could not judge it, in a sentence."""

    class Meta:
        ordering: ClassVar = ["name", "created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(warning__isnull=False) | Q(critical__isnull=False), name="a_rule_has_a_limit"
            ),
            models.CheckConstraint(condition=Q(for_evaluations__gte=1), name="a_rule_is_evaluated"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)

    @property
    def per_dimension(self) -> str:
        """Returns the filter whose values have a state each; empty where the rule has one state."""
        return PER_DIMENSIONS.get(self.per, self.per)

    @property
    def filter_values(self) -> dict[str, FilterValues]:
        return stored_values(self.filters)

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and now < self.muted_until


class RuleState(models.Model):
    """Where a rule stands, or one of its groups. A group that is ok and was never otherwise has no row."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="states")
    group = models.TextField(default="", blank=True)
    """The value of `per`; empty where the rule has one state."""
    state = models.CharField(max_length=10, default=OK, choices=[(name, name) for name in STATES])
    since = models.DateTimeField()
    episode = models.PositiveIntegerField(default=0)
    """The minute in which it left a calmer state. Events of an episode have its number."""
    breached_at = models.DateTimeField(null=True)
    """When the state left ok; None while it is ok."""
    pending = models.CharField(max_length=10, default="", blank=True)
    """The state that the last evaluations agree on, before they are enough."""
    pending_count = models.PositiveSmallIntegerField(default=0)
    value = models.FloatField(null=True)
    reference = models.FloatField(null=True)
    """The value of the window that it is compared with."""
    calls = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField(null=True)
    history = models.JSONField(default=list)
    """What the limits were compared with at the last evaluations, the newest last."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "group"], name="one_state_of_a_group"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.state}"
