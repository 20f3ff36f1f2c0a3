"""The settings of the sign-in by a provider: those that cannot work stop the start with a message that says why."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured

from observability.oidc_settings import oidc_settings
from observability.variables import Variables

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "us", "OIDC_CLIENT_SECRET": "hush"}
WORKSPACE = "7b1f3c1e-0a6c-4b8c-9c2b-2f6d1c0f4a11"


def read(**values: Any) -> Any:
    return oidc_settings(Variables(**values))


def test_without_settings_there_is_no_provider() -> None:
    assert read() is None


def test_three_settings_are_enough() -> None:
    found = read(**NEEDED)
    assert found.issuer == "https://login.example.com"
    assert found.name == "single sign-on"
    assert found.groups == {}


def test_groups_give_roles_in_one_workspace_or_several() -> None:
    rule = f'{{"workspace": "{WORKSPACE}", "role": "viewer"}}'
    found = read(**NEEDED, OIDC_GROUPS=f'{{"readers": {rule}, "all": [{rule}, {rule}]}}')
    assert {group: len(rules) for group, rules in found.groups.items()} == {"readers": 1, "all": 2}
    assert str(found.groups["readers"][0].workspace) == WORKSPACE


@pytest.mark.parametrize("missing", NEEDED)
def test_a_part_of_them_is_not_enough(missing: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{missing} must be set too") as raised:
        read(**NEEDED | {missing: ""})
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"LOCAL_PASSWORDS": False}, "nobody could sign in"),
        ({"OIDC_GROUPS": "{}"}, "OIDC_GROUPS needs OIDC_ISSUER"),
        (NEEDED | {"OIDC_ISSUER": "http://login.example.com"}, "must begin with https://"),
        (NEEDED | {"OIDC_ISSUER": "https://login.example.com?x"}, "no [?]"),
        (NEEDED | {"OIDC_ISSUER": "login.example.com"}, "must begin with https://"),
        (NEEDED | {"OIDC_ISSUER": "http://127.0.0.1:8080", "ENVIRONMENT": "production"}, "must begin with https://"),
        (NEEDED | {"OIDC_SCOPES": "email"}, "must contain openid"),
        (NEEDED | {"OIDC_GROUPS": "{"}, "OIDC_GROUPS must be JSON like"),
        (NEEDED | {"OIDC_GROUPS": "[]"}, "OIDC_GROUPS must be JSON like"),
        (NEEDED | {"OIDC_GROUPS": '{"readers": {"workspace": "x", "role": "viewer"}}'}, "readers.0.workspace"),
        (NEEDED | {"OIDC_GROUPS": f'{{"a": {{"workspace": "{WORKSPACE}", "role": "root"}}}}'}, "a.0.role"),
        (NEEDED | {"OIDC_GROUPS": f'{{"a": {{"workspace": "{WORKSPACE}"}}}}'}, "a.0.role"),
        (NEEDED | {"OIDC_GROUPS": '{"a": []}'}, "OIDC_GROUPS must be JSON like"),
    ],
)
def test_settings_that_cannot_work_say_why(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        read(**values)


def test_on_this_machine_a_provider_needs_no_tls() -> None:
    assert read(**NEEDED | {"OIDC_ISSUER": "http://127.0.0.1:8080/realms/acme"}).issuer.endswith("acme")


def test_passwords_may_be_off_with_a_provider() -> None:
    assert read(**NEEDED, LOCAL_PASSWORDS=False)


def test_deployments_have_a_way_from_the_web_server_to_the_provider() -> None:
    """It is a file of its own: without a provider the web server reaches no other host."""
    compose = yaml.safe_load((ROOT / "deploy/provider/docker-compose.yml").read_text())
    usual = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert set(compose["services"]["web"]["networks"]) == {*usual["services"]["web"]["networks"], "internet"}
    policy = yaml.safe_load((ROOT / "deploy/provider/network.yaml").read_text())
    assert policy["spec"]["podSelector"] == {"matchLabels": {"app": "web"}}
