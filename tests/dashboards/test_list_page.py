"""The page of all dashboards: what it shows to whom, and what its buttons do."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache

from dashboards import gallery
from dashboards.facts import facts
from dashboards.models import Dashboard
from tests.dashboards.dashboards import DOCUMENT, Caller, a_caller
from tests.tenant import NOON, Tenant, iso
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
FACTS = {
    "label": "label.customer",
    "agent": "support",
    "model": "a",
    "other_model": "b",
    "release": "2",
    "previous_release": "1",
    "budget": "Whole workspace",
}


@pytest.fixture
def editor() -> Caller:
    return a_caller(Role.EDITOR)


def text(response: Any) -> str:
    return str(response.content.decode())


def test_an_empty_list_says_what_a_dashboard_is_and_how_to_make_one(editor: Caller) -> None:
    assert "There is no dashboard. A dashboard is a page of your own" in text(editor.page())
    assert "New, empty" in text(editor.page())
    viewer = text(a_caller(Role.VIEWER, editor.workspace).page())
    assert "Editors and owners of the workspace make them." in viewer
    assert "New, empty" not in viewer


def test_one_click_makes_an_empty_dashboard_and_opens_it(editor: Caller) -> None:
    pressed = editor.press(new="1", name="Mine")
    dashboard = Dashboard.objects.get()
    assert pressed["Location"].startswith(f"/dashboard/dashboards/{dashboard.pk}?workspace=")
    assert (dashboard.name, dashboard.owner, dashboard.document["panels"]) == ("Mine", editor.user, [])


@pytest.mark.parametrize("name", gallery.ORDER)
def test_one_click_makes_a_dashboard_of_a_template(editor: Caller, name: str) -> None:
    editor.press(template=name)
    dashboard = Dashboard.objects.get()
    assert dashboard.name == gallery.find(name).title
    assert "@" not in json.dumps(dashboard.document)


@pytest.mark.parametrize("name", gallery.ORDER)
def test_a_template_fits_a_workspace_that_has_everything(name: str) -> None:
    document = gallery.fitted(gallery.find(name), FACTS)
    assert len(document.panels) == len(gallery.find(name).document["panels"])
    assert "@" not in json.dumps(document.as_json())
    assert sum(panel.kind == "text" for panel in document.panels) == 0


def test_facts_are_what_the_workspace_has(editor: Caller) -> None:
    assert facts(editor.workspace) == {}
    cache.clear()
    tenant = Tenant(editor.workspace, editor.client)
    tenant.calls(3, agent_id="support", model="a", release="1", labels={"team": "x"})
    tenant.calls(2, agent_id="sales", model="b", labels={"account": "acme"})
    tenant.calls(1, model="b", labels={"account": "other"})
    found = facts(a_caller(Role.EDITOR, editor.workspace).workspace)
    assert (found["agent"], found["model"], found["other_model"]) == ("support", "a", "b")
    assert (found["release"], found["label"], "previous_release" in found) == ("1", "label.account", False)


def test_finance_uses_the_customer_label_or_says_which_label_to_set(editor: Caller) -> None:
    Tenant(editor.workspace, editor.client).calls(2, labels={"customer": "acme", "team": "x"})
    editor.press(template="finance")
    panels = {panel["id"]: panel for panel in Dashboard.objects.get().document["panels"]}
    assert panels["by-customer"]["by"] == ["label.customer"]
    other = a_caller(Role.EDITOR)
    other.press(template="finance")
    document = Dashboard.objects.get(workspace=other.workspace).document
    panels = {panel["id"]: panel for panel in document["panels"]}
    assert "on the page Labels" in panels["by-customer"]["text"]
    assert document["variables"] == []


def test_a_document_is_imported_as_a_file_or_as_text(editor: Caller) -> None:
    file = BytesIO(json.dumps(DOCUMENT).encode())
    file.name = "finance.json"
    editor.press(**{"import": "1", "file": file})
    editor.press(**{"import": "1", "document": json.dumps(DOCUMENT | {"name": "Pasted"})})
    assert {one.name for one in Dashboard.objects.all()} == {"Finance", "Pasted"}


def board(caller: Caller, dashboard: Any) -> str:
    """Returns the panels of a dashboard's page, without what names the dashboard and the workspace.

    Its window is fixed: one that ends now differs between two pages when a minute ends between them.
    """
    page = text(caller.client.get(f"/dashboard/dashboards/{dashboard['id']}", DAY))
    shown = page.partition('id="board"')[2].partition("<footer")[0]
    for name in (str(caller.workspace.pk), dashboard["id"], dashboard["id"][:8]):
        shown = shown.replace(name, "")
    return shown


@pytest.mark.parametrize("name", gallery.ORDER)
def test_an_export_imports_into_an_empty_workspace_to_the_same_page(editor: Caller, name: str) -> None:
    document = gallery.fitted(gallery.find(name), FACTS).as_json()
    made, other = editor.send("post", "", document, 201), a_caller(Role.EDITOR)
    exported = editor.client.get(f"/dashboard/dashboards/{made['id']}/file").content.decode()
    other.press(**{"import": "1", "document": exported})
    [imported] = other.send("get")["data"]
    assert board(other, imported) == board(editor, made)
    assert board(other, imported).count("hx-get") == len(document["panels"])


def test_a_wrong_document_names_every_place_and_stays_in_its_field(editor: Caller) -> None:
    wrong = json.dumps(DOCUMENT | {"panels": [{"id": "x", "kind": "lines", "place": {"x": 9, "y": 0}}]})
    shown = text(editor.press(422, **{"import": "1", "document": wrong}))
    for place in ("panels[0].kind: must be one of number", "panels[0].place.width: required"):
        assert place in shown
    assert "&quot;kind&quot;: &quot;lines&quot;" in shown
    for broken in ("", "{", "[]", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")):
        editor.press(400 if broken != "[]" else 422, **{"import": "1", "document": broken})
    assert not Dashboard.objects.exists()


def test_a_deletion_is_asked_for_and_confirmed(editor: Caller) -> None:
    made = editor.make()
    assert "Delete “Finance”?" in text(editor.page(delete=made["id"]))
    assert "Delete “" not in text(a_caller(Role.EDITOR, editor.workspace).page(delete=made["id"]))
    assert "Delete “" not in text(editor.page(delete="nonsense"))
    editor.press(delete=made["id"])
    assert not Dashboard.objects.exists()


def test_stars_search_and_copies(editor: Caller) -> None:
    first = editor.make(name="Alpha")
    editor.make(name="Beta")
    editor.press(star=first["id"])
    assert "Take the star of Alpha away" in text(editor.page())
    starred = text(editor.page(starred="true"))
    assert "Alpha" in starred
    assert "Beta" not in starred
    editor.press(unstar=first["id"])
    assert "No dashboard has that." in text(editor.page(starred="true"))
    assert "Beta" not in text(editor.page(search="alp"))
    editor.press(duplicate=first["id"])
    assert "Alpha (copy)" in text(editor.page())


def test_a_viewer_only_stars(editor: Caller) -> None:
    made, viewer = editor.make(), a_caller(Role.VIEWER, editor.workspace)
    viewer.press(star=made["id"])
    for fields in ({"new": "1"}, {"template": "finance"}, {"import": "1"}, {"duplicate": made["id"]}):
        viewer.press(403, **fields)
    viewer.press(403, delete=made["id"])
    viewer.press(403, sharing="allow")
    assert Dashboard.objects.count() == 1


def test_only_owners_allow_public_links(editor: Caller) -> None:
    editor.press(403, sharing="allow")
    assert "Only owners of the workspace change this." in text(editor.page())
    owner = a_caller(Role.OWNER, editor.workspace)
    owner.press(sharing="allow")
    assert "Stop all public links" in text(owner.page())
    owner.press(sharing="stop")
    assert "Public links are off" in text(owner.page())


def test_a_public_link_is_made_on_its_page_shown_once_and_revoked(editor: Caller) -> None:
    owner = a_caller(Role.OWNER, editor.workspace)
    path = f"/dashboard/dashboards/{editor.make()['id']}/share"
    assert "Public links are off in this workspace." in text(owner.client.get(path))
    assert "does not allow public links" in text(owner.client.post(path, {"days": "7"}))
    owner.press(sharing="allow")
    assert "/d/" in text(owner.client.post(path, {"days": "7", "may_choose": "1"}))
    again = text(owner.client.get(path))
    assert "/d/" not in again
    link_id = again.partition('name="revoke"')[2].partition('value="')[2].partition('"')[0]
    assert "revoked" in text(owner.client.post(path, {"revoke": link_id}))
    assert owner.client.post(path, {"revoke": "nonsense"}).status_code == 404
    assert owner.client.post(path, {"days": "400"}).status_code == 422


def test_the_history_restores_an_older_document(editor: Caller) -> None:
    made = editor.make()
    editor.put(made, name="Money")
    path = f"/dashboard/dashboards/{made['id']}/history"
    assert "Renamed to Money" in text(editor.client.get(path))
    viewer = a_caller(Role.VIEWER, editor.workspace)
    assert "Restore" not in text(viewer.client.get(path)).partition("<main")[2].partition("Restoring")[0]
    assert viewer.client.post(path, {"restore": "1"}).status_code == 403
    assert editor.client.post(path, {"restore": "1"}).status_code == 302
    assert Dashboard.objects.get().name == "Finance"
    for number in ("7", "x", "9" * 40):
        assert editor.client.post(path, {"restore": number}).status_code == 404


def test_names_and_descriptions_stay_text(editor: Caller) -> None:
    script = "<script>alert(1)</script>"
    made = editor.make(name=script, description=script, panels=[])
    editor.put(made, name=f"{script}2")
    for path in ("", f"/{made['id']}", f"/{made['id']}/history", f"/{made['id']}/share"):
        shown = text(editor.client.get(f"/dashboard/dashboards{path}"))
        assert script not in shown
        assert "&lt;script&gt;alert(1)" in shown


def test_pages_of_another_workspace_are_not_found(editor: Caller) -> None:
    made, stranger = editor.make(), a_caller(Role.OWNER)
    for part in ("", "/file", "/history", "/share"):
        assert stranger.client.get(f"/dashboard/dashboards/{made['id']}{part}").status_code == 404
    for name in ("duplicate", "delete", "star"):
        response = stranger.client.post(f"/dashboard/dashboards?workspace={stranger.workspace.pk}", {name: made["id"]})
        assert response.status_code == 404
    assert Dashboard.objects.count() == 1
