"""The usual headers, on every route, every error and every file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from tests.factories import MembershipFactory, UserFactory, an_api_key
from tests.security.routes import paths
from tests.security.world import PROBES, selecting, signed_in

pytestmark = pytest.mark.django_db(databases="__all__")

ROOT = Path(__file__).resolve().parents[2]


def check(response: Any, case: Any, is_file: bool = False) -> None:
    """Checks the headers of an answer. A report as a file of HTML runs and loads nothing, and has one known style."""
    PROBES["answers whose headers were checked"] += 1
    policy = {part.split()[0]: part.split()[1:] for part in response["Content-Security-Policy"].split(";")}
    for name in ("script-src", "connect-src", "form-action"):
        assert policy[name] == ["'none'" if is_file else "'self'"], (case, name)
    style = " ".join(policy["style-src"])
    assert style.startswith("'sha256-") if is_file else style == "'self'", (case, style)
    for name in ("default-src", "frame-ancestors", "base-uri"):
        assert policy[name] == ["'none'"], (case, name)
    expected = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: response.get(name) for name in expected} == expected, case
    assert "camera=()" in response["Permissions-Policy"], case
    for name in ("Server", "X-Powered-By", "Access-Control-Allow-Origin"):
        assert name not in response, (case, name)


def test_every_route_sends_the_headers_to_every_visitor() -> None:
    membership = MembershipFactory(user=UserFactory(is_staff=True, is_superuser=True))
    for client, headers in ((Client(), {}), signed_in(membership.user)):
        client.raise_request_exception = False
        for path in paths():
            for method in ("GET", "POST", "OPTIONS"):
                if path in ("/sign-out", "/admin/logout/") and method == "POST":
                    continue
                answer = client.generic(method, path, headers=headers | selecting(membership.workspace_id))
                check(answer, (method, path), is_file=path.endswith(".html") and answer.status_code == 200)


def test_errors_carry_the_headers() -> None:
    key, secret = an_api_key("read", "ingest")
    headers = {"Authorization": f"Bearer {secret}"} | selecting(key.workspace_id)
    client = Client(raise_request_exception=False)
    read = "/api/v1/usage/overview"
    answers = {
        400: client.get("/sign-in", headers={"Host": "evil.example"}),
        401: client.get(read),
        403: Client(enforce_csrf_checks=True).post("/sign-in"),
        404: client.get("/nothing/here"),
        405: client.post(read, headers=headers),
        415: client.post("/v1/traces", b"x", content_type="text/plain", headers=headers),
        422: client.get(f"{read}?range=2d", headers=headers),
    }
    with (
        patch("analytics.cache.cached", side_effect=RuntimeError("boom")),
        patch("analytics.answers.cached", side_effect=RuntimeError("boom"), create=True),
    ):
        answers[500] = client.get(read, headers=headers)
    with patch("workspaces.models.ApiKeyManager.find_valid", side_effect=OperationalError("gone")):
        answers[503] = client.get(read, headers=headers)
    for _ in range(5):
        answers[429] = client.post("/sign-in", {"username": "ada", "password": "wrong"})
    for status, answer in answers.items():
        assert answer.status_code == status
        check(answer, status)
        assert b"Traceback" not in answer.content
        assert b"boom" not in answer.content
        assert b"gone" not in answer.content


def test_redirects_carry_the_headers() -> None:
    for path in ("/", "/dashboard/usage", "/admin", "/admin/"):
        answer = Client().get(path)
        assert answer.status_code in (301, 302)
        check(answer, path)


# What production does, in a process of its own: settings decide it when they are read.
TOUR = """
import json, django
django.setup()
from django.core.management import call_command
from django.test import Client
from django.conf import settings
call_command("check", deploy=True, fail_level="WARNING", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
from whitenoise.storage import CompressedManifestStaticFilesStorage
def summary(answer):
    cookies = {
        name: [bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"]]
        for name, cookie in answer.cookies.items()
    }
    return {"status": answer.status_code, "headers": dict(answer.headers), "cookies": cookies}
host = {"Host": "example.com"}
answers = {
    "sign-in": Client().get("/sign-in", headers=host, secure=True),
    "plain": Client().get("/sign-in", headers=host),
    "plain key": Client().post("/v1/traces", headers=host | {"Authorization": "Bearer aop_x"}),
    "plain key to livez": Client().get("/livez", headers=host | {"Authorization": "Bearer aop_x"}),
    "plain x-api-key": Client().get("/api/v1/usage/overview", headers=host | {"X-API-Key": "aop_x"}),
    "livez": Client().get("/livez", headers=host),
    "static": Client().get("/static/app.css", headers=host, secure=True),
    "missing": Client().get("/nothing", headers=host, secure=True),
}
session = [settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE]
print(json.dumps({name: summary(answer) for name, answer in answers.items()} | {"session": session}))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Any:
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    environment = inherited | {
        "DJANGO_SETTINGS_MODULE": "observability.settings",
        "ENVIRONMENT": "production",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
        "ALLOWED_HOSTS": "example.com",
        "OPEN_WORKSPACE_IDS": "",
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-c", TOUR], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_production_speaks_https_only(production: Any) -> None:
    assert production["plain"]["status"] == 301
    assert production["plain"]["headers"]["Location"] == "https://example.com/sign-in"
    assert production["plain key"]["status"] == production["plain x-api-key"]["status"] == 403
    assert production["plain key to livez"]["status"] == 403
    assert "Location" not in production["plain key"]["headers"]
    assert production["livez"]["status"] == 200  # the health check of a container has no certificate
    for name in ("sign-in", "static", "missing"):
        hsts = production[name]["headers"]["Strict-Transport-Security"]
        assert hsts == "max-age=31536000; includeSubDomains; preload"


def test_cookies_of_production_stay_on_https(production: Any) -> None:
    assert production["sign-in"]["cookies"] == {"csrftoken": [True, False, "Lax"]}
    assert production["session"] == [True, True, "Lax"]


@pytest.mark.parametrize("name", ["sign-in", "plain", "plain key", "livez", "static", "missing"])
def test_every_production_answer_carries_the_headers(production: Any, name: str) -> None:
    check(production[name]["headers"], name)
