"""The sign-in by OpenID Connect: the true provider signs people in, and one that lies signs in nobody."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.models import GroupGrant, ProviderAccess
from accounts.oidc.provider import GroupRule, ProviderSettings
from accounts.tasks import renew_groups
from tests.accounts.codes import code, give_app
from tests.accounts.provider import CLIENT_ID, CLIENT_SECRET, Claims, Provider, running, signing_key
from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory
from workspaces.models import AuditEntry, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: Provider, settings: Any) -> Provider:
    server.__dict__.update(Provider().__dict__ | {"issuer": server.issuer})
    server.sign = server.sign_truly
    settings.OIDC = ProviderSettings(
        server.issuer, CLIENT_ID, CLIENT_SECRET, "Acme", ("openid", "profile", "email"), "groups", {}
    )
    return server


@pytest.fixture
def workspace(provider: Provider, settings: Any) -> Workspace:
    """A workspace in which the group readers reads, and the group writers writes."""
    made: Workspace = WorkspaceFactory()
    rules = {
        "readers": (GroupRule(workspace=made.pk, role="viewer"),),
        "writers": (GroupRule(workspace=made.pk, role="editor"),),
    }
    settings.OIDC = settings.OIDC._replace(groups=rules)
    return made


def begin(client: Client, path: str = "/sign-in/provider", **query: str) -> str:
    """Returns the address at the provider to which the product leads."""
    answer = client.get(path, query)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def sign_in(client: Client, provider: Provider, **query: str) -> Any:
    return client.get(provider.approve(begin(client, **query)))


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/profile").status_code == 200


def with_groups(provider: Provider, *groups: str) -> None:
    provider.person["groups"] = list(groups)


def test_the_true_provider_signs_in_with_code_pkce_state_and_nonce(client: Client, provider: Provider) -> None:
    assert "Sign in with Acme" in client.get("/sign-in").content.decode()
    url = begin(client, next="/settings/sessions")
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{provider.issuer}/authorize?")
    assert min(len(asked[name][0]) for name in ("state", "nonce", "code_challenge")) >= 16
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    answer = client.get(provider.approve(url))
    assert (answer.status_code, answer["Location"]) == (302, "/settings/sessions")
    assert is_signed_in(client)
    user = User.objects.get()
    assert (user.username, user.email, user.first_name) == ("ada@example.com", "ada@example.com", "Ada Lovelace")
    assert not user.has_usable_password()
    assert not user.is_staff


def test_the_second_time_it_is_the_same_account_also_with_another_address(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    provider.person["email"] = "lovelace@example.com"
    sign_in(Client(), provider)
    assert User.objects.count() == 1


def mistake(**lies: Any) -> Callable[[Provider], None]:
    return lambda provider: provider.lies.update(lies)


def another_key(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, signing_key("false"), "RS256", headers={"kid": "true"})


def unknown_key(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, signing_key("false"), "RS256", headers={"kid": "false"})


def no_signature(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, None, "none", headers={"kid": "true"})


def signed_with_the_secret(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, CLIENT_SECRET.ljust(32, "."), "HS256", headers={"kid": "true"})


def no_id_token(provider: Provider) -> None:
    provider.sign = lambda claims: ""


def no_text(provider: Provider) -> None:
    provider.sign = lambda claims: "\u20ac.x.y"


def document_of_another(provider: Provider) -> None:
    provider.document_lies["issuer"] = "https://evil.example"


def no_keys(provider: Provider) -> None:
    provider.document_lies["jwks_uri"] = None


def answers_about_somebody_else(provider: Provider) -> None:
    provider.person.pop("email")
    provider.userinfo_lies.update(sub="2", email="root@example.com", email_verified=True)


def is_away(provider: Provider) -> None:
    provider.is_away = True


LIES: dict[str, Callable[[Provider], None]] = {
    "another issuer": mistake(iss="https://evil.example"),
    "a similar issuer": mistake(iss="http://127.0.0.1"),
    "another audience": mistake(aud="another-client"),
    "several audiences without the party": mistake(aud=[CLIENT_ID, "another-client"]),
    "another party": mistake(azp="another-client"),
    "no audience": mistake(aud=None),
    "expired": mistake(exp=int(time.time()) - 3600),
    "no expiry": mistake(exp=None),
    "not yet": mistake(iat=int(time.time()) + 3600),
    "another nonce": mistake(nonce="another"),
    "no nonce": mistake(nonce=None),
    "no subject": mistake(sub=None),
    "an empty subject": mistake(sub=""),
    "a long subject": mistake(sub="1" * 300),
    "another key": another_key,
    "an unknown key": unknown_key,
    "no signature": no_signature,
    "signed with the secret": signed_with_the_secret,
    "no ID token": no_id_token,
    "an ID token that is no text of one": no_text,
    "the document of another issuer": document_of_another,
    "no keys": no_keys,
    "userinfo about somebody else": answers_about_somebody_else,
    "away": is_away,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_provider_that_lies_signs_nobody_in(client: Client, provider: Provider, lie: str) -> None:
    UserFactory(username="root", email="root@example.com", is_superuser=True)
    way_back = provider.approve(begin(client))
    LIES[lie](provider)
    answer = client.get(way_back)
    assert answer.status_code == 403
    assert "did not work" in answer.content.decode()
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_a_provider_that_is_away_at_the_beginning_is_said_to_be_so(client: Client, provider: Provider) -> None:
    provider.is_away = True
    assert client.get("/sign-in/provider").status_code == 403


def test_the_way_back_works_once_and_in_the_browser_that_began_only(client: Client, provider: Provider) -> None:
    way_back = provider.approve(begin(client))
    thief = Client()
    assert thief.get(way_back).status_code == 403
    assert not is_signed_in(thief)
    assert client.get(way_back).status_code == 302
    client.post("/sign-out")
    assert client.get(way_back).status_code == 403
    assert not is_signed_in(client)


def test_a_code_of_somebody_else_does_not_fit_this_sign_in(client: Client, provider: Provider) -> None:
    """An attacker's code in the victim's browser, with the victim's state: PKCE and the nonce are those of another."""
    attackers = parse_qs(urlsplit(provider.approve(begin(Client()))).query)["code"][0]
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    assert client.get("/sign-in/provider/callback", {"code": attackers, "state": state}).status_code == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize("query", [{}, {"state": "x"}, {"code": "x"}, {"error": "access_denied"}, {"state": "\0"}])
def test_a_way_back_without_a_beginning_signs_nobody_in(
    client: Client, provider: Provider, query: dict[str, str]
) -> None:
    assert client.get("/sign-in/provider/callback", query).status_code == 403
    assert client.post("/sign-in/provider/callback", query).status_code == 405


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_the_sign_in_never_leads_to_another_host(
    client: Client, provider: Provider, settings: Any, elsewhere: str
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://evil.example"]
    assert sign_in(client, provider, next=elsewhere)["Location"] == "/"


def test_the_address_adds_no_scope_and_no_parameter(client: Client, provider: Provider) -> None:
    url = begin(client, scope="admin", auth_params="prompt=none&redirect_uri=https://evil.example", process="connect")
    asked = parse_qs(urlsplit(url).query)
    assert "admin" not in asked["scope"][0]
    assert "prompt" not in asked
    assert "evil" not in url


def test_a_verified_address_links_the_account_that_has_it(client: Client, provider: Provider) -> None:
    user = UserFactory(username="ada", email="Ada@Example.com")
    before = Client()
    before.force_login(user)
    assert sign_in(client, provider).status_code == 302
    assert User.objects.get().username == "ada"
    assert not is_signed_in(before), "whoever made the account with this address may have been somebody else"
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email_verified": None}, {"email_verified": "no"}, {"email_verified": [1]}]
)
def test_an_unverified_address_never_links_an_account(client: Client, provider: Provider, claims: Claims) -> None:
    UserFactory(username="ada", email="ada@example.com")
    provider.person.update(claims)
    answer = sign_in(client, provider)
    assert answer.status_code == 403
    assert "No account for this sign-in" in answer.content.decode()
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    assert User.objects.get().has_usable_password()


