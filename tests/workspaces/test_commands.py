from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import WorkspaceFactory
from workspaces.models import ApiKey, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue().strip()


def test_create_workspace_prints_its_id() -> None:
    printed = run("create_workspace", "Acme", "--time-zone", "Asia/Kolkata")
    assert Workspace.objects.get(pk=printed).zone.key == "Asia/Kolkata"


def test_create_workspace_refuses_an_unknown_zone_and_a_taken_id() -> None:
    with pytest.raises(CommandError, match="no time zone"):
        run("create_workspace", "Acme", "--time-zone", "Nowhere")
    with pytest.raises(CommandError, match="already exists"):
        run("create_workspace", "Acme", "--id", str(WorkspaceFactory().id))


def test_create_api_key_prints_a_secret_that_works() -> None:
    secret = run("create_api_key", str(WorkspaceFactory().id), "agent", "--scopes", "ingest,read")
    key = ApiKey.objects.find_valid(secret)
    assert key is not None
    assert key.scopes == {"ingest", "read"}


def test_create_api_key_refuses_unknown_scopes_and_workspaces() -> None:
    with pytest.raises(CommandError, match="Unknown scope admin"):
        run("create_api_key", str(WorkspaceFactory().id), "agent", "--scopes", "admin")
    with pytest.raises(CommandError, match="no workspace"):
        run("create_api_key", "00000000-0000-0000-0000-00000000000f", "agent")


@pytest.mark.parametrize("wrong", [["x" * 101], ["", "--scopes", "read"], ["agent", "--expires-days", "0"]])
def test_create_api_key_refuses_an_impossible_name_or_time(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match="must"):
        run("create_api_key", str(WorkspaceFactory().id), *wrong)
    assert not ApiKey.objects.exists()


def test_a_key_expires_after_the_days_of_the_option() -> None:
    secret = run("create_api_key", str(WorkspaceFactory().id), "agent", "--expires-days", "1")
    key = ApiKey.objects.find_valid(secret)
    assert key is not None
    assert key.expires_at - key.created_at > timedelta(hours=23, minutes=59)


def test_a_key_for_content_also_reads() -> None:
    workspace_id = str(WorkspaceFactory().id)
    with pytest.raises(CommandError, match="also needs the scope read"):
        run("create_api_key", workspace_id, "evaluator", "--scopes", "content")
    run("create_api_key", workspace_id, "evaluator", "--scopes", "read,content")
    assert ApiKey.objects.get().scopes == {"read", "content"}
