from typing import Any, ClassVar

from django.db import models


class TaskState(models.Model):
    """What operators see and decide of a task: its counts, and whether it is paused."""

    name = models.CharField(max_length=100, primary_key=True)
    is_paused = models.BooleanField(default=False)
    runs = models.BigIntegerField(default=0, help_text="With those that failed.")
    failures = models.BigIntegerField(default=0)
    run_seconds = models.FloatField(default=0, help_text="Of all runs.")

    class Meta:
        verbose_name = "task"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One attempt of a job."""

    task = models.CharField(max_length=100)
    job_id = models.BigIntegerField()
    arguments = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    failure = models.TextField(blank=True, help_text="The traceback; empty after a success.")

    class Meta:
        ordering: ClassVar = ["-started_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-started_at", "-id"], name="runs_by_time"),
            models.Index(fields=["task", "-started_at", "-id"], name="runs_by_task"),
            models.Index(fields=["-started_at"], name="failures_by_time", condition=~models.Q(failure="")),
        ]

    def __str__(self) -> str:
        return f"{self.task}, job {self.job_id}"

    @property
    def reason(self) -> str:
        """Returns the last line of the traceback, which has the error."""
        return self.failure.strip().rpartition("\n")[2]


class DuePeriod(models.Model):
    """The last period of an entry of the timetable for which a job was deferred. It only moves forward."""

    task = models.CharField(max_length=100)
    subject = models.CharField(max_length=100, help_text="Of what the task runs, like a time zone; else empty.")
    due_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["task", "subject"], name="one_due_period_per_subject")]

    def __str__(self) -> str:
        return f"{self.task} {self.subject} {self.due_at}"


class Clock(models.Model):
    """One row: when a worker last looked at the timetable."""

    ONLY = 1

    ticked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.ticked_at}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = self.ONLY
        super().save(*args, **kwargs)