def test_an_unverified_address_is_not_stored(client: Client, provider: Provider) -> None:
    provider.person["email_verified"] = False
    assert sign_in(client, provider).status_code == 302
    assert User.objects.get().email == ""


@pytest.mark.parametrize("rights", [{"is_superuser": True}, {"is_staff": True}])
def test_an_account_with_more_rights_is_connected_by_hand_only(
    client: Client, provider: Provider, rights: dict[str, bool]
) -> None:
    root = UserFactory(username="root", email="ada@example.com", **rights)
    assert sign_in(client, provider).status_code == 403
    client.post("/sign-in", {"username": "root", "password": PASSWORD})
    back = client.get(provider.approve(begin(client, "/settings/security/provider")))
    assert back["Location"] == "/settings/security"
    assert SocialAccount.objects.get().user == root
    assert sign_in(Client(), provider).status_code == 302


def test_an_address_that_two_accounts_have_links_neither(client: Client, provider: Provider) -> None:
    UserFactory(email="ada@example.com")
    UserFactory(email="ADA@example.com")
    assert sign_in(client, provider).status_code == 403


def test_letters_that_look_alike_link_nothing(client: Client, provider: Provider) -> None:
    UserFactory(username="mike", email="m\N{LATIN SMALL LETTER DOTLESS I}ke@example.com")
    provider.person["email"] = "mike@example.com"
    sign_in(client, provider)
    assert SocialAccount.objects.get().user.username != "mike"


