"""Dashboards from the files of DASHBOARDS_DIR: made, updated and deleted, and what a wrong file does."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dashboards.models import Dashboard
from dashboards.seeds import seed
from tests.dashboards.dashboards import DOCUMENT, a_caller
from tests.factories import WorkspaceFactory
from workspaces.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DASHBOARDS_DIR = str(tmp_path)
    return tmp_path


def write(folder: Path, file: str = "finance.json", /, **parts: Any) -> None:
    (folder / file).write_text(json.dumps(DOCUMENT | parts))


def names() -> list[tuple[str, str]]:
    return sorted(Dashboard.objects.values_list("workspace__name", "name"))


def test_a_file_makes_a_dashboard_in_every_workspace_or_in_those_it_names(folder: Path) -> None:
    first, second = WorkspaceFactory(name="A"), WorkspaceFactory(name="B")
    write(folder, "all.json", name="All")
    write(folder, "one.json", name="One", workspaces=[str(second.pk)])
    write(folder, "other.json", name="Other", workspaces=[first.name])
    (folder / "notes.txt").write_text("not a dashboard")
    assert seed() == (3, [])
    assert names() == [("A", "All"), ("A", "Other"), ("B", "All"), ("B", "One")]


def test_seeding_again_changes_nothing_and_a_changed_file_is_a_revision(folder: Path) -> None:
    WorkspaceFactory()
    write(folder)
    seed()
    seed()
    assert Dashboard.objects.get().revision == 1
    write(folder, name="Money")
    seed()
    dashboard = Dashboard.objects.get()
    assert (dashboard.name, dashboard.revision) == ("Money", 2)
    assert [one.summary for one in dashboard.revisions.all()] == ["Renamed to Money", "Made"]


def test_a_dashboard_without_its_file_is_deleted(folder: Path) -> None:
    caller = a_caller(Role.EDITOR)
    caller.make(name="By hand")
    write(folder)
    seed()
    (folder / "finance.json").unlink()
    seed()
    assert [name for _, name in names()] == ["By hand"]


def test_a_wrong_file_is_named_with_its_place_and_stops_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    WorkspaceFactory(name="A")
    write(folder, "good.json", name="Good")
    write(folder, "stays.json", name="Stays")
    seed()
    write(folder, "stays.json", panels=[{**DOCUMENT["panels"][0], "measures": ["call"]}])
    (folder / "broken.json").write_text("{")
    write(folder, "nowhere.json", workspaces=["nobody"])
    with caplog.at_level(logging.WARNING):
        result = seed()
    assert [error.partition(" ")[0] for error in result.errors] == ["broken.json:", "stays.json:", "nowhere.json:"]
    assert 'stays.json: panels[0].measures[0]: unknown measure "call"; did you mean calls?' in caplog.text
    assert names() == [("A", "Good"), ("A", "Stays")]


def test_a_folder_that_is_not_there_deletes_nothing(folder: Path, settings: Any) -> None:
    WorkspaceFactory()
    write(folder)
    seed()
    settings.DASHBOARDS_DIR = str(folder / "gone")
    assert "no folder that can be read" in seed().errors[0]
    assert Dashboard.objects.count() == 1


def test_nobody_edits_it_and_everybody_may_copy_it(folder: Path) -> None:
    owner = a_caller(Role.OWNER)
    write(folder)
    seed()
    [found] = owner.send("get")["data"]
    assert (found["source_file"], found["may_edit"], found["may_delete"]) == ("finance.json", False, False)
    assert "from a file" in owner.page().content.decode()
    path = f"/{found['id']}"
    for method, place in (("patch", path), ("delete", path), ("post", f"{path}/revisions/1/restore")):
        detail = owner.send(method, place, {}, 403, If_Match="*")["detail"]
        assert detail == "This dashboard is from the file finance.json. Duplicate it to change it."
    assert owner.send("post", f"{path}/duplicate", None, 201)["may_edit"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_new_workspace_gets_them_and_each_start_reads_them(folder: Path) -> None:
    write(folder)
    WorkspaceFactory(name="New")
    assert names() == [("New", "Finance")]
    write(folder, name="Money")
    call_command("migrate", database="default", verbosity=0)
    assert names() == [("New", "Money")]


def test_the_command_says_what_is_wrong(folder: Path, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder)
    call_command("seed_dashboards")
    assert capsys.readouterr().out == "1 files\n"
    (folder / "broken.json").write_text("[]")
    with pytest.raises(CommandError, match=r"broken\.json: must be an object"):
        call_command("seed_dashboards")
    settings.DASHBOARDS_DIR = ""
    with pytest.raises(CommandError, match="DASHBOARDS_DIR is not set"):
        call_command("seed_dashboards")
