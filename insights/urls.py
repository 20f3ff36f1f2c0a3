from django.urls import path

from insights.change_page import why_page
from insights.change_view import changes_view

urlpatterns = [
    path("api/v1/insights/changes", changes_view, name="insights-changes"),
    path("dashboard/insights/why", why_page, name="why-page"),
]
