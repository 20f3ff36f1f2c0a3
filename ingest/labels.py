"""Reads labels from the attributes that the workspace has chosen.

They are read from the attributes that are stored, so that `relabel` finds the same later. Contents are no labels.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple
from uuid import UUID

from ingest import client_rules
from ingest.attribute_names import is_content
from ingest.span_facts import SpanFacts
from ingest.stored_attributes import RESOURCE
from ingest.values import is_identifier, structure, unquoted
from traces.row import Row
from traces.text import clean
from workspaces.label_limits import LABEL_LENGTH, MAX_LABELS
from workspaces.models import LabelSource, Workspace

Labels = dict[str, str]

MAX_LEVELS = 8
"""How many dots of an attribute's name may lead into an object."""
CACHE_SECONDS = 60
"""How long a change that somebody makes with SQL, past the models, may stay unknown."""


class Place(NamedTuple):
    """Where a chosen attribute can be found."""

    rank: int
    """Where a span has several values for the label, that of the lowest rank wins."""
    label: str
    key: str
    """Inside an object, or before the colon in a list of tags; empty for the attribute itself."""


class LabelChoice:
    """The attributes that a workspace has chosen, in the order of its choices."""

    def __init__(self, sources: Iterable[tuple[str, str]]) -> None:
        by_attribute: defaultdict[str, list[Place]] = defaultdict(list)
        for number, (attribute, label) in enumerate(sources):
            for level, (name, key) in enumerate(places(attribute)):
                if not is_content(name):
                    by_attribute[name].append(Place(number * MAX_LEVELS + level, label, key))
        self.by_attribute = dict(by_attribute)

    def read(self, facts: SpanFacts, attributes: Mapping[str, Any]) -> None:
        """Sets the labels that the attributes of the span hold."""
        facts.chosen_labels = facts.trace_labels = facts.resource_labels = None
        if not self.by_attribute:
            return
        names = self.by_attribute.keys() & attributes.keys()
        of_trace = frozenset(name for name in names if client_rules.TRACE_LABELS.match(name))
        facts.trace_labels = self.labels_in(attributes, of_trace)
        chosen = self.labels_in(attributes, names) or {}
        of_whole_trace = facts.trace_labels or {}
        facts.chosen_labels = {k: text for k, text in chosen.items() if of_whole_trace.get(k) != text} or None
        resource = attributes.get(RESOURCE)
        if isinstance(resource, dict):
            facts.resource_labels = self.labels_in(resource, self.by_attribute.keys() & resource.keys())

    def labels_in(self, attributes: Mapping[str, Any], names: Iterable[str]) -> Labels | None:
        found: dict[str, tuple[int, str]] = {}
        for name in names:
            for place in self.by_attribute[name]:
                text = label_text(value_in(attributes[name], place.key))
                if text is not None and found.get(place.label, (place.rank + 1, ""))[0] > place.rank:
                    found[place.label] = place.rank, text
        return {label: text for label, (_, text) in sorted(found.items())} or None

    def read_item(self, row: Row) -> None:
        """Adds to the row of a JSON item the labels in its attributes. Those that the item gives win."""
        if self.by_attribute and (labels := self.labels_of_item(row.labels, row.attributes)):
            row.labels = (row.labels or {}) | labels
            row.span_facts = (row.span_facts or {}) | {CHOSEN: labels}

    def labels_of_item(self, given: Labels | None, attributes: Mapping[str, Any]) -> Labels | None:
        """Returns the labels in the attributes of a JSON item that it does not give itself."""
        found = self.labels_in(attributes, self.by_attribute.keys() & attributes.keys()) or {}
        others = [(label, text) for label, text in found.items() if label not in (given or {})]
        return dict(others[: MAX_LABELS - len(given or {})]) or None


CHOSEN = "chosen_labels"
"""The name in the `span_facts` of a JSON item for its labels that it does not give itself."""
NO_CHOICE = LabelChoice([])


def given_labels(row: Row) -> Labels | None:
    """Returns the labels that a JSON item gives itself."""
    chosen = (row.span_facts or {}).get(CHOSEN, ())
    return {name: text for name, text in (row.labels or {}).items() if name not in chosen} or None


def places(attribute: str) -> Iterator[tuple[str, str]]:
    """Yields where the attribute can be: under its whole name, or as a key inside one with a shorter name."""
    yield attribute, ""
    name = attribute
    for _ in range(MAX_LEVELS - 1):
        name = name.rpartition(".")[0]
        if not name:
            return
        yield name, attribute[len(name) + 1 :]


def value_in(value: Any, key: str) -> Any:
    """Returns the value under the key, whose dots may lead into further objects; for a list the text of its tag."""
    if not key:
        return value
    if isinstance(value, str):
        value = structure(value) if value[:1] in ("{", "[") else None
    if isinstance(value, list):
        return text_of_tag(value, key)
    if not isinstance(value, dict):
        return None
    if key in value:
        return value[key]
    head, _, rest = key.partition(".")
    return value_in(value.get(head), rest) if rest else None


def text_of_tag(tags: list[Any], key: str) -> str | None:
    """Returns `acme` for the key `customer` where a tag is `customer:acme`."""
    start = f"{key}:"
    texts = (tag.removeprefix(start).strip() for tag in tags if isinstance(tag, str) and tag.startswith(start))
    return next(texts, None)


def label_text(value: Any) -> str | None:
    """Returns the value as the text of a label; None for what names nothing, or is too long to be one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if not isinstance(value, str) or len(value) > 2 * LABEL_LENGTH:
        return None
    text = unquoted(value)
    is_short = len(text.encode("utf-8", "replace")) <= LABEL_LENGTH
    if not is_short or not is_identifier(text) or text.startswith(client_rules.PLACEHOLDERS):
        return None
    return clean(text, LABEL_LENGTH)  # JSON inside a text may hold what PostgreSQL refuses


def number_text(value: int | float) -> str | None:
    """Returns 42 for 42.0: clients in JavaScript have no whole numbers."""
    if not isfinite(value):
        return None
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**63 else str(value)


# --- Labels of a span and of the spans around it ---


def own_labels(facts: SpanFacts) -> Labels | None:
    """Returns the labels that the span itself states."""
    return joined(facts.labels, facts.chosen_labels, facts.trace_labels)


def joined(*sources: Labels | None) -> Labels | None:
    """Returns all labels; of two with the same name the first. If they are too many, the first by their names."""
    known = [labels for labels in sources if labels]
    if len(known) <= 1:
        return known[0] if known else None
    labels: Labels = {}
    for source in known:
        labels = source | labels
    return {name: labels[name] for name in sorted(labels)[:MAX_LABELS]}


# --- The choice of a workspace ---


def label_choice(workspace: Workspace) -> LabelChoice:
    """Returns the choice, without asking for it again until it has changed."""
    return cached_choice(workspace.id, workspace.epoch, int(time.monotonic() // CACHE_SECONDS))


@lru_cache(maxsize=1024)
def cached_choice(workspace_id: UUID, epoch: UUID, period: int) -> LabelChoice:
    """Does the same. A changed choice changes the epoch, so the older entry is not asked for any more."""
    return LabelChoice(LabelSource.objects.filter(workspace=workspace_id).values_list("attribute", "label"))
