from django.urls import path

from alerts import rule_pages

urlpatterns = [
    path("dashboard/alerts", rule_pages.alerts_page, name="alerts-page"),
    path("dashboard/alerts/events/<uuid:event_id>", rule_pages.event_page, name="alert-event"),
]
