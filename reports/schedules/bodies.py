"""Checks the bodies that make and change schedules, and turns them into rows and back."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from alerts.channels.email import MAX_ADDRESSES, MEMBERS_ONLY, address, may_name_addresses, unknown_members
from alerts.rule_bodies import CallFilters, check_values, normalized, plain_number
from alerts.rule_bodies import channels_of as channels_of_workspace
from budgets.bodies import LABEL_PATTERN, Name, is_label, storable
from budgets.bodies import validated as checked
from reports.kinds import KINDS
from reports.models import Schedule
from reports.models.schedule import ADDRESS_LENGTH, NAME_LENGTH
from traces.filters import EARLIEST, LATEST, Filters, stored_values
from web.problems import FieldError, Problem
from workspaces.models import Workspace

PERS = ("agent", "user")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Period = Literal["day", "week", "month"]
Format = Literal["pdf", "csv", "xlsx", "html"]
Paper = Literal["a4", "letter"]
FORMATS: tuple[Format, ...] = ("pdf", "xlsx", "csv", "html")
MAX_CHANNELS, MAX_OPTIONS, OPTION_LENGTH, USER_NAME_LENGTH, MOST_LINK_DAYS = 10, 10, 200, 150, 90
WHAT = "report"


def known_kind(name: str) -> str:
    if name not in KINDS:
        raise PydanticCustomError("kind", "must be one of {known}", {"known": ", ".join(KINDS)})
    return name


def known_per(name: str) -> str:
    if name not in PERS and not is_label(storable(name)):
        raise PydanticCustomError("per", f"must be one of {', '.join(PERS)}, label.<name>")
    return name


def distinct(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


CONFIG = ConfigDict(extra="forbid", strict=True)


# Bounds stand in the schema only before a validator of our own.
Hour = Annotated[int, Field(ge=0, le=23, strict=False), BeforeValidator(plain_number)]
DayOfMonth = Annotated[int, Field(ge=1, le=31, strict=False), BeforeValidator(plain_number)]
LinkDays = Annotated[int, Field(ge=1, le=MOST_LINK_DAYS, strict=False), BeforeValidator(plain_number)]
Address = Annotated[
    str, Field(max_length=ADDRESS_LENGTH, json_schema_extra={"format": "email"}), AfterValidator(address)
]
Option = Annotated[str, Field(max_length=OPTION_LENGTH), AfterValidator(storable)]


class When(BaseModel):
    """When it is due after the end of the period, in the workspace's zone."""

    model_config = CONFIG
    hour: Annotated[Hour, Field(description="Calls of the last minutes may come late.")] = 8
    weekday: Annotated[Weekday, Field(description="Only for weeks.")] = "monday"
    day: Annotated[
        DayOfMonth, Field(description="Only for months. A day that the month does not have is its last one.")
    ] = 1


class Recipients(BaseModel):
    """The people and channels that get it."""

    model_config = CONFIG
    members: Annotated[
        list[Annotated[str, Field(max_length=USER_NAME_LENGTH), AfterValidator(storable)]],
        Field(max_length=MAX_ADDRESSES, description="Names of members, who get it while they are members."),
        AfterValidator(distinct),
    ] = []
    addresses: Annotated[list[Address], Field(max_length=MAX_ADDRESSES), AfterValidator(distinct)] = []
    channels: Annotated[
        list[Annotated[str, Field(max_length=NAME_LENGTH), AfterValidator(storable)]],
        Field(max_length=MAX_CHANNELS, description="The ids of channels of alerts, or their names."),
    ] = []


class ScheduleFields(BaseModel):
    model_config = CONFIG

    filters: CallFilters = {}
    per: Annotated[
        Annotated[
            str,
            AfterValidator(known_per),
            WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(PERS)}|{LABEL_PATTERN})$"}),
        ]
        | None,
        Field(description="Each agent, user or value of label.<name> has a report of its own: the 20 largest."),
    ] = None
    schedule: When = When()
    recipients: Recipients = Recipients()
    formats: Annotated[list[Format], Field(min_length=1, max_length=len(FORMATS)), AfterValidator(distinct)] = [
        *("pdf", "xlsx")
    ]
    paper: Annotated[Paper, Field(description="Of the PDF.")] = "a4"
    link_days: Annotated[LinkDays, Field(description="How many days the links in messages work.")] = 7
    options: Annotated[
        dict[Option, Option],
        Field(max_length=MAX_OPTIONS, description="What only some kinds know, like the id of a dashboard."),
    ] = {}
    is_active: bool = True


