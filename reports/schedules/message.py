"""Writes the texts of the messages that a run sends: the links to its files, and what they say first."""

from datetime import datetime
from typing import NamedTuple

from alerts.message import Message
from analytics.templatetags.times import local_day
from reports.models import ReportFile, ReportRun
from reports.schedules.links import file_url
from reports.schedules.periods import A_DAY, DAY, MONTH
from web.addresses import public_address

SENTENCES, LINKS, LENGTH = 5, 10, 300
"""Of a message to a channel."""


class PartLinks(NamedTuple):
    """One report of a run, for its message."""

    title: str
    sentence: str
    files: list[tuple[str, str, bool]]
    """The format and the link of each, and whether it is attached."""


def period_words(run: ReportRun) -> str:
    """Formats the period: 27 Nov 2026, November 2026, or the first and the last day of a week."""
    if run.period == DAY:
        return f"{run.first_day:%-d %b %Y}"
    if run.period == MONTH:
        return f"{run.first_day:%B %Y}"
    return f"{run.first_day:%-d %b} to {run.first_day + 6 * A_DAY:%-d %b %Y}"


def part_title(run: ReportRun, place: int) -> str:
    """Returns the name of a part: the value that it is about, or the title of the only report."""
    part: dict[str, str] = (run.parts or [])[place]
    return part["value"] or part.get("title", run.schedule.name)


def part_links(run: ReportRun, files: list[ReportFile], attached: set[ReportFile]) -> list[PartLinks]:
    return [
        PartLinks(
            part_title(run, place),
            part.get("sentence", ""),
            [
                (file.file_format.upper(), file_url(file, links_until(run)), file in attached)
                for file in files
                if file.place == place
            ],
        )
        for place, part in enumerate(run.parts or [])
    ]


def files_of(run: ReportRun) -> list[ReportFile]:
    """Returns the files without their bytes."""
    return list(run.files.defer("body"))


def schedule_url(run: ReportRun) -> str:
    return public_address("schedule-page", run.schedule_id, workspace=run.schedule.workspace_id)


def channel_message(run: ReportRun, now: datetime) -> Message:
    """Returns what channels get. A repeated attempt has the same event, which a channel gets once."""
    parts = part_links(run, files_of(run), set())
    links = [
        (f"{part.title[:60]}, {name}" if len(parts) > 1 else name, url) for part in parts for name, url, _ in part.files
    ]
    more = [("All files", schedule_url(run))] if len(links) > LINKS else []
    sentences = [part.sentence[:LENGTH] for part in parts[:SENTENCES] if part.sentence]
    return Message(
        event_id=run.pk,
        workspace_id=run.schedule.workspace_id,
        state="info",
        subject=f"{run.schedule.name}, {period_words(run)}",
        moment=now,
        sentences=tuple(sentences + ([run.note] if run.note else [])),
        facts=(("Workspace", run.schedule.workspace.name), ("Links work until", until_words(run))),
        links=tuple(links[:LINKS] + more),
    )


def links_until(run: ReportRun) -> datetime:
    """Returns until when the links of the run's messages work; a message that comes late does not make it later."""
    return (run.made_at or run.created_at) + run.schedule.link_days * A_DAY


def until_words(run: ReportRun) -> str:
    return local_day(links_until(run), run.schedule.workspace.zone)
