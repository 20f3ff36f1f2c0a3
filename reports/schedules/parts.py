"""Makes the reports of a run: one, or one for each of the largest values of a dimension."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from analytics import query
from analytics.query_parameters import Parameters
from analytics.splits import in_sentence
from reports import making
from reports.document import Document
from reports.kinds import KINDS, ReportRequest
from reports.models import ReportFile, ReportRun
from traces.buckets import Granularity
from traces.filters import Filters, FilterValues
from web.problems import Problem

MOST_PARTS = 20
MOST_BYTES = 20 * 1024 * 1024
"""Of a file."""
GRANULARITIES: dict[str, Granularity] = {"day": "hourly", "week": "daily", "month": "daily"}


class Values(NamedTuple):
    values: Sequence[str]
    note: str
    """Says which values are not among them; empty where none is missing."""


def filters_of(run: ReportRun) -> Filters:
    schedule = run.schedule
    return Filters(
        workspace_id=schedule.workspace_id,
        start=run.start,
        end=run.end,
        granularity=GRANULARITIES[run.period],
        values=schedule.filter_values,
        zone=schedule.workspace.zone,
    )


def decide(run: ReportRun) -> None:
    """Stores which reports the run consists of: a later attempt makes the same."""
    if run.parts is None:
        dimension = run.schedule.per_dimension
        found = largest_values(run, dimension) if dimension else Values([""], "")
        run.parts, run.note = [{"dimension": dimension, "value": value} for value in found.values], found.note
        run.save(update_fields=["parts", "note"])


def largest_values(run: ReportRun, dimension: str) -> Values:
    """Returns the values with the most spend; where nothing has a price, those with the most calls."""
    filters = filters_of(run)
    answer = by_value(filters, dimension, "cost_usd")
    if not answer["totals"]["cost_usd"]:
        answer = by_value(filters, dimension, "calls")
    values = [value for line in answer["data"] if (value := line[dimension]) is not None]
    name = in_sentence(dimension)
    if not values:
        return Values([], f"There is nothing to report: no call of this period has a value of {name}.")
    if len(values) <= MOST_PARTS and not answer["rest"]:
        return Values(values, "")
    return Values(values[:MOST_PARTS], f"Only the {MOST_PARTS} largest values of {name} have a report: there are more.")


def by_value(filters: Filters, dimension: str, measure: str) -> query.QueryAnswer:
    asked = Parameters(measures=("cost_usd", "calls"), by=(dimension,), order=f"-{measure}")
    return query.answer(asked, replace(filters, limit=MOST_PARTS + 2))


def make_files(run: ReportRun) -> None:
    """Makes each file that is not there yet, and stores it at once: the next attempt goes on where this one ends."""
    known = set(run.files.values_list("place", "file_format"))
    for place, part in enumerate(run.parts or ()):
        missing = [name for name in run.schedule.formats if (place, name) not in known]
        if missing or "title" not in part:
            document = document_of(run, part)
            part |= {"title": document.title, "subject": document.subject, "sentence": document.sentence}
            for file_format in missing:
                store(run, place, file_format, document)
            run.save(update_fields=["parts"])


def document_of(run: ReportRun, part: Mapping[str, str]) -> Document:
    schedule = run.schedule
    if schedule.kind not in KINDS:
        raise Problem(422, "There is no such kind of report any more.")
    filters = filters_of(run)
    if part["dimension"]:
        filters = replace(filters, values={**filters.values, part["dimension"]: FilterValues((part["value"],))})
    of_value = {"subject": part["dimension"], "options": schedule.options}
    return making.document(ReportRequest(schedule.workspace, schedule.kind, filters, **of_value))


def store(run: ReportRun, place: int, file_format: Any, document: Document) -> None:
    file = making.file(document, file_format, run.schedule.paper)  # type: ignore[arg-type]
    if len(file.body) > MOST_BYTES:
        limit = MOST_BYTES // 1024**2
        raise Problem(422, f"The file {file_format} is larger than {limit} MB. Narrow the report by filters.")
    values = {"name": file.name[-200:], "media_type": file.media_type, "size": len(file.body), "body": file.body}
    # Another attempt may have been as far: it is the same file.
    ReportFile.objects.get_or_create(run=run, place=place, file_format=file_format, defaults=values)
