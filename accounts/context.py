"""What a person has chosen, in their session: no page has to ask the database for it."""

from django.http import HttpRequest

from accounts.models import Profile

THEME, ZONE = "theme", "zone"


def remember(request: HttpRequest, profile: Profile | None) -> None:
    request.session[THEME] = profile.theme if profile else ""
    request.session[ZONE] = profile.time_zone if profile else ""


def chosen_theme(request: HttpRequest) -> dict[str, str]:
    """Gives templates the theme. It is a context processor of Django."""
    session = getattr(request, "session", None)
    return {"chosen_theme": session.get(THEME, "")} if session is not None else {}
