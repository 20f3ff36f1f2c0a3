"""Lets people arrange the panels of a dashboard."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
"""Below `dashboard/dashboards/<uuid:dashboard_id>/`."""
