"""Makes the links of messages, and reads them. Each is signed: nobody can guess one, or make one of another.

A link says what it is for, so that no link of one purpose works for another. All that is wrong with a link has the same
answer: there is nothing at this address.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import Http404

from reports.models import ReportFile, Schedule
from web.addresses import public_address

FILE, UNSUBSCRIBE, SUBSCRIBE = "reports.file", "reports.unsubscribe", "reports.subscribe"


def file_url(file: ReportFile, until: datetime) -> str:
    """Returns the address of a file, which works until then."""
    signed = token(FILE, [file.pk.hex, int(until.timestamp())])
    return public_address("report-file", signed)


def unsubscribe_url(schedule: Schedule, address: str) -> str:
    return public_address("report-unsubscribe", person_token(UNSUBSCRIBE, schedule, address))


def person_token(purpose: str, schedule: Schedule, address: str) -> str:
    return token(purpose, [schedule.pk.hex, address])


def token(purpose: str, values: list[Any]) -> str:
    return signing.dumps(values, salt=purpose)


def values_of(purpose: str, text: str) -> list[Any]:
    try:
        found: list[Any] = signing.loads(text, salt=purpose)
    except (signing.BadSignature, ValueError) as error:
        raise Http404 from error
    return found


def file_of(text: str, now: datetime) -> ReportFile:
    """Returns the file of a link; raises Http404 where it has expired, is not ours, or leads to nothing any more."""
    file_id, until = values_of(FILE, text)
    if now >= datetime.fromtimestamp(until, UTC):
        raise Http404
    file = ReportFile.objects.select_related("run__schedule").filter(pk=UUID(file_id)).first()
    if file is None:
        raise Http404
    return file


def person_of(purpose: str, text: str) -> tuple[Schedule, str]:
    """Returns the schedule and the address of a link."""
    schedule_id, address = values_of(purpose, text)
    schedule = Schedule.objects.select_related("workspace").filter(pk=UUID(schedule_id)).first()
    if schedule is None:
        raise Http404
    return schedule, address
