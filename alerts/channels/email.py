"""Email, to members of the workspace and to addresses."""

from typing import Annotated

from django.conf import settings as settings_of_django
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.faults import DeliveryFault
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings
from alerts.mails import ALERT
from web.mail import messages
from web.mail.delivery import MailFault, MailRefused, deliver
from workspaces.models import Workspace

MAX_ADDRESSES = 20
ADDRESS_ERROR = "must be addresses like ada@example.com, one a line"
MEMBERS_ONLY = "must be empty: everybody may write in an open workspace, so its messages go to members only"


def address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise PydanticCustomError("address", ADDRESS_ERROR) from error
    if not text.isprintable():  # a domain may have letters of any script, and no line breaks of any
        raise PydanticCustomError("address", ADDRESS_ERROR)
    return text


class Email(ChannelSettings):
    addresses: Annotated[
        list[Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(address)]],
        Field(title="Addresses, one a line", max_length=MAX_ADDRESSES),
    ] = Field(default_factory=list)
    members: Annotated[
        list[Annotated[str, Field(max_length=150)]],
        Field(
            title="Members",
            max_length=MAX_ADDRESSES,
            description="Names of members. Each gets it at the address of the account, while they are a member.",
        ),
    ] = Field(default_factory=list)

    @model_validator(mode="after")
    def has_somebody(self) -> "Email":
        if not self.addresses and not self.members:
            raise PydanticCustomError("addresses", "name an address or a member")
        return self


def send(outgoing: Outgoing) -> None:
    """Sends the message to each address that does not have it yet. One that is refused does not stop the others."""
    delivery = outgoing.delivery
    parts = messages.render(ALERT, ALERT.context(delivery_id=str(delivery.pk)) or {})
    refused: list[str] = []
    for to in addresses_of(outgoing):
        if to in delivery.done:
            continue
        try:
            deliver(messages.message(parts, to, f"alert-{outgoing.message.event_id}"))
        except MailRefused as error:
            refused.append(str(error))
        except MailFault as error:
            raise DeliveryFault(str(error)) from error
        else:
            delivery.done.append(to)
            delivery.save(update_fields=["done"])
    if refused:
        raise DeliveryFault(" ".join(refused), is_final=True)


def addresses_of(outgoing: Outgoing) -> list[str]:
    """Returns each address once. Raises a DeliveryFault where nobody is left."""
    workspace = outgoing.delivery.channel.workspace
    named = outgoing.settings["addresses"] if may_name_addresses(workspace) else []
    found = [*named, *addresses_of_members(workspace, outgoing.settings["members"])]
    if not found:
        raise DeliveryFault("Nobody is left: the members have no address or are members no more.", is_final=True)
    return list(dict.fromkeys(found))


def may_name_addresses(workspace: Workspace) -> bool:
    """Returns whether messages may go to addresses that somebody has typed.

    Not those of an open workspace through a mail server: anyone could send to strangers.
    """
    return not (workspace.is_open and settings_of_django.EMAIL_HOST)


def addresses_of_members(workspace: Workspace, names: list[str]) -> list[str]:
    members = workspace.memberships.filter(user__username__in=names, user__is_active=True).exclude(user__email="")
    return list(members.values_list("user__email", flat=True))


def hint(settings: Settings) -> str:
    everybody = [*settings["addresses"], *settings["members"]]
    more = len(everybody) - 2
    return ", ".join(everybody[:2]) + (f" and {more} more" if more > 0 else "")


def unknown_members(workspace: Workspace, names: list[str]) -> list[str]:
    """Returns the names that no member with an address has."""
    known = workspace.memberships.filter(user__username__in=names).exclude(user__email="")
    return sorted(set(names) - set(known.values_list("user__username", flat=True)))


KIND = Kind(
    "email",
    "Email",
    "It goes through the mail server of this installation, to the addresses and members that you name.",
    Email,
    send,
    hint,
)
