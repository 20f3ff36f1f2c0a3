"""Joins the rules of all clients when this module is imported. Names and rules are in the order of trial.

Adding a client does not change this file.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter

from ingest.client import Client, FactsReader, Pairing, RankedAttributeName
from ingest.clients import load_clients
from ingest.fields import KIND, REPORTED_COSTS, USAGE, Field, Path

Place = tuple[str, Path]
"""An attribute, and the path to the value inside it."""
Index = dict[str, tuple[tuple[Field, int, Path], ...]]
"""The places by attribute, each with its field and its number among the places of the field."""


def places(clients: Sequence[Client]) -> dict[Field, tuple[Place, ...]]:
    """Returns for each field the places to look for it, in the order in which they are tried."""
    ranked: dict[Field, list[tuple[int, Place]]] = defaultdict(list)
    for client in clients:
        for field, names in client.names.items():
            ranked[field] += [ranked_place(client, name) for name in names]
        ranked[KIND] += [(rule.rank, (rule.attribute, ())) for rule in client.kinds if rule.attribute]
        ranked[USAGE] += [ranked_place(client, name) for name in client.usage_objects]
        ranked[REPORTED_COSTS] += [ranked_place(client, name) for name in client.cost_objects]
    return {field: tuple(place for _, place in sorted(entries, key=itemgetter(0))) for field, entries in ranked.items()}


def ranked_place(client: Client, name: str | RankedAttributeName) -> tuple[int, Place]:
    rank, plain = name if isinstance(name, tuple) else (client.rank, name)
    attribute, *path = plain.split(">")
    return rank, (attribute, tuple(path))


def index(places: dict[Field, tuple[Place, ...]]) -> Index:
    """Returns the places by attribute.

    A span has a dozen attributes and the clients have two hundred, so a span's attributes are looked up here.
    """
    by_attribute: dict[str, list[tuple[Field, int, Path]]] = defaultdict(list)
    for field, entries in places.items():
        for number, (attribute, path) in enumerate(entries):
            by_attribute[attribute].append((field, number, path))
    return {attribute: tuple(entries) for attribute, entries in by_attribute.items()}


def any_of(patterns: Iterable[str], form: str) -> re.Pattern[str]:
    """Returns one pattern for all patterns, which replace `{}` in `form`."""
    return re.compile(form.format("|".join(patterns)))


CLIENTS = load_clients()

COMMON_CLIENTS = [client for client in CLIENTS if not client.span_names]
PLACES = places(COMMON_CLIENTS)
INDEX = index(PLACES)
INDEX_OF_SPAN = {name: index(places([*COMMON_CLIENTS, client])) for client in CLIENTS for name in client.span_names}
"""The places in spans with a name by which a client is recognised: its own attributes are read only there."""
KIND_RULES = sorted((rule for client in CLIENTS for rule in client.kinds), key=attrgetter("rank"))
KIND_BY_ATTRIBUTE = {rule.attribute: rule.kind for rule in KIND_RULES if rule.attribute}
OTHER_KINDS = tuple(rule.kind for rule in KIND_RULES if not rule.attribute)
CONTENT = any_of((pattern for client in CLIENTS for pattern in client.contents), "^(?:{})")
READERS: dict[str, FactsReader] = {kind: reader for client in CLIENTS for kind, reader in client.readers.items()}
CLIENT_PAIRINGS: tuple[Pairing, ...] = tuple(client.pairing for client in CLIENTS if client.pairing)

EXCLUDES_CACHE = tuple(client.excludes_cache for client in CLIENTS if client.excludes_cache)
PROVIDER_SUFFIX = any_of((suffix for client in CLIENTS for suffix in client.provider_suffixes), r"\.({})$")

AGENT_PREFIX = any_of((prefix for client in CLIENTS for prefix in client.agent_prefixes), "^({}) ")
AGENT_SUFFIX = any_of((re.escape(suffix) for client in CLIENTS for suffix in client.agent_suffixes), "({})$")
AGENT_SCOPES = frozenset(scope for client in CLIENTS for scope in client.agent_scopes)

FAILURE_VALUES = tuple(item for client in CLIENTS for item in client.failure_values.items())
ERROR_TYPES = tuple(re.compile(f"^{client.error_type_pattern}$") for client in CLIENTS if client.error_type_pattern)
FIRST_TOKEN_EVENTS = frozenset(name for client in CLIENTS for name in client.first_token_events)
SERVER_TIMES_IN_MS = tuple(client.server_time_in_ms for client in CLIENTS if client.server_time_in_ms)
STATES_OWN_VERSION = tuple(client.states_own_version for client in CLIENTS if client.states_own_version)

TRACE_LABELS = any_of((pattern for client in CLIENTS for pattern in client.trace_labels), "^(?:{})")

PLACEHOLDERS = tuple(text for client in CLIENTS for text in client.placeholders)
GENERATED_SESSION = any_of((client.generated_session for client in CLIENTS if client.generated_session), "^(?:{})$")
RESPONSE_ID_PATTERNS = tuple(item for client in CLIENTS for item in client.response_id_patterns.items())

PROVIDER_SCOPE = any_of((scope for client in CLIENTS for scope in client.provider_scopes), "^(?:{})$")
INVENTED_ID_SCOPES = frozenset(scope for client in CLIENTS for scope in client.invented_id_scopes)
REPEATED_KINDS = {scope: kinds for client in CLIENTS for scope, kinds in client.repeated_kinds.items()}
LATE_SCOPES = tuple(scope for client in CLIENTS for scope in client.late_scopes)
TIMELESS_TRACE_IDS = tuple(beginning for client in CLIENTS for beginning in client.timeless_trace_ids)
CLIENT_CALL_SCOPES = frozenset(scope for client in CLIENTS for scope in client.client_call_scopes)
