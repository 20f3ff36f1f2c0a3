"""Reports while workers are killed: each due report is made once, and no address gets one twice."""

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from reports.models import ReportDelivery, ReportRun
from reports.models.schedule import FAILED, SENT
from reports.schedules import plan
from reports.schedules.sending import UNKNOWN
from tests.factories import WorkspaceFactory
from tests.faults.test_jobs import Workers
from tests.reports.schedules import DAY, a_schedule
from tests.servers import environment_of_a_server, until
from tests.smtp_server import SmtpServer
from tests.summaries import LINES

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases="__all__")]

SCHEDULES, ADDRESSES, KILLS = 25, 8, 12


def open_runs() -> int:
    return ReportRun.objects.exclude(state__in=(SENT, FAILED)).count()


def test_200_reports_survive_killed_workers() -> None:
    workspace, now = WorkspaceFactory(), timezone.now()
    addresses = [f"reader-{number}@example.com" for number in range(ADDRESSES)]
    for number in range(SCHEDULES):
        values = {"kind": "cost", "hour": 0, "addresses": addresses, "due_after": now - DAY}
        a_schedule(workspace, name=f"Report {number}", **values)
    with SmtpServer().running() as server:
        mail = {"EMAIL_URL": f"smtp://127.0.0.1:{server.port}?tls=none", "EMAIL_FROM": "agents@example.com"}
        workers = Workers(environment_of_a_server(0, **mail))
        try:
            plan.begin_all_due(now)
            until(lambda: len(server.messages) > ADDRESSES, "messages arrive", 120)
            for _ in range(KILLS):
                time.sleep(random.uniform(0.2, 1.0))
                plan.begin_all_due(now + timedelta(seconds=random.randrange(60)))
                workers.kill_one()
                workers.start_again()
            until(lambda: (workers.start_again(), open_runs() == 0)[1], "all have ended", 400)
        finally:
            workers.stop()
    arrived = Counter((message["Subject"], message["To"]) for message in server.messages)
    ended = ReportDelivery.objects.select_related("run__schedule")
    subjects = {one.pk: f"{one.run.schedule.name}, {one.run.first_day:%-d %b %Y}" for one in ended}
    sent = {(subjects[one.pk], one.address) for one in ended if one.state == SENT}
    unknown = [one for one in ended if one.state == FAILED]
    LINES["reports"].append(
        f"{len(ended)} messages of {SCHEDULES} reports, {KILLS} workers killed:"
        f" {len(sent)} sent, {len(unknown)} unknown"
    )
    assert ReportRun.objects.count() == SCHEDULES
    assert len(ended) == SCHEDULES * ADDRESSES
    assert max(arrived.values()) == 1, "no address gets a report twice"
    assert sent <= {*arrived}
    assert {one.fault for one in unknown} <= {UNKNOWN}
    assert {one.run.state for one in unknown} <= {FAILED}
