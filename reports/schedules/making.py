"""Makes the files of a run, hands them out, and records how that ends."""

import logging
import traceback
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from alerts.delivery import send
from alerts.models import Delivery
from reports.mails import REPORT_FAILED
from reports.models import ReportDelivery, ReportRun
from reports.models.schedule import (
    FAILED,
    MADE,
    NOBODY,
    RECIPIENTS,
    RUNNING,
    SENDING,
    SENT,
    SENTENCE_LENGTH,
    WAITING,
)
from reports.schedules.message import channel_message
from reports.schedules.parts import decide, make_files
from reports.schedules.people import address_of_owner, addresses_of
from reports.schedules.queue import defer_delivery, defer_run, ids_in_queue
from web import mail
from web.problems import Problem
from web.queue import RETRY_PAUSES

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(minutes=15)
"""A run or message that is later than this and not in the queue has lost its job."""
FAULT = "A fault of the product; the log of the worker has it."
NO_ANSWER = "The database did not answer."
NOBODY_LEFT = "Nobody is left to send it to: all have unsubscribed, are members no more, or have no address."
LOST = "The worker ended before the attempt did."


def attempt(run_id: str) -> None:
    """Makes the files of a run and hands them out, unless that is done."""
    run = ReportRun.objects.select_related("schedule__workspace").filter(pk=run_id, made_at=None).first()
    if run is None or run.state not in (WAITING, RUNNING):
        return
    ReportRun.objects.filter(pk=run.pk).update(state=RUNNING, next_at=timezone.now())
    try:
        decide(run)
        make_files(run)
        hand_out(run.pk, timezone.now())
    except Exception as error:
        is_final = isinstance(error, Problem) and error.status < 500
        record_fault(run.pk, words_of(error), timezone.now(), is_final)


def words_of(error: Exception) -> str:
    if isinstance(error, Problem):
        return error.detail
    # Its text could quote what a span contains: only its place is logged.
    place = "".join(traceback.format_tb(error.__traceback__))
    logger.error("a report failed: %s\n%s", type(error).__name__, place)
    return NO_ANSWER if isinstance(error, DatabaseError) else FAULT


@transaction.atomic
def record_fault(run_id: UUID, words: str, now: datetime, is_final: bool = False) -> None:
    """Plans the next attempt, or gives up after the last one."""
    at_work = ReportRun.objects.select_for_update().filter(state__in=(WAITING, RUNNING), made_at=None)
    run = at_work.filter(pk=run_id).first()
    if run is None:  # somebody has deleted the schedule, or another attempt has ended it
        return
    run.attempts += 1
    run.error = words[:SENTENCE_LENGTH]
    if is_final or run.attempts > len(RETRY_PAUSES):
        end(run, FAILED, run.error, now)
    else:
        run.next_at = now + RETRY_PAUSES[run.attempts - 1]
        run.save()
        defer_run(run, run.next_at)


@transaction.atomic
def hand_out(run_id: UUID, now: datetime) -> None:
    """Stores a delivery for each recipient and defers its job. Channels get theirs in the same transaction."""
    locked = ReportRun.objects.select_for_update(of=("self",)).select_related("schedule__workspace")
    run = locked.filter(pk=run_id, made_at=None).first()
    if run is None:
        return
    run.made_at, run.next_at, run.error = now, None, ""
    run.save()
    for address in addresses_of(run):
        delivery, is_new = ReportDelivery.objects.get_or_create(run=run, address=address, defaults={"next_at": now})
        if is_new:
            defer_delivery(delivery)
    channels = list(run.schedule.channels.filter(is_active=True)) if run.receivers == RECIPIENTS else []
    if channels:
        send(channel_message(run, now), channels)
    conclude(run.pk, now)


@transaction.atomic
def conclude(run_id: UUID, now: datetime) -> None:
    """Ends a run whose messages have all ended. A message that arrives late after all makes a failed run a sent one."""
    run = ReportRun.objects.select_for_update().filter(pk=run_id, made_at__isnull=False).first()
    if run is None:
        return
    found = [*run.deliveries.values_list("state", "fault")]
    found += Delivery.objects.filter(event_id=run.pk).values_list("state", "fault")
    states = [state for state, _ in found]
    if run.receivers == NOBODY:
        end(run, MADE, "", now)
    elif not states:
        end(run, FAILED, NOBODY_LEFT, now)
    elif not {WAITING, SENDING} & {*states}:
        faults = [fault for state, fault in found if state == FAILED]
        words = f"{len(faults)} of {len(states)} messages could not be sent. {faults[0]}" if faults else ""
        end(run, FAILED if faults else SENT, words[:SENTENCE_LENGTH], now)


def end(run: ReportRun, state: str, words: str, now: datetime) -> None:
    """Records the end of a run. Its owner gets a message when it has failed: one for each run."""
    is_new = run.state != state
    run.state, run.error, run.next_at, run.ended_at = state, words, None, now
    run.save()
    if is_new and state == FAILED and (address := address_of_owner(run.schedule)):
        with suppress(ValidationError):  # an account may have a wrong address
            mail.send(REPORT_FAILED, to=address, key=f"report-failed-{run.pk}", run_id=str(run.pk))


def take_up_forgotten(now: datetime) -> None:
    """Counts a failed attempt of each run whose job is lost, and ends those whose messages have ended."""
    for run_id in ReportRun.objects.filter(state=RUNNING, made_at__isnull=False).values_list("pk", flat=True):
        conclude(run_id, now)
    late = ReportRun.objects.filter(state__in=(WAITING, RUNNING), made_at=None, next_at__lt=now - FORGOTTEN_AFTER)
    in_queue = ids_in_queue() if late else set()
    for run in late:
        if str(run.pk) not in in_queue:
            record_fault(run.pk, LOST, now)
