"""Sends the messages of a run by email: each is recorded before it is handed over, so that none is sent twice."""

from datetime import datetime
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from reports.mails import REPORT, report_context
from reports.models import ReportDelivery
from reports.models.schedule import FAILED, LEFT_OUT, RECIPIENTS, SENDING, SENT, SENTENCE_LENGTH, WAITING
from reports.schedules.links import unsubscribe_url
from reports.schedules.making import FORGOTTEN_AFTER, LOST, conclude, words_of
from reports.schedules.message import files_of
from reports.schedules.people import still_wants
from reports.schedules.queue import defer_delivery, ids_in_queue
from web.mail import messages
from web.mail.delivery import MailFault, MailRefused, deliver
from web.queue import RETRY_PAUSES

ATTACHED_BYTES = 5 * 1024 * 1024
"""Of all files of a message together. Above it, there are only links: many mail servers refuse more."""
ATTACHED = ("pdf", "xlsx", "csv")
UNKNOWN = "The worker ended while it handed the message over. Whether it arrived is unknown, so it is not sent again."
WANTED_NO_MORE = "Unsubscribed, or a recipient no more, before it was sent."


def attempt(delivery_id: str) -> None:
    """Sends a message, unless it has been sent already or an earlier attempt may have done so."""
    delivery = taken(delivery_id, timezone.now())
    if delivery is None:
        return
    try:
        deliver(message_of(delivery))
    except MailFault as fault:
        record_fault(delivery.pk, str(fault), timezone.now(), is_final=isinstance(fault, MailRefused))
    except Exception as error:
        record_fault(delivery.pk, words_of(error), timezone.now())
    else:
        record(delivery.pk, SENT, "", timezone.now())


@transaction.atomic
def taken(delivery_id: str, now: datetime) -> ReportDelivery | None:
    """Returns the delivery, which this attempt alone sends from now on; None where there is nothing to send."""
    locked = ReportDelivery.objects.select_for_update(of=("self",)).select_related("run__schedule__workspace")
    delivery = locked.filter(pk=delivery_id, state__in=(WAITING, SENDING)).first()
    if delivery is None:
        return None
    if delivery.state == SENDING:
        record(delivery.pk, FAILED, UNKNOWN, now)
        return None
    if delivery.run.receivers == RECIPIENTS and not still_wants(delivery.run.schedule, delivery.address):
        record(delivery.pk, LEFT_OUT, WANTED_NO_MORE, now)
        return None
    delivery.state = SENDING
    delivery.save(update_fields=["state"])
    return delivery


def message_of(delivery: ReportDelivery) -> EmailMultiAlternatives:
    run = delivery.run
    files = [file for file in files_of(run) if file.file_format in ATTACHED]
    attached = files if sum(file.size for file in files) <= ATTACHED_BYTES else []
    leave = unsubscribe_url(run.schedule, delivery.address)
    parts = messages.render(REPORT, report_context(delivery, attached, leave))
    message = messages.message(parts, delivery.address, f"report-{run.pk}")
    if run.receivers == RECIPIENTS:
        message.extra_headers |= {
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    for file in attached:
        message.attach(file.name, bytes(file.body), file.media_type)
    return message


@transaction.atomic
def record(delivery_id: UUID, state: str, words: str, now: datetime) -> None:
    """Records how a delivery ended, and ends its run where it was the last one."""
    ended = {"state": state, "fault": words[:SENTENCE_LENGTH], "ended_at": now, "next_at": None}
    delivery = ReportDelivery.objects.filter(pk=delivery_id).first()
    if delivery is not None:
        attempts = delivery.attempts + (state != LEFT_OUT)
        ReportDelivery.objects.filter(pk=delivery_id).update(**ended, attempts=attempts)
        conclude(delivery.run_id, now)


@transaction.atomic
def record_fault(delivery_id: UUID, words: str, now: datetime, is_final: bool = False) -> None:
    """Plans the next attempt, or gives up after the last one."""
    delivery = ReportDelivery.objects.select_for_update().filter(pk=delivery_id, state__in=(WAITING, SENDING)).first()
    if delivery is None:
        return
    if is_final or delivery.attempts >= len(RETRY_PAUSES):
        record(delivery_id, FAILED, words, now)
        return
    delivery.attempts += 1
    delivery.state, delivery.fault = WAITING, words[:SENTENCE_LENGTH]
    delivery.next_at = now + RETRY_PAUSES[delivery.attempts - 1]
    delivery.save()
    defer_delivery(delivery, delivery.next_at)


def take_up_forgotten(now: datetime) -> None:
    """Counts a failed attempt of each message whose job is lost."""
    open_ones = ReportDelivery.objects.filter(next_at__lt=now - FORGOTTEN_AFTER, state__in=(WAITING, SENDING))
    in_queue = ids_in_queue() if open_ones else set()
    for delivery in open_ones:
        if str(delivery.pk) in in_queue:
            continue
        if delivery.state == SENDING:
            record(delivery.pk, FAILED, UNKNOWN, now)
        else:
            record_fault(delivery.pk, LOST, now)
