"""An OpenID provider on this machine. It behaves, unless a test makes it lie."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "observability", "a secret of the client"
Claims = dict[str, Any]


@cache
def signing_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Provider:
    """What the provider knows: one person, the codes and tokens that it has given, and what it lies about."""

    def __init__(self) -> None:
        self.issuer = ""
        self.person: Claims = {"sub": "1", "email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"}
        self.lies: Claims = {}
        """Replaces claims of the ID token; None leaves one out."""
        self.document_lies: Claims = {}
        self.userinfo_lies: Claims = {}
        self.sign: Callable[[Claims], str] = self.sign_truly
        self.refresh_refused = False
        self.is_away = False
        self.codes: dict[str, dict[str, str]] = {}
        self.access_tokens: set[str] = set()

    def approve(self, url: str) -> str:
        """Lets the person agree at the address to which the product leads. Returns the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"]})
        return f"{urlsplit(asked['redirect_uri']).path}?{query}"

    def document(self) -> Claims:
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        found = {name: f"{self.issuer}/{path}" for name, path in endpoints.items()}
        return {"issuer": self.issuer, "userinfo_endpoint": f"{self.issuer}/userinfo", **found, **self.document_lies}

    def tokens(self, form: dict[str, str]) -> Claims:
        assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        if form["grant_type"] == "refresh_token":
            return {"error": "invalid_grant"} if self.refresh_refused else self.given({})
        asked = self.codes.pop(form["code"], None)
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or not proves(form, asked):
            return {"error": "invalid_grant"}
        now = int(time.time())
        return self.given({"nonce": asked["nonce"], **({"auth_time": now} if "max_age" in asked else {})})

    def given(self, more: Claims) -> Claims:
        now, access_token = int(time.time()), secrets.token_urlsafe(8)
        self.access_tokens.add(access_token)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            **self.person,
            **more,
            **self.lies,
        }
        id_token = self.sign({name: value for name, value in claims.items() if value is not None})
        return {"access_token": access_token, "refresh_token": "r", "id_token": id_token, "token_type": "Bearer"}

    def sign_truly(self, claims: Claims) -> str:
        return jwt.encode(claims, signing_key("true"), "RS256", headers={"kid": "true"})

    def keys(self) -> Claims:
        numbers = jwt.algorithms.RSAAlgorithm.to_jwk(signing_key("true").public_key(), as_dict=True)
        return {"keys": [{**numbers, "kid": "true", "use": "sig", "alg": "RS256"}]}

    def userinfo(self, authorization: str) -> Claims | None:
        known = authorization.removeprefix("Bearer ") in self.access_tokens
        return {**self.person, **self.userinfo_lies} if known else None


def proves(form: dict[str, str], asked: dict[str, str]) -> bool:
    """Returns whether the verifier of PKCE fits the challenge."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers: dict[str, Callable[[], Claims | None]] = {
                "/.well-known/openid-configuration": provider.document,
                "/keys": provider.keys,
                "/userinfo": lambda: provider.userinfo(self.headers.get("Authorization", "")),
            }
            found = answers[self.path]()
            self.answer(found or {}, 401 if found is None else 200)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found = provider.tokens({name: values[0] for name, values in parse_qs(body).items()})
            self.answer(found, 400 if "error" in found else 200)

        def answer(self, found: Claims, status: int) -> None:
            body = json.dumps(found).encode()
            self.send_response(503 if provider.is_away else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
