"""Writes one line per event, as JSON in production, with the id of its request and without secrets.

It does not import Django, because gunicorn's configuration uses it too.
"""

import logging
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from web.masking import without_secrets

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class JsonLogFormatter(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class LineLogFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs an error response after the request and adds the request, whose text would show the query.
        request = record.__dict__.pop("request", None)
        # Where a client sends what nobody may, Django adds a traceback, which tells nothing more.
        if record.name.startswith("django.security"):
            record.exc_info = None
        if not hasattr(record, "request_id"):
            record.request_id = getattr(request, "request_id", request_id.get())
        return True


def logging_config(level: str, log_json: bool | None, production: bool) -> dict[str, Any]:
    """Returns the configuration of logging. `log_json` is None where the environment does not decide."""
    as_json = production if log_json is None else log_json
    names = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "web.logs.RequestIdFilter"}},
        "formatters": {
            "json": {
                "()": "web.logs.JsonLogFormatter",
                "fmt": names,
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
            "line": {"()": "web.logs.LineLogFormatter", "fmt": names},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "json" if as_json else "line",
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Without this Django also writes to a handler of its own.
            "django": {"handlers": [], "level": "NOTSET", "propagate": True},
            # At DEBUG it writes whole contexts: tokens, query strings, a key that is shown once.
            "django.template": {"handlers": [], "level": "INFO", "propagate": True},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
            # Its lines show whole URLs with their query; web.requests writes a line without it.
            "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }
