"""Gives templates the theme that a person has chosen. It is stored in the session, so that no page asks for it."""

from django.http import HttpRequest

THEME = "theme"


def chosen_theme(request: HttpRequest) -> dict[str, str]:
    session = getattr(request, "session", None)
    return {"chosen_theme": session.get(THEME, "")} if session is not None else {}
