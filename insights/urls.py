from django.urls import path

from insights.annotation_pages import annotation_page, annotations_page
from insights.annotation_view import annotation_view, annotations_view
from insights.anomalies.api import anomalies_view, anomaly_view
from insights.anomalies.pages import anomalies_page
from insights.change_page import why_page
from insights.change_view import changes_view
from insights.compare_page import compare_page, slice_values
from insights.compare_view import compare_view
from insights.experiments.api import experiment_view, experiments_view
from insights.experiments.pages import experiment_page, experiments_page, new_experiment
from insights.first_page import insights_page
from insights.invoices import api as invoices_api
from insights.invoices import pages as invoice_pages
from insights.ledger_view import ledger_page, ledger_view
from insights.savings.api import decide_view, savings_view
from insights.savings.pages import savings_page
from insights.what_if_page import what_if_page
from insights.what_if_view import what_if_view

urlpatterns = [
    path("api/v1/insights/changes", changes_view, name="insights-changes"),
    path("api/v1/cost/ledger", ledger_view, name="cost-ledger"),
    path("api/v1/cost/invoices", invoices_api.invoices_view, name="invoices"),
    path("api/v1/cost/invoices/<uuid:invoice_id>", invoices_api.invoice_view, name="invoice"),
    path("api/v1/cost/invoices/<uuid:invoice_id>/prices", invoices_api.invoice_prices_view, name="invoice-prices"),
    path("dashboard/cost/invoices", invoice_pages.invoices_page, name="invoices-page"),
    path("dashboard/cost/invoices/files/<uuid:upload_id>", invoice_pages.upload_page, name="invoice-upload"),
    path("dashboard/cost/invoices/<uuid:invoice_id>", invoice_pages.invoice_page, name="invoice-page"),
    path("dashboard/cost/invoices/<uuid:invoice_id>/price", invoice_pages.price_page, name="invoice-price"),
    path("dashboard/cost/ledger", ledger_page, name="ledger-page"),
    path("api/v1/insights/anomalies", anomalies_view, name="insights-anomalies"),
    path("api/v1/insights/anomalies/<uuid:finding_id>", anomaly_view, name="insights-anomaly"),
    path("api/v1/insights/annotations", annotations_view, name="insights-annotations"),
    path("api/v1/insights/annotations/<uuid:annotation_id>", annotation_view, name="insights-annotation"),
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
    path("dashboard/insights/anomalies", anomalies_page, name="anomalies-page"),
    path("dashboard/insights/annotations", annotations_page, name="annotations-page"),
    path("dashboard/insights/annotations/<uuid:annotation_id>", annotation_page, name="annotation-page"),
    path("api/v1/insights/savings", savings_view, name="savings"),
    path("api/v1/insights/savings/decisions", decide_view, name="saving-decisions"),
    path("api/v1/insights/what-if", what_if_view, name="what-if"),
    path("dashboard/insights/savings", savings_page, name="savings-page"),
    path("dashboard/insights/what-if", what_if_page, name="what-if-page"),
]