Kind = Annotated[
    str,
    Field(max_length=40, description="usage, cost, performance or statement."),
    AfterValidator(known_kind),
]


class NewSchedule(ScheduleFields):
    """A report that is made of each day, week or month, and sent. What is left out has its default."""

    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second report."),
    ] = None
    name: Name
    kind: Kind
    period: Period

    @model_validator(mode="after")
    def has_known_values(self) -> Self:
        check_values(self.filters)
        asked = Filters(UUID(int=0), EARLIEST, LATEST, "daily", values=stored_values(self.filters))
        if not self.per and (errors := KINDS[self.kind].errors(asked)):
            raise PydanticCustomError("per", errors[0]["msg"])
        return self


class ScheduleChanges(ScheduleFields):
    """The fields to change. A field that is left out keeps its value."""

    name: Name = ""
    kind: Kind = ""
    period: Period = "day"


class NewRun(BaseModel):
    """Makes the report of the last period that is over, now."""

    model_config = CONFIG
    send_to: Annotated[
        Literal["nobody", "me", "recipients"],
        Field(description="nobody: the files are made, and nothing is sent. me: needs a signed-in user."),
    ] = "nobody"


def validated(values: Any, model: type[BaseModel]) -> Any:
    return checked(values, model, WHAT)


def invalid(where: list[str | int], message: str) -> Problem:
    errors: list[FieldError] = [{"loc": ["body", *where], "msg": message}]
    return Problem(422, "The report is not valid.", errors)


# --- Between bodies and rows ---


def body_of(schedule: Schedule) -> dict[str, Any]:
    """Returns the body that makes this schedule."""
    return {
        "name": schedule.name,
        "kind": schedule.kind,
        "period": schedule.period,
        "filters": schedule.filters,
        "per": schedule.per or None,
        "schedule": {"hour": schedule.hour, "weekday": WEEKDAYS[schedule.weekday], "day": schedule.day},
        "recipients": {
            "members": schedule.members,
            "addresses": schedule.addresses,
            "channels": [str(channel.pk) for channel in schedule.channels.all()],
        },
        "formats": schedule.formats,
        "paper": schedule.paper,
        "link_days": schedule.link_days,
        "options": schedule.options,
        "is_active": schedule.is_active,
    }


def changed_body(schedule: Schedule, sent: Mapping[str, Any]) -> NewSchedule:
    """Returns the body of the schedule with those values that a client has sent."""
    body = body_of(schedule)
    merged = {
        name: {**body[name], **value} if name in ("schedule", "recipients") else value for name, value in sent.items()
    }
    changed: NewSchedule = validated(body | merged, NewSchedule)
    return changed


def fill(schedule: Schedule, body: NewSchedule) -> None:
    """Gives the schedule the values of the body. Its channels are another table."""
    check_receivers(schedule.workspace, body.recipients)
    if (body.kind, body.options) != (schedule.kind, schedule.options):
        check_options(schedule.workspace, body)
    schedule.name, schedule.kind, schedule.period = body.name, body.kind, body.period
    schedule.filters, schedule.per = normalized(body.filters), body.per or ""
    schedule.hour, schedule.day = body.schedule.hour, body.schedule.day
    schedule.weekday = WEEKDAYS.index(body.schedule.weekday)
    schedule.members, schedule.addresses = body.recipients.members, body.recipients.addresses
    schedule.formats, schedule.paper, schedule.link_days = body.formats, body.paper, body.link_days
    schedule.options, schedule.is_active = body.options, body.is_active


def check_receivers(workspace: Workspace, recipients: Recipients) -> None:
    if recipients.addresses and not may_name_addresses(workspace):
        raise invalid(["recipients", "addresses"], MEMBERS_ONLY)
    if unknown := unknown_members(workspace, recipients.members):
        raise invalid(["recipients", "members"], f"no member with an address: {', '.join(unknown)}")


def check_options(workspace: Workspace, body: NewSchedule) -> None:
    """Raises a 422 Problem where the kind lacks an option, like the dashboard to show."""
    try:
        KINDS[body.kind].check_options(workspace, body.options)
    except Problem as problem:
        raise invalid([*problem.errors[0]["loc"]], problem.errors[0]["msg"]) from problem


def channels_of(schedule: Schedule, names: list[str]) -> list[Any]:
    """Returns the channels of these ids or names, or raises a 422 Problem."""
    try:
        return list(channels_of_workspace(schedule.workspace_id, names))
    except Problem as problem:
        places = [["recipients", *error["loc"][1:]] for error in problem.errors]
        raise invalid(places[0], problem.errors[0]["msg"]) from problem
