"""Sessions need their token, keys their header, and neither replaces the other."""

import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as project
from django.contrib.sessions.models import Session
from django.test import Client

from budgets.models import Budget
from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.routes import BUDGET, PAGES, READ_PATHS
from tests.security.world import browser, selecting, signed_in
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__")

READ = "/api/v1/usage/overview"
JSON = {"content_type": "application/json"}


def put(client: Client, headers: dict[str, str], path: str = f"/{BUDGET}", body: Any = None, **options: Any) -> int:
    status: int = client.put(path, body or {"monthly_limit_usd": 7}, headers=headers, **(JSON | options)).status_code
    return status


class TestSessions:
    @pytest.fixture
    def owner(self) -> tuple[Client, dict[str, str]]:
        membership = MembershipFactory(role="owner")
        client, token = signed_in(membership.user)
        return client, token | selecting(membership.workspace_id)

    def test_a_put_needs_the_token_of_the_session(self, owner: tuple[Client, dict[str, str]]) -> None:
        client, headers = owner
        without = {name: value for name, value in headers.items() if name != "X-CSRFToken"}
        other = browser()
        other.get("/sign-in")
        for token in (
            {},
            {"X-CSRFToken": ""},
            {"X-CSRFToken": "x" * 32},
            {"X-CSRFToken": other.cookies["csrftoken"].value},
        ):
            assert put(client, without | token) == 403
        token_value = headers["X-CSRFToken"]
        assert put(client, without, f"/{BUDGET}?csrfmiddlewaretoken={token_value}") == 403
        form = f"monthly_limit_usd=7&csrfmiddlewaretoken={token_value}"
        assert put(client, without, body=form, content_type="application/x-www-form-urlencoded") == 403
        assert not Budget.objects.exists()
        assert put(client, headers) == 200

    def test_a_put_from_another_site_is_refused_even_with_the_token(self, owner: tuple[Client, dict[str, str]]) -> None:
        client, headers = owner
        for origin in ("https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"):
            assert put(client, headers | {"Origin": origin}) == 403
        assert put(client, headers | {"Origin": "http://testserver"}) == 200

    def test_over_https_the_referer_must_be_ours(self, owner: tuple[Client, dict[str, str]]) -> None:
        client, headers = owner
        assert put(client, headers, secure=True) == 403
        assert put(client, headers | {"Referer": "https://evil.example/"}, secure=True) == 403
        assert put(client, headers | {"Referer": "https://testserver/dashboard/cost"}, secure=True) == 200

    def test_a_key_sent_with_a_session_decides_alone(self, owner: tuple[Client, dict[str, str]]) -> None:
        client, headers = owner
        for bad in ({"Authorization": "Bearer aop_wrong"}, {"Authorization": "Bearer"}, {"X-API-Key": "aop_wrong"}):
            assert client.get(READ, headers=headers | bad).status_code == 401
            assert put(client, headers | bad) == 401
        _, elsewhere = an_api_key("read")
        assert client.get(READ, headers=headers | {"Authorization": f"Bearer {elsewhere}"}).status_code == 403

    def test_a_new_password_ends_all_other_sessions(self) -> None:
        membership = MembershipFactory()
        client, _ = signed_in(membership.user)
        membership.user.set_password("another winding password")
        membership.user.save()
        assert client.get(READ, headers=selecting(membership.workspace_id)).status_code == 401
        assert client.get("/dashboard/usage").status_code == 302

    def test_the_session_id_of_an_attacker_is_not_the_one_after_sign_in(self) -> None:
        user = MembershipFactory().user
        attacker, victim = Client(), Client()
        session = attacker.session
        session["planted"] = True
        session.save()
        victim.cookies["sessionid"] = session.session_key
        assert victim.post("/sign-in", {"username": user.username, "password": PASSWORD}).status_code == 302
        assert victim.cookies["sessionid"].value != session.session_key
        attacker.cookies["sessionid"] = session.session_key
        assert attacker.get("/dashboard/usage").status_code == 302
        assert not Session.objects.filter(session_key=session.session_key).exists()

    def test_a_made_up_session_id_is_never_adopted(self) -> None:
        user = MembershipFactory().user
        victim = Client()
        victim.cookies["sessionid"] = "a" * 32
        victim.post("/sign-in", {"username": user.username, "password": PASSWORD})
        assert victim.cookies["sessionid"].value != "a" * 32

    def test_signing_out_ends_the_session_on_the_server(self) -> None:
        client, token = signed_in(MembershipFactory().user)
        session_id = client.cookies["sessionid"].value
        assert client.get("/sign-out").status_code == 405
        assert client.post("/sign-out").status_code == 403
        assert client.post("/sign-out", headers=token).status_code == 302
        copied = Client()
        copied.cookies["sessionid"] = session_id
        assert copied.get("/dashboard/usage").status_code == 302


