from django.urls import path

from explorer import api, views

TRACE = "dashboard/traces/<path:trace_id>"

# Ids may hold slashes, so the longer addresses come first.
urlpatterns = [
    path("api/v1/traces/<path:trace_id>/spans/<path:span_id>", api.one_span, name="api-span"),
    path("api/v1/traces/<path:trace_id>", api.one_trace, name="api-trace"),
    path(f"{TRACE}/spans/<path:span_id>", views.span_panel, name="span-panel"),
    path(f"{TRACE}/rows", views.trace_rows, name="trace-rows"),
    path(f"{TRACE}/head", views.trace_head, name="trace-head"),
    path(f"{TRACE}/conversation", views.trace_conversation, name="trace-conversation"),
    path(f"{TRACE}/scores", views.give_score, name="trace-scores"),
    path(f"{TRACE}/json", views.trace_download, name="trace-download"),
    path(TRACE, views.trace_page, name="trace-page"),
]
