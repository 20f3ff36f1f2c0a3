import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from web.declared_access import DeclaredAccessMiddleware
from workspaces.models import ApiKey, ApiKeyManager, Role, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

READ = "/api/v1/usage/overview"
INGEST = "/api/v1/traces"


def bearer(secret: str, workspace: Workspace | None = None) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {secret}"}
    return headers | ({"X-Workspace-ID": str(workspace.id)} if workspace else {})


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, headers: dict[str, str]) -> Any:
    return client.post(INGEST, '{"agent_id": "a"}', content_type="application/json", headers=headers)


def admin_routes(resolver: URLResolver, start: str = "/admin/") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from admin_routes(pattern, route)
        else:
            yield route


def admin_path(route: str) -> str:
    """Returns a path of the route: each placeholder is a 1, a regular expression its first alternative."""
    route = re.sub(r"<[^>]*>", "1", route)
    return re.sub(r"\^\(\?P1\w+.*|\(\?P1.*", "auth/", route).replace("$", "")


class TestDeclaredAccess:
    def patterns(self, resolver: URLResolver) -> Iterator[URLPattern]:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLPattern):
                yield pattern
            elif pattern.app_name != "admin":
                yield from self.patterns(pattern)

    def test_every_route_declares_its_access(self) -> None:
        routes = list(self.patterns(get_resolver()))
        assert len(routes) > 8
        assert [str(route.pattern) for route in routes if not hasattr(route.callback, "access")] == []

    def test_a_view_without_declared_access_is_refused(self) -> None:
        def forgotten(request: HttpRequest) -> HttpResponse:
            return HttpResponse("secret")

        request = RequestFactory().get("/")
        request.resolver_match = resolve("/livez")
        answer = DeclaredAccessMiddleware(forgotten).process_view(request, forgotten, (), {})
        assert answer is not None
        assert answer.status_code == 403

    def test_every_admin_route_except_its_sign_in_needs_staff(self) -> None:
        [admin] = [pattern for pattern in get_resolver().url_patterns if getattr(pattern, "app_name", "") == "admin"]
        assert isinstance(admin, URLResolver)
        paths = {admin_path(route) for route in admin_routes(admin)} - {"/admin/login/"}
        assert len(paths) > 20
        for client in (Client(), signed_in(UserFactory())):
            for path in paths:
                response = client.get(path)
                assert response.status_code == 302, path
                assert response["Location"].startswith("/admin/"), path


