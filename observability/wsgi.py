import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")
CONTENT_TYPE = "CONTENT_TYPE"
django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    environ[CONTENT_TYPE] = readable(environ.get(CONTENT_TYPE, ""))
    return django_application(environ, start_response)


def readable(content_type: str) -> str:
    """Returns the type without its parameters, unless they can be read and name no charset but UTF-8.

    Django fails at some parameters before any middleware runs, and at some charsets when it decodes the query.
    """
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
    except (ValueError, LookupError):
        charset = "unreadable"
    return content_type if charset.lower() in ("utf-8", "utf8") else content_type.partition(";")[0]
