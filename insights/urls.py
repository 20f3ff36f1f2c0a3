from django.urls import path

from insights.change_page import why_page
from insights.change_view import changes_view
from insights.first_page import insights_page

urlpatterns = [
    path("api/v1/insights/changes", changes_view, name="insights-changes"),
    path("dashboard/insights", insights_page, name="insights-page"),
    path("dashboard/insights/why", why_page, name="why-page"),
]