class TestKeys:
    def test_a_key_reads_its_own_workspace(self, client: Client) -> None:
        key, secret = an_api_key("read")
        assert client.get(READ, headers=bearer(secret, key.workspace)).status_code == 200

    def test_another_workspace_is_refused_alike_whether_it_exists_or_not(self, client: Client) -> None:
        _, secret = an_api_key("read")
        there = client.get(READ, headers=bearer(secret, WorkspaceFactory()))
        nowhere = client.get(READ, headers=bearer(secret, Workspace(id=uuid4())))
        assert there.status_code == nowhere.status_code == 403
        assert there.content == nowhere.content

    @pytest.mark.parametrize(
        "state",
        [
            {"revoked_at": timezone.now()},
            {"expires_at": timezone.now() - timedelta(seconds=1)},
            {"digest": "of another secret"},
        ],
    )
    def test_a_key_that_is_no_longer_valid_is_401(self, client: Client, state: dict[str, Any]) -> None:
        key, secret = an_api_key("read", **state)
        response = client.get(READ, headers=bearer(secret, key.workspace))
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Token x", "Basic eDp5", "nonsense", ""])
    def test_a_bad_key_never_falls_back_to_the_session(self, header: str) -> None:
        membership = MembershipFactory()
        headers = {"Authorization": header, "X-Workspace-ID": str(membership.workspace.id)}
        assert signed_in(membership.user).get(READ, headers=headers).status_code == 401

    def test_a_bad_key_never_falls_back_to_an_open_workspace(self, client: Client, settings: Any) -> None:
        workspace = WorkspaceFactory()
        settings.OPEN_WORKSPACE_IDS = frozenset({workspace.id})
        assert client.get(READ, headers={"X-Workspace-ID": str(workspace.id)}).status_code == 200
        assert client.get(READ, headers=bearer("wrong", workspace)).status_code == 401

    @pytest.mark.parametrize(("scope", "read", "ingest"), [("read", 200, 403), ("ingest", 403, 200)])
    def test_a_key_does_what_its_scope_says(self, client: Client, scope: str, read: int, ingest: int) -> None:
        key, secret = an_api_key(scope)
        assert client.get(READ, headers=bearer(secret, key.workspace)).status_code == read
        assert send(client, bearer(secret)).status_code == ingest

    def test_ingestion_takes_a_key_in_every_way_clients_send_it(self, client: Client) -> None:
        key, secret = an_api_key("ingest")
        basic = b64encode(f"public:{secret}".encode()).decode()
        for headers in (
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": f"bearer%20{secret}"},
            {"Authorization": f"Basic {basic}"},
            {"X-API-Key": secret},
            {"X-API-Key": secret, "X-Workspace-ID": str(key.workspace.id)},
        ):
            assert send(client, headers).status_code == 200, headers
        assert send(client, {"X-API-Key": "wrong"}).status_code == 401
        assert send(client, bearer(secret, WorkspaceFactory())).status_code == 403

    def test_reading_takes_a_key_as_bearer_only(self, client: Client) -> None:
        key, secret = an_api_key("read")
        headers = {"X-API-Key": secret, "X-Workspace-ID": str(key.workspace.id)}
        assert client.get(READ, headers=headers).status_code == 401

    def test_a_key_of_anything_but_ascii_is_just_unknown(self, client: Client) -> None:
        for secret in ("é", "%00", "%ff%fe", "aop_" + "x" * 5000):
            assert client.get(READ, headers=bearer(secret, WorkspaceFactory())).status_code == 401

    def test_every_refused_key_gets_the_same_words(self, client: Client) -> None:
        revoked, secret = an_api_key("read", revoked_at=timezone.now())
        for_revoked = client.get(READ, headers=bearer(secret, revoked.workspace))
        for_unknown = client.get(READ, headers=bearer("aop_unknown", revoked.workspace))
        assert for_revoked.content == for_unknown.content

    def test_a_bad_key_counts_before_a_bad_header_and_that_before_a_missing_scope(self, client: Client) -> None:
        _, secret = an_api_key("ingest")
        bad = {"X-Workspace-ID": "demo"}
        assert client.get(READ, headers=bearer("wrong") | bad).status_code == 401
        assert client.get(READ, headers=bearer(secret) | bad).status_code == 422

    def test_a_key_revoked_a_moment_ago_is_refused_at_once(self, client: Client) -> None:
        key, secret = an_api_key("read")
        assert client.get(READ, headers=bearer(secret, key.workspace)).status_code == 200
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
        assert client.get(READ, headers=bearer(secret, key.workspace)).status_code == 401

    def test_a_key_is_looked_up_in_one_query(self, django_assert_num_queries: Any) -> None:
        key, secret = an_api_key("read")
        with django_assert_num_queries(1):
            valid_key = ApiKey.objects.find_valid(secret)
            assert valid_key is not None
            assert valid_key.workspace == key.workspace

    @pytest.mark.parametrize("path", [READ, INGEST])
    def test_a_look_up_that_fails_is_503(self, client: Client, path: str) -> None:
        with patch.object(ApiKeyManager, "find_valid", side_effect=OperationalError("gone")):
            response = client.generic("GET" if path == READ else "POST", path, headers=bearer("aop_any"))
        assert response.status_code == 503
        assert response["Retry-After"]

    def test_use_is_noted_at_most_once_a_minute(self, client: Client) -> None:
        key, secret = an_api_key("read")
        client.get(READ, headers=bearer(secret, key.workspace))
        key.refresh_from_db()
        noted = key.last_used_at
        assert noted is not None
        client.get(READ, headers=bearer(secret, key.workspace))
        key.refresh_from_db()
        assert key.last_used_at == noted

    def test_only_an_hmac_of_the_secret_is_stored(self) -> None:
        key, secret = an_api_key("read")
        stored = str(ApiKey.objects.filter(pk=key.pk).values().get())
        assert secret not in stored
        assert secret.startswith(key.prefix)
        assert len(secret) > 43  # 256 bits in base64

    def test_a_rotated_secret_key_keeps_old_keys_valid(self, client: Client, settings: Any) -> None:
        key, secret = an_api_key("read")
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
        assert client.get(READ, headers=bearer(secret, key.workspace)).status_code == 200


class TestSessions:
    @pytest.mark.parametrize("role", Role.values)
    def test_every_role_reads(self, role: str) -> None:
        membership = MembershipFactory(role=role)
        headers = {"X-Workspace-ID": str(membership.workspace.id)}
        assert signed_in(membership.user).get(READ, headers=headers).status_code == 200

    def test_a_stranger_is_refused_and_a_superuser_is_not(self) -> None:
        headers = {"X-Workspace-ID": str(WorkspaceFactory().id)}
        assert signed_in(UserFactory()).get(READ, headers=headers).status_code == 403
        assert signed_in(UserFactory(is_superuser=True)).get(READ, headers=headers).status_code == 200

    def test_a_removed_member_is_refused_at_once(self) -> None:
        membership = MembershipFactory()
        client, headers = signed_in(membership.user), {"X-Workspace-ID": str(membership.workspace.id)}
        assert client.get(READ, headers=headers).status_code == 200
        membership.delete()
        assert client.get(READ, headers=headers).status_code == 403

    def test_a_session_does_not_ingest(self) -> None:
        membership = MembershipFactory(role=Role.OWNER)
        headers = {"X-Workspace-ID": str(membership.workspace.id)}
        assert send(signed_in(membership.user), headers).status_code == 401


