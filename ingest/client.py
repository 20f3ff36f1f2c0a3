"""The form of a file in `ingest/clients/`: everything that one family of SDKs does in its own way."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from ingest.fields import Field
from ingest.nodes import Node
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from traces.lookup import WantedLink

AttributeName = str
"""An attribute; `attribute>key>key` reads inside an attribute that holds JSON or the repr of a Python dict."""
RankedAttributeName = tuple[int, AttributeName]
"""A name with a rank of its own, because it must come earlier or later than the client's other names."""
FactsReader = Callable[[SpanFacts, Span], None]


@dataclass(frozen=True, slots=True)
class KindRule:
    """How the kind of a span is recognised. Rules with an attribute are tried first, then the others, by rank."""

    rank: int
    kind: Callable[[Span], str | None]
    """The kind, or None to leave the span to the next rule."""
    attribute: str = ""
    """The rule is tried only for spans in which this attribute is not empty. No two rules have the same attribute."""

    @classmethod
    def by_value(cls, rank: int, attribute: str, kinds: Mapping[str, str]) -> Self:
        """Makes the rule for an attribute whose value names the kind. A value that is not in `kinds` is a chain."""
        return cls(rank, lambda span: kinds.get(str(span.attributes[attribute]), "chain"), attribute)


@dataclass(frozen=True, slots=True)
class Pairing:
    """How spans that record the same call find each other, in one trace or in several.

    The link of a span is stored in its row, and a span that arrives later finds the row by it. Each of two spans must
    find the other, because they may arrive in any order.
    """

    link: Callable[[SpanFacts], str | None]
    """The span's own link; None for a span that is not paired in this way."""
    wanted_links: Callable[[SpanFacts], Iterable[WantedLink]]
    """The links that the other span may have, and the time in which it began."""
    pair: Callable[[Sequence[Node]], None]
    """Where several nodes record one call, one of them counts as the call. Sets `repeats` of the others to it."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """One family of SDKs. A span that follows the conventions is read by `clients/opentelemetry.py`."""

    rank: int
    """If a span has names of several clients for a field, the name of the lowest rank wins."""
    names: Mapping[Field, tuple[AttributeName | RankedAttributeName, ...]] = field(default_factory=dict)
    """For each field the attributes that hold it. The first that is not empty is read."""
    span_names: tuple[str, ...] = ()
    """The only spans in which its attributes are read, because an application's own may have the same names."""
    kinds: tuple[KindRule, ...] = ()
    """How the kinds of its spans are recognised."""
    contents: tuple[str, ...] = ()
    """Patterns for the beginnings of attributes that hold prompts and completions. A workspace can leave these out."""
    readers: Mapping[str, FactsReader] = field(default_factory=dict)
    """For a kind of span: a function that reads more facts about the call, after all names are read."""
    pairing: Pairing | None = None

    # --- Usage ---

    usage_objects: tuple[AttributeName, ...] = ()
    """Attributes that hold a usage object. What the names above do not state is read from it (`ingest/usage.py`)."""
    cost_objects: tuple[AttributeName, ...] = ()
    """Attributes that hold the parts of the reported cost, which do not overlap."""
    excludes_cache: Callable[[Span], bool] | None = None
    """Returns whether the input tokens of a span with cached tokens do not contain them."""

    # --- Providers: `prices/providers.py` knows their names, and the frameworks that are sent as providers ---

    provider_suffixes: tuple[str, ...] = ()
    """Endings that name an API of the provider, like `chat` in `openai.chat`."""

    # --- Agents ---

    agent_prefixes: tuple[str, ...] = ()
    """Words before the agent's name in the name of an agent span."""
    agent_suffixes: tuple[str, ...] = ()
    """Endings after the agent's name in the name of an agent span."""
    agent_scopes: frozenset[str] = frozenset()
    """Scopes whose agent spans are read for AGENT_BY_SCOPE."""

    # --- Failures and time ---

    failure_values: Mapping[str, str] = field(default_factory=dict)
    """Attributes, and the value that means that the span failed."""
    error_type_pattern: str = ""
    """Matches an error type with text around it. Its group is the type."""
    first_token_events: frozenset[str] = frozenset()
    server_time_in_ms: Callable[[Span], bool] | None = None
    """Returns whether FIRST_TOKEN_BY_SERVER is in milliseconds in this span."""

    # --- Releases ---

    states_own_version: Callable[[Span], bool] | None = None
    """Returns whether the SDK wrote its own version into `service.version`, where the application's should be."""

    # --- Labels ---

    trace_labels: tuple[str, ...] = ()
    """Patterns for the beginnings of attributes that speak of the whole trace, whichever span has them. The labels in
    other attributes are those of the span and the spans below it."""

    # --- Values ---

    placeholders: tuple[str, ...] = ()
    """Beginnings of the texts that the client writes instead of a value that it hides."""
    generated_session: str = ""
    """Matches a session id that the client invents for a run without a session."""
    response_id_patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Attributes whose text is searched for the response id, if no name has it."""

    # --- Spans in their trace ---

    provider_scopes: tuple[str, ...] = ()
    """Patterns for scopes of a provider's SDK, or of instrumentations of one. A framework that calls the SDK may record
    the same call, and the SDK's span is then often the root of another trace."""
    invented_id_scopes: frozenset[str] = frozenset()
    """Scopes that invent response ids: two different ids can belong to one call."""
    repeated_kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For a scope: kinds of calls that it records twice, one span below the other."""
    late_scopes: tuple[str, ...] = ()
    """Beginnings of scopes whose calls last until the last of the spans that record them ends."""
    timeless_trace_ids: tuple[str, ...] = ()
    """Beginnings of the ids of traces whose own span has no time."""
    client_call_scopes: frozenset[str] = frozenset()
    """Scopes of the client's own spans with CLIENT_CALL. In a span of another scope this field means that the client
    wrote its call into a span of the application."""
