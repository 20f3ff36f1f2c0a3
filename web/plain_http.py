"""Refuses an API key that was sent without TLS, where Django would redirect to https.

After a redirect the client would go on like this: it sends the key in the clear each time before it follows.
"""

from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from web.problems import Problem, problem_response

KEY_HEADERS = ("Authorization", "X-API-Key")
REFUSAL = "This key was sent without TLS, so others may have read it: replace it, and use https."


class PlainHttpMiddleware(SecurityMiddleware):
    """Stands before Django's own, which redirects everything else."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:  # type: ignore[override]
        has_key = any(name in request.headers for name in KEY_HEADERS)
        if has_key and self.redirect and not request.is_secure():  # also at addresses that are not redirected
            return problem_response(request, Problem(403, REFUSAL))
        return None
