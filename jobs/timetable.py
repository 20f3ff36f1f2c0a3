"""The timetable: which task runs when, without anybody asking."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from procrastinate.tasks import Task

from accounts import tasks as accounts
from alerts import tasks as alerts
from budgets import tasks as budgets
from ingest import tasks as ingest
from insights import tasks as insights
from insights.experiments import tasks as experiments
from insights.invoices import tasks as invoices
from jobs import tasks as own
from jobs.periods import Daily, Every, Period
from reports import tasks as reports
from traces import tasks as traces
from workspaces import tasks as workspaces
from workspaces.models import workspace_zones

UTC = ZoneInfo("UTC")


class Entry(NamedTuple):
    task: Task[Any, Any, Any]
    period: Period
    subjects: Callable[[], Mapping[str, ZoneInfo]] = lambda: {"": UTC}
    """Returns what the task runs for, each with the zone of its days. The task gets the name as `subject`."""

    @property
    def due(self) -> str:
        """Returns in words when it is due, and in which time zone where that matters."""
        if not isinstance(self.period, Daily):
            return str(self.period)
        return f"{self.period} {'of each time zone' if self.subjects is workspace_zones else 'UTC'}"


TIMETABLE = (
    Entry(traces.close_hours, Every(timedelta(hours=1), offset=timedelta(minutes=7))),
    Entry(traces.follow, Every(timedelta(minutes=2), offset=timedelta(minutes=1))),
    Entry(traces.analyze_tables, Every(timedelta(minutes=10), offset=timedelta(minutes=2))),
    Entry(budgets.evaluate_budgets, Every(timedelta(minutes=1))),
    Entry(insights.find_anomalies, Every(timedelta(hours=1), offset=timedelta(minutes=20))),
    Entry(insights.compute_savings, Every(timedelta(days=7), offset=timedelta(days=4, hours=2))),  # Mondays
    Entry(experiments.evaluate_experiments, Every(timedelta(minutes=5), offset=timedelta(minutes=3))),
    # The calls of a minute have arrived by then.
    Entry(alerts.evaluate_rules, Every(timedelta(minutes=1), offset=timedelta(seconds=30))),
    Entry(accounts.renew_groups, Every(timedelta(minutes=10), offset=timedelta(minutes=6))),
    Entry(alerts.take_up_deliveries, Every(timedelta(minutes=10), offset=timedelta(minutes=4))),
    # At the full hour and shortly after: reports are due then.
    Entry(reports.begin_due, Every(timedelta(minutes=5), offset=timedelta(seconds=40))),
    # At night, where the workspace is.
    Entry(traces.delete_old_traces, Daily(time(3, 10)), workspace_zones),
    Entry(ingest.delete_old_contents, Daily(time(3, 20)), workspace_zones),
    Entry(budgets.delete_old_events, Daily(time(3, 30))),
    Entry(reports.delete_old_exports, Daily(time(3, 35))),
    Entry(reports.delete_old_files, Daily(time(3, 45))),
    Entry(insights.delete_old_findings, Daily(time(3, 35))),
    Entry(experiments.delete_old_experiment_sums, Daily(time(3, 35))),
    Entry(alerts.encrypt_secrets, Daily(time(3, 5))),
    Entry(accounts.encrypt_secrets, Daily(time(3, 5))),
    Entry(accounts.delete_old_records, Daily(time(3, 42))),
    Entry(alerts.delete_old_deliveries, Daily(time(3, 35))),
    Entry(alerts.delete_old_events, Daily(time(3, 37))),
    Entry(own.delete_old_records, Daily(time(3, 40))),
    Entry(workspaces.delete_old_records, Daily(time(3, 45))),
    Entry(invoices.delete_old_uploads, Daily(time(3, 50))),
)


def due_moments(now: datetime) -> Iterator[tuple[Entry, str, datetime]]:
    """Yields each entry with its subject, and the last moment until `now` at which it was due."""
    for entry in TIMETABLE:
        for subject, zone in entry.subjects().items():
            yield entry, subject, entry.period.last_due(now, zone)
