"""Dashboards over HTTP: made, listed, changed, copied, starred, restored, deleted, by everybody who may."""

from typing import Any
from uuid import uuid4

import pytest

from dashboards.models import Dashboard, Revision
from dashboards.revisions import MOST_REVISIONS
from tests.dashboards.dashboards import CALLS, COST, DOCUMENT, Caller, a_caller, a_program, errors
from workspaces.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Caller:
    return a_caller(Role.EDITOR)


def another(caller: Caller, role: Role = Role.EDITOR) -> Caller:
    return a_caller(role, caller.workspace)


def test_a_document_makes_a_dashboard_that_everybody_in_the_workspace_reads(editor: Caller) -> None:
    made = editor.make()
    assert (made["name"], made["revision"], made["owner"]) == ("Finance", 1, editor.user.username)
    viewer = another(editor, Role.VIEWER)
    read = viewer.get(made)
    assert read["document"]["panels"][0]["measures"] == ["cost_usd"]
    assert (read["may_edit"], read["may_delete"]) == (False, False)
    assert [one["name"] for one in viewer.send("get")["data"]] == ["Finance"]


def test_what_is_exported_makes_the_same_dashboard_elsewhere(editor: Caller) -> None:
    made = editor.make(variables=[{"name": "agent", "dimension": "agent_id"}], filters={"model": "gpt-4o"})
    exported = editor.send("get", f"/{made['id']}/export")
    elsewhere = a_caller(Role.EDITOR)
    assert elsewhere.send("post", "", exported, 201)["document"] == made["document"] == exported


def test_a_dashboard_that_is_sent_again_with_its_id_is_not_made_again(editor: Caller) -> None:
    own_id = str(uuid4())
    assert editor.make(id=own_id)["id"] == own_id
    editor.make(200, id=own_id)
    assert Dashboard.objects.count() == 1
    a_caller(Role.EDITOR).make(409, id=own_id)


def test_the_list_is_searched_and_begins_with_stars(editor: Caller) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        editor.make(name=name, description=f"about {name.lower()}")
    beta = editor.send("get", "?search=ABOUT BETA")["data"][0]
    editor.send("put", f"/{beta['id']}/star")
    assert [one["name"] for one in editor.send("get")["data"]] == ["Beta", "Alpha", "Gamma"]
    assert [one["name"] for one in editor.send("get", "?starred=true")["data"]] == ["Beta"]
    assert [one["is_starred"] for one in another(editor).send("get")["data"]] == [False, False, False]
    editor.send("delete", f"/{beta['id']}/star")
    assert editor.send("get", "?starred=true")["data"] == []


def test_a_viewer_looks_and_stars_and_changes_nothing(editor: Caller) -> None:
    made, viewer = editor.make(), another(editor, Role.VIEWER)
    path = f"/{made['id']}"
    viewer.make(403)
    viewer.put(made, 403)
    for method, place in (
        ("patch", path),
        ("delete", path),
        ("post", f"{path}/duplicate"),
        ("post", f"{path}/panels"),
        ("patch", f"{path}/panels/cost"),
        ("delete", f"{path}/panels/cost"),
        ("post", f"{path}/revisions/1/restore"),
        ("get", f"{path}/links"),
        ("put", "/sharing"),
    ):
        viewer.send(method, place, {}, 403)
    assert viewer.send("put", f"{path}/star")["is_starred"]
    assert viewer.get(made)["document"] == made["document"]


# --- Changes ---


def test_two_editors_never_overwrite_each_other(editor: Caller) -> None:
    made, other = editor.make(), another(editor)
    assert editor.put(made, name="First")["revision"] == 2
    refused = other.put(made, 412, name="Second")
    assert refused["detail"].startswith(f"{editor.user.username} has changed this dashboard meanwhile.")
    assert other.get(made)["name"] == "First"
    assert other.put(made, revision=2, name="Second")["name"] == "Second"


