"""Kinds of reports: each makes a `Document` of a window. Apps above register theirs when they are ready."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reports.document import Document
from traces.filters import Filters
from web.problems import FieldError
from workspaces.models import Workspace


@dataclass(frozen=True)
class ReportRequest:
    """What a report is to be about."""

    workspace: Workspace
    kind: str
    filters: Filters
    """Window, zone and filters in one."""
    sees_content: bool = False
    """The reader may see texts of prompts and errors."""
    subject: str = ""
    """The filter that a statement is about, where several filters have one value; empty: as its rule says."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What only some kinds know, like the dashboard that one shows."""


def no_errors(filters: Filters) -> list[FieldError]:
    return []


def takes_any_options(workspace: Workspace, options: Mapping[str, str]) -> None:
    """Accepts whatever a client sends to a kind that knows no option."""


class Kind(NamedTuple):
    name: str
    """Of the URL, like `cost`."""
    title: str
    description: str
    """For the list from which people choose."""
    build: Callable[[ReportRequest], Document]
    errors: Callable[[Filters], list[FieldError]] = no_errors
    """Returns what these filters lack for such a report."""
    is_listed: bool = True
    """People choose it, and the API makes it from a window and filters alone. False: it needs options too."""
    check_options: Callable[[Workspace, Mapping[str, str]], None] = takes_any_options
    """Raises a 422 Problem where an option that the kind needs is missing or wrong. Its places begin with `options`."""


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    KINDS[kind.name] = kind
    return kind
