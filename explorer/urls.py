from django.urls import path, register_converter
from django.urls.converters import PathConverter

from explorer import api, entity_pages, find, trace_pages, views
from explorer.entity_api import ENTITIES, list_view, view_of
from explorer.trace_list import traces_view
from ingest.urls import with_and_without_slash


class IdConverter(PathConverter):
    """Any text: clients choose the ids, and some hold slashes or line breaks."""

    regex = r"[\s\S]+"


register_converter(IdConverter, "id")

TRACE = "dashboard/traces/<id:trace_id>"

# Ids may hold slashes, so the longer addresses come first, and the parts of the page do not stand below its address.
urlpatterns = [
    *with_and_without_slash("api/v1/traces", traces_view, name="api-traces"),
    path("api/v1/traces/<id:trace_id>/spans/<id:span_id>", api.one_span, name="api-span"),
    path("api/v1/traces/<id:trace_id>", api.one_trace, name="api-trace"),
    path("dashboard/find", find.find_page, name="find"),
    path("dashboard/found", find.found_panel, name="found"),
    path("dashboard/traces", trace_pages.traces_page, name="traces-page"),
    path("dashboard/traces-csv", trace_pages.traces_csv, name="traces-csv"),
    path("dashboard/traces-count", trace_pages.trace_count, name="traces-count"),
    path("dashboard/traces-news", trace_pages.trace_news, name="traces-news"),
    path(f"{TRACE}/spans/<id:span_id>", views.span_panel, name="span-panel"),
    path("dashboard/trace-rows/<id:trace_id>", views.trace_rows, name="trace-rows"),
    path("dashboard/trace-head/<id:trace_id>", views.trace_head, name="trace-head"),
    path("dashboard/trace-conversation/<id:trace_id>", views.trace_conversation, name="trace-conversation"),
    path("dashboard/trace-scores/<id:trace_id>", views.give_score, name="trace-scores"),
    path("dashboard/trace-json/<id:trace_id>", views.trace_download, name="trace-download"),
    path(TRACE, views.trace_page, name="trace-page"),
    *(path(f"api/v1/{name}", list_view(entity), name=name) for name, entity in ENTITIES.items()),
    *(
        path(f"api/v1/{name}/<id:{entity.id_name}>", view_of(entity), name=entity.word)
        for name, entity in ENTITIES.items()
    ),
    *(
        path(f"dashboard/{name}", entity_pages.list_page(entity), name=f"{name}-page")
        for name, entity in ENTITIES.items()
    ),
    path("dashboard/session-conversation/<id:key>", entity_pages.session_conversation, name="session-conversation"),
    path("dashboard/entity/<str:part>/<str:name>/<id:key>", entity_pages.part, name="entity-part"),
    *(
        path(f"dashboard/{name}/<id:key>", entity_pages.page_of(entity), name=f"{entity.word}-page")
        for name, entity in ENTITIES.items()
    ),
]
