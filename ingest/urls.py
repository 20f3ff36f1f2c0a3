from django.urls import path

from ingest import views

urlpatterns = [
    path("api/v1/traces", views.json_traces, name="json-traces"),
]