def test_a_change_says_which_revision_it_knows(editor: Caller) -> None:
    path = f"/{editor.make()['id']}"
    assert editor.send("patch", path, {"name": "x"}, 428)["detail"].startswith("Send If-Match")
    assert editor.client.get(f"/api/v1/dashboards{path}")["ETag"] == '"1"'
    for tag in ('"1"', 'W/"2"', '"7", "3"', "*"):
        editor.send("patch", path, {"name": f"after {tag}"}, If_Match=tag)


def test_a_part_that_is_left_out_stays(editor: Caller) -> None:
    made = editor.make(description="For all", granularity="daily")
    changed = editor.send("patch", f"/{made['id']}", {"granularity": None}, If_Match='"1"')
    assert changed["document"] == made["document"] | {"granularity": None}


def test_a_change_that_changes_nothing_makes_no_revision(editor: Caller) -> None:
    made = editor.make()
    assert editor.put(made)["revision"] == 1


def test_each_revision_says_what_changed_and_can_be_restored(editor: Caller) -> None:
    made = editor.make()
    moved = COST | {"place": {"x": 0, "y": 9, "width": 12, "height": 6}}
    editor.put(made, panels=[moved, CALLS], name="Money")
    editor.put(made, revision=2, panels=[CALLS | {"title": "All calls"}], filters={"agent_id": ["a"]}, name="Money")
    listed = editor.send("get", f"/{made['id']}/revisions")["data"]
    assert [one["summary"] for one in listed] == [
        "Cost removed; All calls changed; filters changed",
        "Cost moved; renamed to Money",
        "Made",
    ]
    restored = editor.send("post", f"/{made['id']}/revisions/1/restore")
    assert (restored["revision"], restored["document"], restored["name"]) == (4, made["document"], "Finance")
    editor.send("post", f"/{made['id']}/revisions/9/restore", None, 404)


def test_the_newest_hundred_revisions_are_stored(editor: Caller) -> None:
    made = editor.make()
    Dashboard.objects.update(revision=MOST_REVISIONS)
    Revision.objects.update(number=1)
    editor.put(made, revision=MOST_REVISIONS, name="Newest")
    assert list(Revision.objects.values_list("number", flat=True)) == [MOST_REVISIONS + 1]


def test_panels_are_added_changed_and_removed_one_by_one(editor: Caller) -> None:
    path = f"/{editor.make()['id']}/panels"
    added = editor.send("post", path, {"kind": "number", "measures": ["errors"]}, 201)
    assert (added["id"], added["panel"]["place"]) == ("p1", {"x": 9, "y": 0, "width": 3, "height": 3})
    editor.send("patch", f"{path}/p1", {"title": "Failed"}, 428)
    changed = editor.send("patch", f"{path}/p1", {"title": "Failed"}, If_Match='"2"')
    assert (changed["panel"]["title"], changed["panel"]["measures"]) == ("Failed", ["errors"])
    editor.send("delete", f"{path}/p1", None, 204)
    editor.send("delete", f"{path}/p1", None, 404)
    refused = editor.send("post", path, {"kind": "line", "measures": ["nothing"]}, 422)
    assert "unknown measure" in errors(refused)["measures.0"]
    refused = editor.send("post", path, {"kind": "donut", "measures": ["calls"]}, 422)
    assert refused["detail"] == "The panel is not valid. by: a panel of the kind donut needs a dimension"


def test_a_panel_over_another_moves_down_until_it_is_free(editor: Caller) -> None:
    made = editor.make(panels=[COST, CALLS | {"place": COST["place"]}])
    assert [panel["place"]["y"] for panel in made["document"]["panels"]] == [0, 6]


def test_a_copy_belongs_to_whoever_makes_it(editor: Caller) -> None:
    made, other = editor.make(), another(editor)
    copy = other.send("post", f"/{made['id']}/duplicate", None, 201)
    assert (copy["name"], copy["owner"], copy["revision"]) == ("Finance (copy)", other.user.username, 1)
    assert copy["document"]["panels"] == made["document"]["panels"]


# --- Who sees and deletes ---


