"""Lists the attributes that arrive and could become labels, from a sample of the newest spans."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from typing_extensions import TypedDict

from ingest import client_rules
from ingest.attribute_names import is_content
from ingest.labels import label_text
from ingest.stored_attributes import RESOURCE
from ingest.values import structure
from traces.db import row, rows
from workspaces.models import LabelSource, name_error

MAX_SPANS = 1_000
MAX_BYTES = 16 * 1024 * 1024
"""Of the attributes of all spans in the sample, as the database stores them."""
MAX_VALUE_BYTES = 2 * 1024
"""An object of metadata is shorter. A longer value is mostly content."""
MAX_NAMES = 1_000
MAX_PAIRS = 50_000
MAX_CANDIDATES = 500
MAX_DEPTH = 3
EXAMPLES = 3

SAMPLE = """
WITH newest AS (
    SELECT timestamp, attributes
    FROM traces
    WHERE workspace_id = %(workspace_id)s
    ORDER BY timestamp DESC
    LIMIT %(max_spans)s
),
sized AS (
    SELECT
        timestamp,
        attributes,
        sum(pg_column_size(attributes)) OVER (ORDER BY timestamp DESC ROWS UNBOUNDED PRECEDING) AS bytes
    FROM newest
),
sample AS (SELECT timestamp, attributes FROM sized WHERE bytes <= %(max_bytes)s)
"""
SPANS = """
{sample}
SELECT count(*) AS sampled_spans, min(timestamp) AS sampled_since
FROM sample
"""
NAMES = """
{sample}
SELECT key
FROM sample, jsonb_object_keys(attributes) AS key
GROUP BY key
ORDER BY count(*) DESC, key
LIMIT %(max_names)s
"""
PAIRS = """
{sample}
SELECT key, value::text AS value, count(*) AS spans
FROM sample, jsonb_each(attributes)
WHERE key = ANY(%(names)s::text[]) AND octet_length(value::text) <= %(max_value_bytes)s
GROUP BY key, value
ORDER BY spans DESC, key, value
LIMIT %(max_pairs)s
"""


class Candidate(TypedDict):
    attribute: str
    label: str | None
    """What the workspace has chosen for it; null if nothing."""
    spans: int
    """Of the sample, with a value that can be a label."""
    values: int
    """Different ones in the sample."""
    examples: list[str] | None
    """The most frequent values; null for readers who may not see content."""


class Candidates(TypedDict):
    candidates: list[Candidate]
    """At most 500, the most frequent first. Attributes that have a column of their own come last."""
    sampled_spans: int
    """How many of the newest spans were looked at: at most 1,000."""
    sampled_since: datetime | None
    """When the oldest of them began; null if there is none."""


class Sample(NamedTuple):
    sampled_spans: int
    sampled_since: datetime | None
    values: dict[str, Counter[str]]
    """For each attribute its values, and how many spans have them."""


def label_candidates(workspace_id: UUID, with_examples: bool) -> Candidates:
    sample = sample_of(workspace_id)
    chosen = dict(LabelSource.objects.filter(workspace=workspace_id).values_list("attribute", "label"))
    candidates = [
        Candidate(
            attribute=name,
            label=chosen.get(name),
            spans=values.total(),
            values=len(values),
            examples=[text for text, _ in values.most_common(EXAMPLES)] if with_examples else None,
        )
        for name, values in sample.values.items()
    ]
    candidates.sort(key=usefulness)
    return Candidates(
        candidates=candidates[:MAX_CANDIDATES],
        sampled_spans=sample.sampled_spans,
        sampled_since=sample.sampled_since,
    )


def usefulness(candidate: Candidate) -> tuple[bool, int, str]:
    return candidate["attribute"] in client_rules.INDEX, -candidate["spans"], candidate["attribute"]


def sample_of(workspace_id: UUID) -> Sample:
    params: dict[str, Any] = {"workspace_id": workspace_id, "max_spans": MAX_SPANS, "max_bytes": MAX_BYTES}
    spans = row(SPANS, params, sample=SAMPLE)
    names = [found["key"] for found in rows(NAMES, params | {"max_names": MAX_NAMES}, sample=SAMPLE)]
    params |= {"names": [name for name in names if not is_content(name)]}
    values: defaultdict[str, Counter[str]] = defaultdict(Counter)
    params |= {"max_value_bytes": MAX_VALUE_BYTES, "max_pairs": MAX_PAIRS}
    for pair in rows(PAIRS, params, sample=SAMPLE):
        for name, text in labels_in(pair["key"], orjson.loads(pair["value"])):
            values[name][text] += pair["spans"]
    return Sample(spans["sampled_spans"], spans["sampled_since"], values)


def labels_in(attribute: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yields every name that could be chosen for a part of the stored attribute, and the label that it would give."""
    if attribute == RESOURCE and isinstance(value, dict):
        found = [pair for name, part in value.items() for pair in parts_of(name, part)]
    else:
        found = list(parts_of(attribute, value))
    for name, part in found:
        text = label_text(part)
        if text is not None and name_error(name) is None and not is_content(name):
            yield name, text


def parts_of(name: str, value: Any, depth: int = MAX_DEPTH) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = structure(value)
    if isinstance(value, list):
        tags = [tag.partition(":") for tag in value if isinstance(tag, str) and ":" in tag]
        yield from {f"{name}.{key}": text.strip() for key, _, text in reversed(tags)}.items()
    elif not isinstance(value, dict):
        yield name, value
    elif depth:
        for key, part in value.items():
            yield from parts_of(f"{name}.{key}", part, depth - 1)
