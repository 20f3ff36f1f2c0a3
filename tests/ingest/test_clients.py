"""The files in `ingest/clients/`: each is found, and its names, kinds and contents get into the rules."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import client_rules, clients, fields
from ingest.client import Client
from ingest.clients import load_clients

FAKE_SDK = """
from ingest import fields
from ingest.client import Client, KindRule

CLIENT = Client(
    rank=67,
    names={fields.USER: ("fake_sdk.user", (5, "fake_sdk.first_user")), fields.USED_MODEL: ("fake_sdk>answer>model",)},
    kinds=(KindRule(15, lambda span: "llm", "fake_sdk.kind"),),
    usage_objects=("fake_sdk.usage",),
)
"""


def test_every_file_is_a_client_with_a_rank_of_its_own() -> None:
    files = [path for path in Path(clients.__file__).parent.glob("*.py") if path.stem != "__init__"]
    assert len(client_rules.CLIENTS) == len(files)
    assert len({client.rank for client in client_rules.CLIENTS}) == len(files)


def test_no_field_has_a_name_twice() -> None:
    for field, places in client_rules.PLACES.items():
        assert len(places) == len(set(places)), field.name


def test_no_two_rules_for_kinds_have_the_same_rank() -> None:
    ranks = [rule.rank for rule in client_rules.KIND_RULES]
    assert len(ranks) == len(set(ranks))


@pytest.fixture
def with_fake_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Client]]:
    """Adds a client in a new file, and changes no other file."""
    (tmp_path / "fake_sdk.py").write_text(FAKE_SDK)
    monkeypatch.setattr(clients, "__path__", [*clients.__path__, str(tmp_path)])
    yield load_clients()
    del sys.modules["ingest.clients.fake_sdk"]


def test_a_new_file_is_a_client(with_fake_sdk: list[Client]) -> None:
    assert len(with_fake_sdk) == len(client_rules.CLIENTS) + 1


def test_names_are_ordered_by_the_clients_ranks_unless_they_have_their_own(with_fake_sdk: list[Client]) -> None:
    users = [name for name, _ in client_rules.places(with_fake_sdk)[fields.USER]]
    assert users[0] == "fake_sdk.first_user"
    assert users.index("fake_sdk.user") == users.index("ai.telemetry.metadata.userId") - 1


def test_a_name_can_lead_into_an_attribute(with_fake_sdk: list[Client]) -> None:
    assert ("fake_sdk", ("answer", "model")) in client_rules.places(with_fake_sdk)[fields.USED_MODEL]


def test_usage_objects_are_looked_for(with_fake_sdk: list[Client]) -> None:
    assert ("fake_sdk.usage", ()) in client_rules.places(with_fake_sdk)[fields.USAGE]


def test_the_attribute_of_a_rule_is_looked_for(with_fake_sdk: list[Client]) -> None:
    kinds = [name for name, _ in client_rules.places(with_fake_sdk)[fields.KIND]]
    assert kinds.index("fake_sdk.kind") == kinds.index("openinference.span.kind") + 1
