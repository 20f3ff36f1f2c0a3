"""Experiments: slices that are compared while calls arrive, with sums of their own."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import uuid4

from django.db import models

from insights.compare_parameters import NAMES, Slice
from traces.filters import FilterValues
from workspaces.models import Workspace

NAME_LENGTH, AUTHOR_LENGTH = 100, 200
RUNNING, ENDED = "running", "ended"
State = Literal["waiting", "running", "ended"]
Cause = Literal["verdict", "date", "calls", "person"]
NO_USER, OTHER_USERS = -1, -2
"""Instead of a user's number: calls without a user, and those of all users outside of the sample."""


class Experiment(models.Model):
    """Two to four slices, the measures that decide, and when it ends. Its sums begin at `started_at`."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="experiments")
    name = models.CharField(max_length=NAME_LENGTH)
    slices = models.JSONField()
    """A dimension and a value for each, the first is what others are compared with."""
    filters = models.JSONField(default=dict)
    """The values of each filter, by its name. Empty: all calls."""
    measures = models.JSONField()
    """The first one decides; the others are shown."""
    started_at = models.DateTimeField()
    filled_until = models.DateTimeField()
    """The calls that began before are in the sums."""
    halvings = models.PositiveSmallIntegerField(default=0)
    """How often the number of users of the sample was halved."""
    ends_on_verdict = models.BooleanField(default=False)
    ends_at = models.DateTimeField(null=True)
    ends_after_calls = models.PositiveIntegerField(null=True)
    """Of each slice."""
    state = models.CharField(max_length=10, default=RUNNING)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=10, default="")
    results = models.JSONField(default=dict)
    """As of `filled_until`: they outlive the sums."""
    created_by = models.CharField(max_length=AUTHOR_LENGTH, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "-created_at"])]

    def __str__(self) -> str:
        return self.name

    @property
    def arms(self) -> tuple[Slice, ...]:
        found = zip(NAMES, self.slices, strict=False)
        return tuple(Slice(name, one["dimension"], one["value"]) for name, one in found)

    @property
    def filter_values(self) -> dict[str, FilterValues]:
        return {name: FilterValues(tuple(values)) for name, values in self.filters.items()}

    def state_at(self, now: datetime) -> State:
        if self.state == ENDED:
            return "ended"
        return "waiting" if now < self.started_at else "running"

    def end(self, now: datetime, because: Cause) -> None:
        self.state, self.ended_at, self.ended_because = ENDED, now, because


class ExperimentSum(models.Model):
    """The sums of a user's calls in a slice."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="sums")
    place = models.PositiveSmallIntegerField()
    """Of the slice, counted from 0."""
    user_number = models.IntegerField()
    """Also NO_USER and OTHER_USERS."""
    calls = models.BigIntegerField()
    errors = models.BigIntegerField()
    priced_calls = models.BigIntegerField()
    cost_usd = models.FloatField()
    squared_cost = models.FloatField()
    input_tokens = models.FloatField()
    squared_input = models.FloatField()
    output_tokens = models.FloatField()
    squared_output = models.FloatField()
    timed_calls = models.BigIntegerField()
    latency_ms = models.FloatField()
    squared_latency = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["experiment", "place", "user_number"], name="one_sum_of_a_user")
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.place} {self.user_number}"


class ExperimentLook(models.Model):
    """What an experiment said at a moment: once a day, and where its verdict changed."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="looks")
    at = models.DateTimeField()
    calls = models.JSONField()
    """Of each slice."""
    verdicts = models.JSONField()
    """Of the first measure, for each slice but the first."""
    words = models.TextField()

    class Meta:
        ordering: ClassVar = ["-at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["experiment", "at"], name="one_look_at_a_moment")]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.at}"
