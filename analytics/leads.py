"""Leads from addresses that people guess to the pages that they mean. All others are not found."""

from collections.abc import Iterator
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.views.defaults import page_not_found

from workspaces.access import SAFE_METHODS

NAMES = {
    **dict.fromkeys(("login", "signin", "accounts/login"), "sign-in"),
    **dict.fromkeys(("api", "api/v1", "api/docs", "swagger", "redoc"), "docs"),
    "documentation": "documents",
}
"""The names of the routes of pages, by other names for them."""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, Resolver404) and request.method in SAFE_METHODS and (address := lead(request.path)):
        query = request.META["QUERY_STRING"]
        return redirect(f"{quote(address)}?{query}" if query else quote(address))
    return page_not_found(request, exception)


def lead(path: str) -> str | None:
    """Returns the address that is meant: without the slash at its end, below /dashboard, or by another name."""
    return next((address for address in candidates(path) if exists(address)), None)


def candidates(path: str) -> Iterator[str]:
    name = path.strip("/").lower()
    if name in NAMES:
        yield reverse(NAMES[name])
    if name:
        yield f"/{path.strip('/')}"
        yield f"/dashboard/{path.strip('/')}"


def exists(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True