def test_a_name_that_is_taken_gets_a_number(client: Client, provider: Provider) -> None:
    UserFactory(username="Ada")
    provider.person["preferred_username"] = "ada"
    sign_in(client, provider)
    assert SocialAccount.objects.get().user.username == "ada2"


def test_a_connection_needs_a_recent_proof(client: Client, provider: Provider) -> None:
    client.force_login(UserFactory())
    assert client.get("/settings/security/provider")["Location"].startswith("/sign-in/again?")


def test_the_account_of_somebody_else_is_not_connected(client: Client, provider: Provider) -> None:
    sign_in(Client(), provider)
    other = UserFactory(username="other")
    client.post("/sign-in", {"username": "other", "password": PASSWORD})
    client.get(provider.approve(begin(client, "/settings/security/provider")))
    assert not SocialAccount.objects.filter(user=other).exists()


def test_a_deactivated_person_stays_out(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    User.objects.update(is_active=False)
    again = Client()
    assert sign_in(again, provider)["Location"] == "/sign-in/inactive"
    assert again.get("/sign-in/inactive").status_code == 403
    assert not is_signed_in(again)


def test_the_second_factor_is_asked_for_after_the_provider_too(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    give_app(User.objects.get())
    again = Client()
    assert sign_in(again, provider, next="/settings/sessions")["Location"] == "/sign-in/code"
    assert not is_signed_in(again)
    assert again.post("/sign-in/code", {"code": code()})["Location"] == "/settings/sessions"


def test_who_has_no_password_proves_again_at_the_provider(client: Client, provider: Provider) -> None:
    sign_in(Client(), provider)
    client.force_login(User.objects.get())
    assert client.get("/settings/security/app")["Location"].startswith("/sign-in/provider/again?next=")
    url = begin(client, "/sign-in/provider/again", next="/settings/security/app")
    assert {"prompt=login", "max_age=0"} <= set(urlsplit(url).query.split("&"))
    assert client.get(provider.approve(url))["Location"] == "/settings/security/app"
    assert client.get("/settings/security/app").status_code == 200


@pytest.mark.parametrize("auth_time", [None, 1, "now"])
def test_a_proof_that_the_provider_did_not_ask_for_is_none(client: Client, provider: Provider, auth_time: Any) -> None:
    sign_in(client, provider)
    provider.lies["auth_time"] = auth_time
    assert client.get(provider.approve(begin(client, "/sign-in/provider/again"))).status_code == 403


def test_groups_give_roles_and_take_them_at_the_next_sign_in(
    client: Client, provider: Provider, workspace: Workspace
) -> None:
    for groups, role in ((["readers"], "viewer"), (["readers", "writers"], "editor"), (["readers"], "viewer")):
        with_groups(provider, *groups)
        sign_in(client, provider)
        assert Membership.objects.get().role == role
        assert client.get("/dashboard/usage").status_code == 200
    with_groups(provider, "others")
    sign_in(client, provider)
    assert not Membership.objects.exists()
    assert client.get("/dashboard/usage").status_code == 404
    actions = list(AuditEntry.objects.order_by("at").values_list("action", flat=True))
    assert actions == ["member.add", "member.change", "member.change", "member.remove"]


def test_no_groups_in_the_answer_are_no_groups(client: Client, provider: Provider, workspace: Workspace) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    del provider.person["groups"]
    sign_in(client, provider)
    assert not Membership.objects.exists()


def test_groups_of_userinfo_count_where_the_token_has_none(
    client: Client, provider: Provider, workspace: Workspace
) -> None:
    provider.userinfo_lies["groups"] = "readers"
    sign_in(client, provider)
    assert Membership.objects.get().role == "viewer"


def test_groups_change_no_membership_that_somebody_gave(
    client: Client, provider: Provider, workspace: Workspace
) -> None:
    sign_in(client, provider)
    MembershipFactory(user=User.objects.get(), workspace=workspace, role="owner")
    for groups in (["readers"], []):
        with_groups(provider, *groups)
        sign_in(client, provider)
        assert Membership.objects.get().role == "owner"


def test_a_rule_that_was_removed_takes_its_memberships(
    client: Client, provider: Provider, workspace: Workspace, settings: Any
) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    settings.OIDC = settings.OIDC._replace(groups={})
    sign_in(client, provider)
    assert not Membership.objects.exists()


def pass_time(length: timedelta) -> None:
    for access in ProviderAccess.objects.all():
        access.checked_at -= length
        access.save()


def test_a_group_that_was_removed_ends_access_within_the_hour(
    client: Client, provider: Provider, workspace: Workspace
) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    with_groups(provider)
    renew_groups(due_at=timezone.now().isoformat())
    assert Membership.objects.exists(), "it was asked for a moment ago"
    pass_time(timedelta(minutes=26))
    renew_groups(due_at=timezone.now().isoformat())
    assert not Membership.objects.exists()
    assert client.get("/dashboard/usage").status_code == 404


def test_who_keeps_the_group_works_on_for_hours(client: Client, provider: Provider, workspace: Workspace) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    for _ in range(4):
        pass_time(timedelta(minutes=26))
        renew_groups(due_at=timezone.now().isoformat())
        assert client.get("/dashboard/usage").status_code == 200
    assert "refresh_token" not in ProviderAccess.objects.get().sealed_tokens


def test_who_is_gone_at_the_provider_is_signed_out(client: Client, provider: Provider, workspace: Workspace) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    provider.refresh_refused = True
    pass_time(timedelta(minutes=26))
    renew_groups(due_at=timezone.now().isoformat())
    assert not GroupGrant.objects.exists()
    assert not is_signed_in(client)


def lie_about_refresh(provider: Provider) -> None:
    provider.lies["sub"] = "2"


@pytest.mark.parametrize("fault", [is_away, another_key, lie_about_refresh, document_of_another])
def test_without_a_true_answer_for_an_hour_the_session_ends(
    client: Client, provider: Provider, workspace: Workspace, fault: Callable[[Provider], None]
) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    fault(provider)
    pass_time(timedelta(minutes=50))
    renew_groups(due_at=timezone.now().isoformat())
    assert client.get("/dashboard/usage").status_code == 200
    pass_time(timedelta(minutes=11))
    assert client.get("/dashboard/usage").status_code == 302
    assert not is_signed_in(client)


def test_a_session_by_password_ends_as_well(client: Client, provider: Provider, workspace: Workspace) -> None:
    with_groups(provider, "readers")
    sign_in(client, provider)
    user = User.objects.get()
    user.set_password(PASSWORD)
    user.save()
    other = Client()
    other.post("/sign-in", {"username": user.username, "password": PASSWORD})
    assert other.get("/dashboard/usage").status_code == 200
    pass_time(timedelta(minutes=61))
    assert other.get("/dashboard/usage").status_code == 302


def test_who_has_no_access_by_groups_is_asked_nothing(client: Client, provider: Provider, workspace: Workspace) -> None:
    sign_in(client, provider)
    MembershipFactory(user=User.objects.get())
    pass_time(timedelta(days=3))
    provider.is_away = True
    renew_groups(due_at=timezone.now().isoformat())
    assert client.get("/dashboard/usage").status_code == 200


def test_without_local_passwords_only_the_provider_signs_in(client: Client, provider: Provider, settings: Any) -> None:
    settings.LOCAL_PASSWORDS = False
    root = UserFactory(is_superuser=True, is_staff=True, email="root@example.com")
    page = client.get("/sign-in").content.decode()
    assert "Sign in with Acme" in page
    assert "password" not in page.lower()
    for path in ("/sign-in", "/admin/login/"):
        answer = client.post(path, {"username": root.username, "password": PASSWORD})
        assert answer.status_code == 403
        assert "switched off" in answer.content.decode()
    assert client.post("/sign-in/forgotten", {"address": root.email}).status_code == 404
    assert not is_signed_in(client)
    sign_in(client, provider)
    assert is_signed_in(client)
    assert "switched off" in client.get("/settings/security/password").content.decode()


def test_without_a_provider_its_pages_do_not_exist(client: Client) -> None:
    assert client.get("/sign-in/provider").status_code == 404
    assert client.get("/sign-in/provider/callback").status_code == 404
    client.force_login(UserFactory())
    assert client.get("/sign-in/provider/again").status_code == 404
