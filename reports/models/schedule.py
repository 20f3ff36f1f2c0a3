"""Reports that go out by themselves: the schedules, what each has made, and who got it."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from alerts.models import Channel
from budgets.models import PER_DIMENSIONS
from reports.schedules.periods import PERIODS, Timing
from traces.filters import FilterValues, stored_values
from workspaces.models import Workspace

NAME_LENGTH, AUTHOR_LENGTH, ADDRESS_LENGTH, SENTENCE_LENGTH, PER_LENGTH = 100, 200, 254, 500, 300
WAITING, RUNNING, MADE, SENT, FAILED, MISSED = "waiting", "running", "made", "sent", "failed", "missed"
RUN_STATES = (WAITING, RUNNING, MADE, SENT, FAILED, MISSED)
SENDING, LEFT_OUT = "sending", "left out"
DELIVERY_STATES = (WAITING, SENDING, SENT, FAILED, LEFT_OUT)
NOBODY, ME, RECIPIENTS = "nobody", "me", "recipients"
RECEIVERS = (NOBODY, ME, RECIPIENTS)


class Schedule(models.Model):
    """A report that is made of each day, week or month, and sent to the same people."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="report_schedules")
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=40)
    """The name of a kind in `reports.kinds`."""
    options = models.JSONField(default=dict, blank=True)
    """What only some kinds know, like the id of a dashboard."""
    period = models.CharField(max_length=10, choices=[(name, name) for name in PERIODS])
    hour = models.PositiveSmallIntegerField(default=8)
    """The hour, weekday and day of the month at which it is due, in the workspace's zone."""
    weekday = models.PositiveSmallIntegerField(default=0)
    """0 is Monday. Only for weeks."""
    day = models.PositiveSmallIntegerField(default=1)
    """Only for months. A day that the month does not have is its last one."""
    filters = models.JSONField(default=dict, blank=True)
    """The values of each query parameter, by its name, which may begin with not_. Empty: all calls."""
    per = models.CharField(max_length=PER_LENGTH, default="", blank=True)
    """Each agent, user or value of label.<name> has a report of its own. Empty: one report."""
    members = models.JSONField(default=list, blank=True)
    """Names of users. Each gets it at the address of the account, while they are a member."""
    addresses = models.JSONField(default=list, blank=True)
    channels = models.ManyToManyField(Channel, related_name="report_schedules", blank=True)
    formats = models.JSONField(default=list)
    paper = models.CharField(max_length=10, default="a4")
    link_days = models.PositiveSmallIntegerField(default=7)
    """How long the links of its messages work."""
    is_active = models.BooleanField(default=True)
    due_after = models.DateTimeField()
    """No report that was due before this moment is made: the schedule did not exist, or was off."""
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """Gets a message when it fails. None: a key made it, or nobody who signs in."""
    created_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name", "created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def timing(self) -> Timing:
        return Timing(self.period, self.hour, self.weekday, self.day)

    @property
    def per_dimension(self) -> str:
        """Returns the filter whose values have a report each; empty where there is one report."""
        return PER_DIMENSIONS.get(self.per, self.per)

    @property
    def filter_values(self) -> dict[str, FilterValues]:
        return stored_values(self.filters)


class ReportRun(models.Model):
    """The reports of one schedule about one period: made once by the timetable, and again whenever somebody asks."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="runs")
    period = models.CharField(max_length=10)
    first_day = models.DateField()
    """Of the period, by the calendar of the workspace: it stays the same when the zone of the workspace changes."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    due_at = models.DateTimeField()
    asked_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    """The person or key that asked for it; empty where the timetable did."""
    receivers = models.CharField(max_length=10, default=RECIPIENTS, choices=[(name, name) for name in RECEIVERS])
    own_address = models.CharField(max_length=ADDRESS_LENGTH, default="", blank=True)
    """Of the one who asked for it, where it goes to them alone."""
    state = models.CharField(max_length=10, default=WAITING, choices=[(name, name) for name in RUN_STATES])
    attempts = models.PositiveSmallIntegerField(default=0)
    """Those to make its files that have failed."""
    next_at = models.DateTimeField(null=True)
    """When the next attempt is due. None: there is none any more."""
    parts = models.JSONField(null=True)
    """The reports that it consists of, in their order: value, title and sentence of each. None: not decided yet."""
    error = models.CharField(max_length=SENTENCE_LENGTH, default="", blank=True)
    """Why it failed, or why the last attempt did."""
    note = models.CharField(max_length=SENTENCE_LENGTH, default="", blank=True)
    """What is not in it, like the values past the largest ones."""
    created_at = models.DateTimeField(auto_now_add=True)
    made_at = models.DateTimeField(null=True)
    """When all files were there and their messages were put into the queue."""
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["schedule", "period", "first_day"],
                condition=Q(asked_by=""),
                name="a_period_is_reported_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["schedule", "-created_at"], name="runs_of_a_schedule"),
            models.Index(fields=["created_at"], name="old_runs"),
            models.Index(fields=["next_at"], condition=Q(state__in=(WAITING, RUNNING)), name="runs_at_work"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} of {self.first_day}"


class ReportFile(models.Model):
    """A file of a run. It lies in this database, so that every process can make and serve it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    run = models.ForeignKey(ReportRun, models.CASCADE, related_name="files")
    place = models.PositiveSmallIntegerField()
    """Of its part in the run."""
    file_format = models.CharField(max_length=8)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["place", "file_format"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "place", "file_format"], name="a_file_of_a_run_is_made_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="old_report_files")]

    def __str__(self) -> str:
        return self.name


class ReportDelivery(models.Model):
    """The message of a run to one address. It is stored before it is sent, so that none is sent twice."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    run = models.ForeignKey(ReportRun, models.CASCADE, related_name="deliveries")
    address = models.CharField(max_length=ADDRESS_LENGTH)
    state = models.CharField(max_length=10, default=WAITING, choices=[(name, name) for name in DELIVERY_STATES])
    attempts = models.PositiveSmallIntegerField(default=0)
    """Those that have ended."""
    next_at = models.DateTimeField(null=True)
    """When the next attempt is due. None: there is none any more."""
    fault = models.CharField(max_length=SENTENCE_LENGTH, default="", blank=True)
    """Why the last attempt failed, or why nothing was sent."""
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "address"], name="a_report_goes_to_an_address_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=Q(state=WAITING), name="waiting_report_deliveries"),
        ]

    def __str__(self) -> str:
        return f"{self.run} to {self.address}"


class Unsubscribed(models.Model):
    """An address that has unsubscribed from a report. Only its own reader can subscribe it again."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="unsubscribed")
    address = models.CharField(max_length=ADDRESS_LENGTH)
    """In lower case."""
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule", "address"], name="an_address_unsubscribes_once"),
        ]

    def __str__(self) -> str:
        return f"{self.address} from {self.schedule}"
