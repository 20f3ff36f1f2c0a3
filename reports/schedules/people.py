"""Knows who gets a report: members, addresses, and who has unsubscribed."""

from django.db.models import Q

from alerts.channels.email import addresses_of_members, may_name_addresses
from reports.models import ReportRun, Schedule, Unsubscribed
from reports.models.schedule import ME, RECIPIENTS
from workspaces.models import workspaces_of


def addresses_of(run: ReportRun) -> list[str]:
    """Returns each address to which the run goes once, without those that have unsubscribed."""
    if run.receivers == ME:
        return [run.own_address]
    return recipients_of(run.schedule) if run.receivers == RECIPIENTS else []


def recipients_of(schedule: Schedule) -> list[str]:
    named = schedule.addresses if may_name_addresses(schedule.workspace) else []
    found = [*named, *addresses_of_members(schedule.workspace, schedule.members)]
    once = {address.lower(): address for address in reversed(found)}
    gone = set(Unsubscribed.objects.filter(schedule=schedule).values_list("address", flat=True))
    return [address for address in reversed(once.values()) if address.lower() not in gone]


def address_of_owner(schedule: Schedule) -> str:
    """Returns the address of whoever made it; empty where nobody did, or where they may not see the workspace now."""
    owner = schedule.owner
    if owner is None or not owner.is_active or not workspaces_of(owner).filter(pk=schedule.workspace_id).exists():
        return ""
    return owner.email


def still_wants(schedule: Schedule, address: str) -> bool:
    """Returns whether the address is still a recipient, when its message is about to be sent."""
    return address.lower() in {one.lower() for one in recipients_of(schedule)}


def unsubscribe(schedule: Schedule, address: str) -> None:
    Unsubscribed.objects.get_or_create(schedule=schedule, address=address.lower())


def subscribe_again(schedule: Schedule, address: str) -> None:
    Unsubscribed.objects.filter(Q(schedule=schedule) & Q(address=address.lower())).delete()


def is_unsubscribed(schedule: Schedule, address: str) -> bool:
    return Unsubscribed.objects.filter(schedule=schedule, address=address.lower()).exists()