def test_only_its_owner_sees_a_dashboard_of_their_own(editor: Caller) -> None:
    made, owner = editor.make(visibility="me"), another(editor, Role.OWNER)
    for caller in (owner, another(editor), a_program(editor.workspace, "read", "write")):
        caller.get(made, 404)
        caller.put(made, 404)
        assert caller.send("get")["data"] == []
    shared = editor.send("patch", f"/{made['id']}", {"visibility": "workspace"}, If_Match="*")
    assert (shared["visibility"], shared["revision"]) == ("workspace", 1)
    owner.get(made)


def test_nobody_hides_a_dashboard_of_somebody_else(editor: Caller) -> None:
    made = editor.make()
    refused = another(editor).send("patch", f"/{made['id']}", {"visibility": "me"}, 422, If_Match="*")
    assert "visibility" in errors(refused)
    assert "visibility" in errors(a_program(editor.workspace, "write").make(422, visibility="me"))


def test_its_owner_and_owners_of_the_workspace_delete_a_dashboard(editor: Caller) -> None:
    first, second = editor.make(), editor.make()
    another(editor).send("delete", f"/{first['id']}", None, 403)
    a_program(editor.workspace, "write").send("delete", f"/{first['id']}", None, 403)
    editor.send("delete", f"/{first['id']}", None, 204)
    another(editor, Role.OWNER).send("delete", f"/{second['id']}", None, 204)
    assert Dashboard.objects.count() == 0


def test_a_key_makes_changes_and_deletes_what_no_person_owns(editor: Caller) -> None:
    program = a_program(editor.workspace, "read", "write")
    made = program.make()
    assert made["owner"].startswith("key aop_")
    assert program.put(made, name="By a program")["changed_by"].startswith("key aop_")
    program.send("put", f"/{made['id']}/star", None, 403)
    program.send("delete", f"/{made['id']}", None, 204)
    a_program(editor.workspace, "read").make(403)


def test_another_workspace_does_not_know_the_dashboard(editor: Caller) -> None:
    made, stranger = editor.make(), a_caller(Role.OWNER)
    path = f"/{made['id']}"
    stranger.put(made, 404)
    for method, place in (
        ("get", path),
        ("get", f"{path}/export"),
        ("get", f"{path}/revisions"),
        ("get", f"{path}/links"),
        ("get", f"{path}/panels/cost"),
        ("delete", path),
        ("post", f"{path}/duplicate"),
        ("post", f"{path}/revisions/1/restore"),
        ("put", f"{path}/star"),
        ("delete", f"{path}/panels/cost"),
    ):
        stranger.send(method, place, None, 404)
    stranger.send("post", f"{path}/links", {}, 404)


# --- What is no longer valid ---


def test_a_panel_that_has_become_invalid_harms_no_other_and_stops_no_change(editor: Caller) -> None:
    made = editor.make()
    document: dict[str, Any] = made["document"]
    document["panels"][0]["measures"] = ["gone"]
    Dashboard.objects.update(document=document)
    [invalid] = editor.get(made)["invalid_panels"]
    assert (invalid["id"], invalid["errors"][0][:32]) == ("cost", 'measures[0]: unknown measure "go')
    changed = editor.send("patch", f"/{made['id']}", {"name": "Still works"}, If_Match="*")
    assert [panel["id"] for panel in changed["document"]["panels"]] == ["cost", "calls"]
    refused = editor.send("patch", f"/{made['id']}/panels/calls", {"measures": ["gone"]}, 422, If_Match="*")
    assert "measures.0" in errors(refused)
    editor.send("delete", f"/{made['id']}/panels/cost", None, 204)
    assert editor.get(made)["invalid_panels"] == []


def test_a_body_is_json_and_an_object(editor: Caller) -> None:
    response = editor.client.post("/api/v1/dashboards", {"name": "x"})
    assert response.status_code == 415
    editor.send("post", "", [DOCUMENT], 422)
    assert editor.client.post("/api/v1/dashboards", "{", content_type="application/json").status_code == 400