class TestKeys:
    def test_a_key_is_taken_from_its_header_only(self) -> None:
        key, secret = an_api_key("read", "write", "ingest")
        headers = selecting(key.workspace_id)
        for name in (
            "key",
            "api_key",
            "apikey",
            "token",
            "access_token",
            "Authorization",
            "authorization",
            "x-api-key",
        ):
            client = browser()
            client.cookies[name] = secret
            for value in (secret, f"Bearer {secret}"):
                for path in (READ, f"/{BUDGET}"):
                    answer = client.get(path, {name: value}, headers=headers)
                    assert answer.status_code == 401, name
                    assert secret not in answer.content.decode()
                sent = client.post("/api/v1/traces", {"agent_id": "a", name: value}, headers=headers, **JSON)
                assert sent.status_code == 401
                assert client.post(f"/v1/traces?{name}={value}", b"{}", headers=headers, **JSON).status_code == 401
            assert put(client, headers, f"/{BUDGET}?{name}={secret}") == 401
        assert browser().get(READ, headers=headers | {"Authorization": f"Bearer {secret}"}).status_code == 200

    def test_a_key_opens_no_page_and_not_the_admin(self) -> None:
        key, secret = an_api_key("read", "write", "ingest")
        headers = {"Authorization": f"Bearer {secret}"}
        for path in (*(f"/{page}" for page in PAGES), "/admin/"):
            assert browser().get(path, headers=headers | selecting(key.workspace_id)).status_code == 302

    def test_an_ingest_key_reads_nothing_and_a_read_key_writes_nothing(self) -> None:
        key, ingest = an_api_key("ingest")
        _, read = an_api_key("read", workspace=key.workspace)
        for path in READ_PATHS:
            for extra in ({}, {"HX-Request": "true"}):
                headers = selecting(key.workspace_id) | extra
                assert browser().get(path, headers=headers | {"Authorization": f"Bearer {ingest}"}).status_code == 403
                assert browser().get(path, headers=headers | {"Authorization": f"Bearer {read}"}).status_code == 200
        for secret in (ingest, read):
            assert put(browser(), selecting(key.workspace_id) | {"Authorization": f"Bearer {secret}"}) == 403

    def test_answers_are_not_cached_for_someone_else(self) -> None:
        key, secret = an_api_key("read")
        answer = browser().get(READ, headers={"Authorization": f"Bearer {secret}"} | selecting(key.workspace_id))
        assert "private" in answer["Cache-Control"]
        assert {"HX-Request", "X-Workspace-ID", "Authorization", "Cookie"} <= set(re.split(r",\s*", answer["Vary"]))
        refused = browser().get(READ, headers={"Authorization": "Bearer x"} | selecting(key.workspace_id))
        assert "no-store" in refused["Cache-Control"]

    def test_a_key_is_found_by_its_digest_never_compared(self) -> None:
        """An index probe by HMAC takes as long for a nearly right key as for a wrong one."""
        _, secret = an_api_key("read")
        with patch.object(ApiKey, "__eq__", side_effect=AssertionError("compared")):
            assert ApiKey.objects.find_valid(secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None
        source = Path(project.BASE_DIR, "workspaces/models.py").read_text()
        assert "WHERE api_key.digest = ANY(%s)" in source

    def test_another_secret_key_makes_other_digests(self, settings: Any) -> None:
        """Anyone who copies the table to another installation has no valid key there."""
        key, secret = an_api_key("read")
        settings.SECRET_KEY = "another" * 10
        answer = browser().get(READ, headers={"Authorization": f"Bearer {secret}"} | selecting(key.workspace_id))
        assert answer.status_code == 401


class TestSignIn:
    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "http:///evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "\x00//evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\t/evil.example",
            "https://testserver@evil.example/",
            "https://testserver.evil.example/",
            "ftp://testserver/",
        ],
    )
    @pytest.mark.parametrize("path", ["/sign-in", "/admin/login/"])
    def test_no_redirect_leads_to_another_site(self, path: str, elsewhere: str) -> None:
        user = UserFactory(is_staff=True)
        for form, query in ((elsewhere, {}), ("", {"next": elsewhere})):
            client = Client()
            data = {"username": user.username, "password": PASSWORD} | ({"next": form} if form else {})
            answer = client.post(path, data, query_params=query)
            assert answer.status_code == 302
            assert answer["Location"] in ("/", "/admin/"), answer["Location"]
            again = client.get("/sign-in", {"next": elsewhere})
            assert again.status_code == 302
            assert again["Location"] == "/"
        out = Client().post("/sign-out", query_params={"next": elsewhere})
        assert out["Location"] == "/sign-in"

    def test_a_wrong_host_is_refused(self) -> None:
        for host in ("evil.example", "testserver.evil.example", "testserver@evil.example", "a b", "evil.example:80"):
            for path in ("/sign-in", "/livez", READ, "/admin/login/"):
                answer = Client().get(path, headers={"Host": host})
                assert answer.status_code == 400, (host, path)
                assert "evil" not in answer.content.decode()
        answer = Client().get("/dashboard/usage", headers={"X-Forwarded-Host": "evil.example"})
        assert "evil" not in answer["Location"]

    def test_guessing_is_as_slow_for_an_unknown_name(self) -> None:
        """The password is hashed in both cases."""
        with patch("django.contrib.auth.hashers.MD5PasswordHasher.encode", return_value="x$y$z") as hashed:
            Client().post("/sign-in", {"username": "nobody", "password": "guess"})
            assert hashed.call_count == 1

    def test_a_locked_name_is_locked_in_every_spelling_of_the_request(self) -> None:
        user = UserFactory()
        for _ in range(5):
            Client().post("/sign-in", {"username": user.username, "password": "wrong"})
        for client in (Client(headers={"X-Forwarded-For": "192.0.2.9"}), Client(headers={"User-Agent": "another"})):
            for path in ("/sign-in", "/admin/login/"):
                assert client.post(path, {"username": user.username, "password": PASSWORD}).status_code == 429


def test_metrics_need_their_token(settings: Any) -> None:
    settings.METRICS_TOKEN = "t" * 40
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "t" * 40}, {"X-API-Key": "t" * 40}):
        assert Client().get("/metrics", headers=headers).status_code == 404
    assert Client().get("/metrics?token=" + "t" * 40).status_code == 404
    workspace = WorkspaceFactory(name="canary-in-metrics")
    shown = Client().get("/metrics", headers={"Authorization": "Bearer " + "t" * 40})
    assert shown.status_code == 200
    assert workspace.name.encode() not in shown.content
    assert str(workspace.id).encode() not in shown.content
    settings.METRICS_TOKEN, settings.PRODUCTION = "", True
    assert Client().get("/metrics").status_code == 404
