"""Asks the questions that the API and the pages answer, for the window and filters of a report."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from analytics.answers import SERIES_TTL_SECONDS, Question, answer_data
from analytics.query_parameters import Compare, Parameters
from analytics.query_view import cached_answer
from reports.kinds import ReportRequest

Data = dict[str, Any]
"""An answer as its JSON."""


def metric(question: Question, request: ReportRequest, **changes: Any) -> Any:
    """Returns the answer of a metric. `changes` are those of the filters, like a limit."""
    return answer_data(question, replace(request.filters, **changes), request.workspace, SERIES_TTL_SECONDS)


def query(
    request: ReportRequest,
    measures: Sequence[str],
    by: Sequence[str] = (),
    limit: int = 1,
    order: str = "",
    compare: Compare | None = None,
    is_series: bool = False,
) -> Data:
    """Returns the answer of `/api/v1/query`. By default the groups with most of the first measure come first."""
    parameters = Parameters(tuple(measures), tuple(by), order or f"-{measures[0]}", compare, is_series=is_series)
    filters = replace(request.filters, limit=limit)
    found: Data = orjson.loads(cached_answer(parameters, filters, request.workspace).body)
    return found