class TestWithoutCredentials:
    def test_a_request_without_credentials_is_401(self, client: Client) -> None:
        workspace = WorkspaceFactory()
        for headers in ({}, {"X-Workspace-ID": str(workspace.id)}):
            assert client.get(READ, headers=headers).status_code == 401
            assert send(client, headers).status_code == 401

    @pytest.mark.parametrize(("value", "words"), [(None, "required"), ("demo", "must be a UUID")])
    def test_the_header_is_checked(self, client: Client, settings: Any, value: str | None, words: str) -> None:
        settings.OPEN_WORKSPACE_IDS = frozenset({uuid4()})
        response = client.get(READ, headers={"X-Workspace-ID": value} if value else {})
        assert response.status_code == 422
        assert response["Content-Type"] == "application/problem+json"
        [error] = response.json()["errors"]
        assert error["loc"] == ["header", "X-Workspace-ID"]
        assert words in error["msg"]

    def test_an_open_workspace_is_not_written_by_another_site(self, client: Client, settings: Any) -> None:
        workspace = WorkspaceFactory()
        settings.OPEN_WORKSPACE_IDS = frozenset({workspace.id})
        headers = {"X-Workspace-ID": str(workspace.id)}
        assert send(client, headers).status_code == 200
        assert send(client, headers | {"Sec-Fetch-Site": "same-origin"}).status_code == 200
        assert send(client, headers | {"Sec-Fetch-Site": "cross-site"}).status_code == 403


class TestPages:
    def test_a_visitor_is_led_to_sign_in_and_back(self, client: Client) -> None:
        membership = MembershipFactory()
        response = client.get("/dashboard/usage?range=7d")
        assert response.status_code == 302
        assert response["Location"] == "/sign-in?next=/dashboard/usage%3Frange%3D7d"
        form = {"username": membership.user.username, "password": PASSWORD, "next": "/dashboard/usage?range=7d"}
        assert client.post("/sign-in", form)["Location"] == "/dashboard/usage?range=7d"
        assert client.get("/dashboard/usage").status_code == 200

    def test_another_workspace_is_not_found_like_a_random_one(self) -> None:
        client = signed_in(MembershipFactory().user)
        there = client.get(f"/dashboard/usage?workspace={WorkspaceFactory().id}")
        nowhere = client.get(f"/dashboard/usage?workspace={uuid4()}")
        assert there.status_code == nowhere.status_code == 404
        assert there.content == nowhere.content

    def test_the_switcher_lists_only_the_visitors_workspaces(self) -> None:
        membership = MembershipFactory()
        mine = MembershipFactory(user=membership.user)
        other = WorkspaceFactory()
        page = signed_in(membership.user).get(f"/dashboard/usage?workspace={mine.workspace.id}").content.decode()
        assert str(membership.workspace.id) in page
        assert re.search(rf'value="{mine.workspace.id}"\s+selected', page)
        assert str(other.id) not in page

    def test_without_a_choice_the_workspace_shown_last_is_shown(self) -> None:
        first, second = WorkspaceFactory(name="Alpha"), WorkspaceFactory(name="Beta")
        user = MembershipFactory(workspace=first).user
        theirs = MembershipFactory(workspace=second, user=user)
        client = signed_in(user)
        assert client.get("/dashboard/usage").context["workspace"] == first
        client.get(f"/dashboard/usage?workspace={second.id}")
        assert client.get("/dashboard/cost").context["workspace"] == second
        theirs.delete()
        assert client.get("/dashboard/cost").context["workspace"] == first

    def test_without_a_workspace_the_page_says_what_to_do(self) -> None:
        response = signed_in(UserFactory()).get("/dashboard/usage")
        assert response.status_code == 404
        assert b"Ask an owner of a workspace to invite you" in response.content

    def test_a_bad_query_is_explained_on_the_page(self) -> None:
        response = signed_in(MembershipFactory().user).get("/dashboard/usage?range=2d")
        assert response.status_code == 422
        assert b"range" in response.content

    def test_sign_out_takes_a_post(self) -> None:
        client = signed_in(MembershipFactory().user)
        assert client.get("/sign-out").status_code == 405
        assert client.post("/sign-out").status_code == 302
        assert client.get("/dashboard/usage").status_code == 302
