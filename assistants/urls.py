from django.urls import path

from assistants.views import mcp_view

urlpatterns = [path("mcp", mcp_view, name="mcp")]
