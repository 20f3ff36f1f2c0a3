"""Rules while workers are killed: each breach is one event, and each event arrives with one id."""

import random
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

from alerts.models import AlertEvent, Notice, Rule
from alerts.tasks import evaluate_rules
from tests.alerts.https_server import authority, certificate_file, https_server
from tests.alerts.rules import MINUTE, a_rule, calls
from tests.factories import WorkspaceFactory
from tests.faults.test_deliveries import a_channel, slowly, waiting
from tests.faults.test_jobs import Workers
from tests.servers import environment_of_a_server, until
from tests.summaries import LINES
from tests.tenant import Tenant

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases="__all__")]

WORKSPACES, RULES_OF_EACH, AT_ONCE = 25, 20, 25
EVENTS = WORKSPACES * RULES_OF_EACH
REQUEST = re.compile(rb"POST /(\d+) .*x-event-id: ([0-9a-f-]{36})", re.IGNORECASE | re.DOTALL)


def rules_that_are_breached(port: int) -> list[Rule]:
    """Makes rules that nobody looks at yet. Each has a channel of its own, so that none waits for another one."""
    found: list[Rule] = []
    for place in range(WORKSPACES):
        tenant = Tenant(WorkspaceFactory(), None)  # type: ignore[arg-type]
        calls(tenant, cost_usd="12", at=timezone.now() - 10 * MINUTE)
        numbers = range(place * RULES_OF_EACH, (place + 1) * RULES_OF_EACH)
        found += [a_rule(tenant, [a_channel(tenant.workspace, number, port)], is_active=False) for number in numbers]
    random.shuffle(found)
    return found


def test_500_events_survive_killed_workers(tmp_path: Path) -> None:
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority().pem)
    with https_server(certificate_file(tmp_path, "localhost"), slowly) as server:
        rules = rules_that_are_breached(server.port)
        targets = {"SSL_CERT_FILE": str(trusted), "WEBHOOK_INTERNAL_TARGETS": f"localhost:{server.port}"}
        workers = Workers(environment_of_a_server(0, **targets))
        began, kills = time.monotonic(), 0
        try:
            for first in range(0, EVENTS, AT_ONCE):
                Rule.objects.filter(pk__in=[rule.pk for rule in rules[first : first + AT_ONCE]]).update(is_active=True)
                for _ in range(2):
                    evaluate_rules.defer(due_at=timezone.now().isoformat())
                time.sleep(random.uniform(0.3, 1.5))
                workers.kill_one()
                kills += 1
                workers.start_again()

            def all_told() -> bool:
                workers.start_again()
                evaluate_rules.defer(due_at=timezone.now().isoformat())
                time.sleep(1)
                return AlertEvent.objects.filter(notice__isnull=False).count() >= EVENTS and waiting() == 0

            until(all_told, "all are told", 400)
        finally:
            workers.stop()
        seconds = time.monotonic() - began
    arrived = Counter(found.groups() for request in server.requests if (found := REQUEST.search(request)))
    LINES["alerts"].append(
        f"{EVENTS} events, {len(workers.processes)} workers, {kills} killed: {AlertEvent.objects.count()} events,"
        f" {Notice.objects.count()} messages, {arrived.total() - len(arrived)} arrived twice, after {seconds:.0f} s"
    )
    assert [rule.events.count() for rule in rules] == [1] * EVENTS
    assert Notice.objects.count() == EVENTS
    assert {event_id.decode() for _, event_id in arrived} == {
        str(pk) for pk in Notice.objects.values_list("pk", flat=True)
    }
    assert {int(number) for number, _ in arrived} == {*range(EVENTS)}
    assert len(arrived) == EVENTS
