"""`manage.py labels` changes the choice of labels, and `manage.py relabel` carries it into stored rows."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest import relabel as module
from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import Sent, chat, send, stored
from tests.ingest.test_environment_and_release import Of, send_of
from tests.ingest.test_labels import ACME, SOURCES, TRACES, choose, labels, send_items
from tests.ingest.test_repetitions import final
from tests.tenant import Tenant
from workspaces.models import LabelSource, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

DAY_SECONDS = 24 * 3600


def run(*args: Any) -> list[str]:
    out = StringIO()
    call_command(*map(str, args), stdout=out)
    return out.getvalue().splitlines()


# --- The choice ---


def test_labels_shows_and_changes_the_choice() -> None:
    workspace = WorkspaceFactory()
    assert run("labels", workspace.id) == []
    added = run("labels", workspace.id, "--add", "metadata.customer=customer", "--add", "tag.tags.team=team")
    assert added == ["metadata.customer = customer", "tag.tags.team = team"]
    assert run("labels", workspace.id, "--remove", "team") == ["metadata.customer = customer"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("--add", "metadata.customer"), "must be a text"),
        (("--add", "=customer"), "must be a text"),
        (("--add", "a= customer"), "without spaces"),
        (("--add", "a=b\nc"), "line breaks"),
        (("--add", f"{'ä' * 129}=customer"), "256 bytes"),
        (("--add", "input.value=question"), "prompts or completions"),
        (("--add", "taken=other"), "has a label already"),
        (("--remove", "customer"), "No attribute is chosen"),
    ],
)
def test_labels_says_what_is_wrong_with_a_choice_and_changes_nothing(change: tuple[str, str], error: str) -> None:
    workspace = WorkspaceFactory()
    LabelSource.objects.create(workspace=workspace, attribute="taken", label="label")
    with pytest.raises(CommandError, match=error):
        run("labels", workspace.id, "--add", "fine=fine", *change)
    assert run("labels", workspace.id) == ["taken = label"]


def test_a_workspace_has_at_most_16_labels_and_64_attributes() -> None:
    workspace = WorkspaceFactory()
    choose(workspace, {f"a{number}": f"l{number}" for number in range(16)})
    with pytest.raises(CommandError, match="at most 16 labels"):
        run("labels", workspace.id, "--add", "a16=l16")
    choose(workspace, {f"a{number}": "l0" for number in range(16, 64)})
    with pytest.raises(CommandError, match="at most 64 attributes"):
        run("labels", workspace.id, "--add", "a64=l0")


@pytest.mark.parametrize("command", ["labels", "relabel"])
def test_an_unknown_workspace_is_an_error(command: str) -> None:
    with pytest.raises(CommandError, match="no workspace"):
        run(command, "00000000-0000-0000-0000-000000000001")


def test_the_admin_says_what_is_wrong_with_a_choice(admin_client: Any) -> None:
    values = {"workspace": WorkspaceFactory().id, "attribute": "input.value", "label": "question"}
    answer = admin_client.post("/admin/workspaces/labelsource/add/", values)
    assert "holds prompts or completions" in answer.content.decode()
    answer = admin_client.post("/admin/workspaces/labelsource/add/", values | {"attribute": "metadata.question"})
    assert (answer.status_code, LabelSource.objects.count()) == (302, 1)


# --- Stored rows ---


@pytest.mark.parametrize(("spans", "expected"), TRACES.values(), ids=TRACES.keys())
def test_relabelled_rows_are_those_of_spans_that_arrive_after_the_choice(
    tenant: Tenant, settings: Any, spans: list[Of], expected: list[dict[str, str]]
) -> None:
    send_of(tenant, *spans)
    choose(tenant.workspace)
    dry, real = run("relabel", tenant.workspace.id, "--dry-run"), run("relabel", tenant.workspace.id)
    assert labels(tenant) == expected
    assert [line.replace("would change", "changed") for line in dry] == real
    assert run("relabel", tenant.workspace.id)[-1] == "in all 0 rows changed"
    rows = final(tenant)
    send_of(tenant, *spans)
    assert final(tenant) == rows


def test_a_dry_run_counts_by_label_and_changes_nothing(tenant: Tenant) -> None:
    choose(tenant.workspace, {"metadata.customer": "customer", "region": "region"})
    send(tenant, Sent(1, attributes={"metadata": ACME, "region": "eu"}), chat(2, 1, attributes={"customer.id": "x"}))
    run("labels", tenant.workspace.id, "--remove", "customer", "--remove", "region", "--add", "customer.id=customer")
    before = final(tenant)
    assert run("relabel", tenant.workspace.id, "--dry-run")[-3:] == [
        "in all 2 rows would change",
        "  customer: added 0, changed 1, removed 1",
        "  region: added 0, changed 0, removed 2",
    ]
    assert final(tenant) == before


def test_a_trace_over_midnight_and_several_batches_counts_once(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    metadata = {"metadata": ACME}
    send(
        tenant,
        *(Sent(1, attributes=metadata), chat(2, 1, start=1), chat(3, 1, attributes=metadata, start=2)),
        *(chat(4, 1, start=DAY_SECONDS, end=DAY_SECONDS), chat(5, 1, start=-DAY_SECONDS, end=1)),
    )
    choose(tenant.workspace)
    dry, real = run("relabel", tenant.workspace.id, "--dry-run"), run("relabel", tenant.workspace.id)
    assert dry[-2:] == ["in all 5 rows would change", "  customer: added 5, changed 0, removed 0"]
    assert real[-2:] == ["in all 5 rows changed", "  customer: added 5, changed 0, removed 0"]
    assert labels(tenant) == [ACME] * 5


def test_labels_that_an_item_gives_itself_stay(tenant: Tenant) -> None:
    choose(tenant.workspace)
    attributes = {"metadata": {"customer": "other", "feature": "search"}}
    send_items(
        tenant, {"labels": ACME, "attributes": attributes}, {"span_id": "s", "labels": ACME} | {"attributes": {}}
    )
    for label in ("customer", "feature"):
        run("labels", tenant.workspace.id, "--remove", label)
    run("relabel", tenant.workspace.id)
    assert labels(tenant) == [ACME, ACME]
    choose(tenant.workspace, {"metadata.feature": "feature"})
    run("relabel", tenant.workspace.id)
    assert sorted(labels(tenant), key=len) == [ACME, ACME | {"feature": "search"}]


def test_stopped_after_a_day_it_goes_on_where_rows_still_differ(tenant: Tenant) -> None:
    send(tenant, *(chat(n, trace=n, attributes={"metadata": ACME}, start=-n * DAY_SECONDS, end=1) for n in (1, 2)))
    choose(tenant.workspace)
    days: Iterator[Any] = module.relabel(tenant.workspace.id, dry_run=False)
    next(days)
    assert labels(tenant) == [ACME, {}]
    send(tenant, chat(3, trace=3, attributes={"metadata": ACME}))
    assert run("relabel", tenant.workspace.id)[-2:] == [
        "in all 1 rows changed",
        "  customer: added 1, changed 0, removed 0",
    ]
    assert labels(tenant) == [ACME] * 3


def test_it_uses_the_choice_of_the_moment(tenant: Tenant) -> None:
    send(tenant, *(chat(n, trace=n, attributes={"metadata": ACME}, start=-n * DAY_SECONDS, end=1) for n in (1, 2)))
    days = module.relabel(tenant.workspace.id, dry_run=False)
    next(days)
    choose(Workspace.objects.get(pk=tenant.workspace.id))
    next(days)
    assert labels(tenant) == [{}, ACME]


def test_all_other_columns_and_all_sums_stay(tenant: Tenant) -> None:
    spans = [
        Sent(1, attributes={"metadata": ACME, "user.id": "ada"}),
        chat(2, 1, response_id="r1"),
        chat(3, 2, response_id="r1", scope="com.anthropic.sdk.python"),
    ]
    send(tenant, *spans)
    changing = {"labels", "span_facts"}
    before = [{k: v for k, v in row.items() if k not in changing} for row in final(tenant)]
    asked = [tenant.ask(name) for name in ("usage/overview", "cost/by-model", "usage/top-users", "performance/latency")]
    choose(tenant.workspace)
    run("relabel", tenant.workspace.id)
    assert [{k: v for k, v in row.items() if k not in changing} for row in final(tenant)] == before
    assert [
        tenant.ask(name) for name in ("usage/overview", "cost/by-model", "usage/top-users", "performance/latency")
    ] == asked
    assert [json.loads(row["labels"]) for row in stored(tenant)] == [ACME] * 3


def test_another_workspace_stays_as_it_is(tenant: Tenant, settings: Any) -> None:
    other = Tenant(WorkspaceFactory(), tenant.client)
    settings.OPEN_WORKSPACE_IDS |= {other.workspace.id}
    send(tenant, chat(1, attributes={"metadata": ACME}))
    choose(other.workspace, SOURCES)
    run("relabel", other.workspace.id)
    assert labels(tenant) == [{}]
