"""Deliveries while workers are killed: each message arrives, and each repetition has the id of its event."""

import random
import re
import time
from collections import Counter
from pathlib import Path
from ssl import SSLSocket
from uuid import uuid4

import pytest
from django.db import connection

from alerts.channels import kinds
from alerts.delivery import send
from alerts.models import Channel, Delivery
from alerts.models.delivery import SENT
from alerts.stored_settings import store
from tests.alerts.https_server import OK, authority, certificate_file, https_server
from tests.alerts.test_message import message
from tests.factories import WorkspaceFactory
from tests.faults.test_jobs import Workers
from tests.servers import environment_of_a_server, until
from tests.summaries import LINES

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases="__all__")]

CHANNELS, EVENTS, KILLS = 10, 50, 15
REQUEST = re.compile(rb"POST /(\d+) .*x-event-id: ([0-9a-f-]{36})", re.IGNORECASE | re.DOTALL)


def slowly(connection: SSLSocket) -> None:
    time.sleep(random.uniform(0.02, 0.3))
    connection.sendall(OK)


def a_channel(workspace: object, number: int, port: int) -> Channel:
    channel = Channel(workspace=workspace, name=f"Channel {number}", kind="webhook")
    store(channel, kinds()["webhook"], {"url": f"https://localhost:{port}/{number}", "signing_secret": "x" * 32})
    channel.save()
    return channel


def waiting() -> int:
    return Delivery.objects.exclude(state=SENT).count()


def test_500_deliveries_survive_killed_workers(tmp_path: Path) -> None:
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority().pem)
    workspace = WorkspaceFactory()
    with https_server(certificate_file(tmp_path, "localhost"), slowly) as server:
        channels = [a_channel(workspace, number, server.port) for number in range(CHANNELS)]
        events = [message(event_id=uuid4(), workspace_id=workspace.pk) for _ in range(EVENTS)]
        for event in events:
            send(event, channels)
        targets = {"SSL_CERT_FILE": str(trusted), "WEBHOOK_INTERNAL_TARGETS": f"localhost:{server.port}"}
        workers = Workers(environment_of_a_server(0, **targets))
        began = time.monotonic()
        try:
            until(lambda: waiting() < CHANNELS * EVENTS, "messages arrive")
            for _ in range(KILLS):
                time.sleep(random.uniform(0.3, 1.5))
                workers.kill_one()
                workers.start_again()
            until(lambda: (workers.start_again(), waiting() == 0)[1], "all are sent", 400)
        finally:
            workers.stop()
        seconds = time.monotonic() - began
    arrived = Counter(found.groups() for request in server.requests if (found := REQUEST.search(request)))
    expected = {(str(number).encode(), str(event.event_id).encode()) for number in range(CHANNELS) for event in events}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'alerts.deliver' AND status = 'failed'"
        )
        [(failed,)] = cursor.fetchall()
    LINES["deliveries"].append(
        f"{len(expected):,} deliveries, {len(workers.processes)} workers, {KILLS} killed: {len(arrived):,} arrived,"
        f" {arrived.total() - len(arrived)} of them twice, after {seconds:.0f} s"
    )
    assert set(arrived) == expected
    assert arrived.total() <= len(expected) + KILLS * 8
    assert failed == 0
