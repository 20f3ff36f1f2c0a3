"""Attributes that a workspace has chosen become labels of its spans, whatever order the spans come in."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest

from ingest.label_sources import add_label_source, remove_label
from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import Sent, chat, send, stored
from tests.ingest.test_environment_and_release import Of, send_of
from tests.ingest.test_repetitions import final
from tests.tenant import NOON, Tenant, iso
from workspaces.models import LabelSource, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

SOURCES = {
    "metadata.customer": "customer",
    "tag.tags.customer": "customer",
    "langfuse.trace.tags.customer": "customer",
    "langfuse.trace.metadata.customer": "customer",
    "traceloop.association.properties.customer": "customer",
    "ai.telemetry.metadata.customer": "customer",
    "customer.id": "customer",
    "metadata.feature": "feature",
    "app.feature": "feature",
    "team": "team",
}


def choose(workspace: Workspace, sources: Mapping[str, str] = SOURCES) -> None:
    for attribute, label in sources.items():
        add_label_source(workspace, attribute, label, "a test")


def labels(tenant: Tenant) -> list[dict[str, str]]:
    return [json.loads(row["labels"] or "{}") for row in stored(tenant)]


ACME = {"customer": "acme"}
SPELLINGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "an attribute of this name": ({"metadata.customer": "acme"}, ACME),
    "a key of an object": ({"metadata": {"customer": "acme"}}, ACME),
    "a key of JSON in a text": ({"metadata": '{"customer": "acme"}'}, ACME),
    "a name with dots inside an object": ({"customer": {"id": "acme"}}, ACME),
    "a tag with a colon": ({"tag.tags": ["beta", "customer:acme"]}, ACME),
    "a tag of Langfuse in JSON": ({"langfuse.trace.tags": '["customer: acme"]'}, ACME),
    "metadata of Langfuse's trace": ({"langfuse.trace.metadata.customer": "acme"}, ACME),
    "metadata of Langfuse's trace in one text": ({"langfuse.trace.metadata": '{"customer": "acme"}'}, ACME),
    "an association property of Traceloop": ({"traceloop.association.properties.customer": "acme"}, ACME),
    "metadata of the Vercel AI SDK": ({"ai.telemetry.metadata.customer": "acme"}, ACME),
    "a whole number": ({"metadata": {"customer": 42}}, {"customer": "42"}),
    "a whole number from JavaScript": ({"metadata": {"customer": 42.0}}, {"customer": "42"}),
    "a truth": ({"metadata": {"customer": True}}, {"customer": "true"}),
    "a text in JSON quotes": ({"metadata.customer": '"acme"'}, ACME),
    "the first choice wins": ({"customer.id": "other", "metadata.customer": "acme"}, ACME),
    "a word for nothing is nothing": ({"metadata": {"customer": "undefined", "feature": " "}}, {}),
    "a hidden value is nothing": ({"metadata.customer": "[Scrubbed due to 'auth']"}, {}),
    "an object is no value": ({"metadata": {"customer": {"name": "acme"}}}, {}),
    "what is too long is left out": ({"metadata": {"customer": "x" * 257, "feature": "search"}}, {"feature": "search"}),
    "what PostgreSQL refuses is replaced": ({"metadata": '{"customer": "a\\u0000b"}'}, {"customer": "a\ufffdb"}),
    "what is not chosen is no label": ({"metadata": {"region": "eu"}, "tags": ["customer:acme"]}, {}),
}


@pytest.mark.parametrize(("attributes", "expected"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_chosen_attribute_becomes_a_label(
    tenant: Tenant, attributes: dict[str, Any], expected: dict[str, str]
) -> None:
    choose(tenant.workspace)
    send(tenant, chat(1, attributes=attributes))
    assert labels(tenant) == [expected]


TRACES: dict[str, tuple[list[Of], list[dict[str, str]]]] = {
    "on the resource": ([Of(chat(1), {"team": "checkout"})], [{"team": "checkout"}]),
    "the span knows better than the resource": (
        [Of(chat(1, attributes={"team": "search"}), {"team": "checkout"})],
        [{"team": "search"}],
    ),
    "the resource of one process says nothing of another": (
        [Of(Sent(1), {"team": "checkout"}), Of(chat(2, 1), {"team": "search"}), Of(chat(3, 1))],
        [{"team": "checkout"}, {"team": "search"}, {}],
    ),
    "spans below take what the span above says": (
        [Of(Sent(1, attributes={"metadata": ACME})), Of(Sent(2, 1)), Of(chat(3, 2))],
        [ACME, ACME, ACME],
    ),
    "each label is inherited alone, and the nearest span wins": (
        [
            Of(Sent(1, attributes={"metadata": ACME | {"feature": "chat"}})),
            Of(Sent(2, 1, attributes={"app.feature": "search"})),
            Of(chat(3, 2)),
            Of(chat(4, 1)),
        ],
        [
            ACME | {"feature": "chat"},
            ACME | {"feature": "search"},
            ACME | {"feature": "search"},
            ACME | {"feature": "chat"},
        ],
    ),
    "a label of one span is none of the spans beside it and above": (
        [Of(Sent(1)), Of(chat(2, 1, attributes={"app.feature": "search"})), Of(chat(3, 1))],
        [{}, {"feature": "search"}, {}],
    ),
    "the root speaks for spans whose parent is missing": (
        [Of(Sent(1, attributes={"metadata": ACME})), Of(chat(2, 9))],
        [ACME, ACME],
    ),
    "metadata of the trace is that of all spans, whichever span has it": (
        [Of(Sent(1)), Of(chat(2, 1, attributes={"langfuse.trace.metadata.customer": "acme"})), Of(chat(3, 1))],
        [ACME, ACME, ACME],
    ),
    "tags are those of all spans, and a span keeps its own": (
        [
            Of(Sent(1)),
            Of(Sent(2, 1, attributes={"langfuse.trace.tags": ["customer:acme"]})),
            Of(chat(3, 1, attributes={"metadata": {"customer": "other"}})),
        ],
        [ACME, ACME, {"customer": "other"}],
    ),
}


@pytest.mark.parametrize(("spans", "expected"), TRACES.values(), ids=TRACES.keys())
def test_labels_are_the_same_in_every_order(
    tenant: Tenant, settings: Any, spans: list[Of], expected: list[dict[str, str]]
) -> None:
    choose(tenant.workspace)
    send_of(tenant, *spans)
    assert labels(tenant) == expected
    rows = final(tenant)
    for order in itertools.permutations(spans):
        other = Tenant(WorkspaceFactory(), tenant.client)
        choose(other.workspace)
        settings.OPEN_WORKSPACE_IDS |= {other.workspace.id}
        tenant.client.defaults["HTTP_X_WORKSPACE_ID"] = str(other.workspace.id)
        for span in order:
            send_of(other, span)
        send_of(other, *order)
        assert final(other) == rows


def test_two_copies_of_a_span_give_the_labels_of_their_merged_attributes(tenant: Tenant) -> None:
    choose(tenant.workspace)
    first, second = chat(1, attributes={"metadata.customer": "acme"}), chat(1, attributes={"app.feature": "search"})
    send(tenant, first)
    send(tenant, second)
    send(tenant, first, second)
    assert labels(tenant) == [ACME | {"feature": "search"}]


def test_the_next_spans_have_the_labels_of_a_changed_choice(tenant: Tenant) -> None:
    for number, change in enumerate((None, choose, lambda workspace: remove_label(workspace, "customer", "a test"))):
        if change:
            change(tenant.workspace)
        send(tenant, chat(number + 1, trace=number + 1, attributes={"metadata": ACME}))
    assert labels(tenant) == [{}, ACME, {}]


def test_a_repeated_span_keeps_the_labels_that_it_was_stored_with(tenant: Tenant) -> None:
    choose(tenant.workspace)
    span = chat(1, attributes={"metadata": ACME})
    send(tenant, span)
    LabelSource.objects.filter(workspace=tenant.workspace, label="customer").get(attribute="metadata.customer").delete()
    send(tenant, span)
    assert labels(tenant) == [ACME]


def test_prompts_and_completions_are_never_labels(tenant: Tenant) -> None:
    LabelSource.objects.create(workspace=tenant.workspace, attribute="input.value", label="question")
    send(tenant, chat(1, attributes={"input.value": "What is new?"}))
    assert labels(tenant) == [{}]


def test_the_machine_of_a_process_is_not_stored_with_its_spans(tenant: Tenant) -> None:
    resource = {"team": "checkout", "host.name": "a", "process.pid": 7, "telemetry.sdk.name": "x", "long": "x" * 300}
    send_of(tenant, Of(chat(1), resource))
    [row] = stored(tenant)
    assert row["attributes"]["otel.resource"] == {"team": "checkout"}


def send_items(tenant: Tenant, *items: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"traces": [{"agent_id": "support", "timestamp": iso(NOON)} | item for item in items]})
    answer = tenant.client.post("/api/v1/traces", body, content_type="application/json")
    assert answer.status_code == 200
    read: dict[str, Any] = answer.json()
    return read


def test_a_json_item_has_its_own_labels_and_those_in_its_attributes(tenant: Tenant) -> None:
    choose(tenant.workspace)
    attributes = {"metadata": {"customer": "other", "feature": "search"}}
    send_items(tenant, {"labels": ACME, "attributes": attributes}, {"attributes": attributes})
    assert sorted(labels(tenant), key=str) == [
        ACME | {"feature": "search"},
        {"customer": "other", "feature": "search"},
    ]


def test_a_json_item_has_at_most_16_labels_and_gives_up_none_of_its_own(tenant: Tenant) -> None:
    choose(tenant.workspace)
    own = {f"z{number}": "x" for number in range(15)}
    send_items(tenant, {"labels": own, "attributes": {"metadata": {"customer": "acme", "feature": "search"}}})
    assert labels(tenant) == [own | ACME]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_copies_of_a_json_item_have_the_labels_of_both(tenant: Tenant, order: tuple[int, int]) -> None:
    choose(tenant.workspace)
    identity = {"trace_id": "t", "span_id": "s"}
    copies: list[dict[str, Any]] = [{"attributes": {"metadata": {"feature": "search"}}}, {"labels": ACME}]
    for number in order:
        send_items(tenant, identity | copies[number])
    assert labels(tenant) == [ACME | {"feature": "search"}]
    assert send_items(tenant, identity | copies[0])["duplicates"] == 1
