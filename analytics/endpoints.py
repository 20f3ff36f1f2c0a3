"""What the views of most endpoints share: parameters, JSON bodies, cursors, and one view of several methods."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from analytics.query_string import validate, within_calendar
from budgets.bodies import parse
from web.body import json_body
from web.declared_access import View, declare
from web.problems import Problem
from web.row_places import RowPlace
from workspaces.access import WorkspaceRequest


class NoParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


def place_of(cursor: str) -> RowPlace:
    try:
        moment, pk = orjson.loads(urlsafe_b64decode(cursor))
        return RowPlace(within_calendar(datetime.fromisoformat(moment)), UUID(pk))
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer") from error


def cursor_of(place: RowPlace | None) -> str | None:
    return urlsafe_b64encode(orjson.dumps([*place])).decode() if place else None


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[
        Annotated[str, AfterValidator(place_of)] | None,
        Field(description="The `next_cursor` of the page before."),
    ] = None


def parameters_of(query: QueryDict, model: type[Any]) -> Any:
    found, errors = validate(query, model)
    if found is None or errors:
        raise Problem(422, "The query string is not valid.", errors)
    return found


def body_of(request: WorkspaceRequest, model: type[BaseModel], what: str, most_bytes: int | None = None) -> Any:
    """Returns the JSON body as the model. Raises a 400, 413, 415 or 422 Problem."""
    return parse(json_body(request, what, most_bytes), model, what)


def methods(**views: View) -> View:
    """Makes one view of the views of several methods."""
    allowed = [*views, *(["HEAD"] if "GET" in views else [])]

    @csrf_exempt
    def view(request: WorkspaceRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = views.get("GET" if request.method == "HEAD" else str(request.method))
        if found is None:
            return require_http_methods(allowed)(lambda *_, **__: HttpResponse())(request)
        return found(request, *args, **kwargs)

    return declare(view, access_words(views))


def access_words(views: Mapping[str, View]) -> str:
    """Describes who may use which method, like: read, or write to POST and DELETE."""
    by_access: dict[str, list[str]] = {}
    for name, view in views.items():
        by_access.setdefault(getattr(view, "access", ""), []).append(name)
    words = [f"{access} to {' and '.join(names)}" for access, names in by_access.items()]
    first = next(iter(by_access))
    return ", or ".join([first if "GET" in views or len(words) == 1 else words[0], *words[1:]])
