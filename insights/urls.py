from django.urls import path

from insights.change_page import why_page
from insights.change_view import changes_view
from insights.compare_page import compare_page, slice_values
from insights.compare_view import compare_view
from insights.experiments.api import experiment_view, experiments_view
from insights.experiments.pages import experiment_page, experiments_page, new_experiment
from insights.first_page import insights_page

urlpatterns = [
    path("api/v1/insights/changes", changes_view, name="insights-changes"),
    path("api/v1/insights/compare", compare_view, name="insights-compare"),
    path("dashboard/insights/compare", compare_page, name="compare-page"),
    path("api/v1/insights/experiments", experiments_view, name="experiments"),
    path("api/v1/insights/experiments/<uuid:experiment_id>", experiment_view, name="experiment"),
    path("dashboard/insights/experiments", experiments_page, name="experiments-page"),
    path("dashboard/insights/experiments/new", new_experiment, name="new-experiment"),
    path("dashboard/insights/experiments/<uuid:experiment_id>", experiment_page, name="experiment-page"),
    path("dashboard/slice-values", slice_values, name="slice-values"),
    path("dashboard/insights", insights_page, name="insights-page"),
    path("dashboard/insights/why", why_page, name="why-page"),
]
