from django.urls import path

from insights.change_page import why_page
from insights.change_view import changes_view
from insights.first_page import insights_page
from insights.invoices import api as invoices_api
from insights.ledger_view import ledger_page, ledger_view

urlpatterns = [
    path("api/v1/insights/changes", changes_view, name="insights-changes"),
    path("api/v1/cost/ledger", ledger_view, name="cost-ledger"),
    path("api/v1/cost/invoices", invoices_api.invoices_view, name="invoices"),
    path("api/v1/cost/invoices/<uuid:invoice_id>", invoices_api.invoice_view, name="invoice"),
    path("api/v1/cost/invoices/<uuid:invoice_id>/prices", invoices_api.invoice_prices_view, name="invoice-prices"),
    path("dashboard/cost/ledger", ledger_page, name="ledger-page"),
    path("dashboard/insights", insights_page, name="insights-page"),
    path("dashboard/insights/why", why_page, name="why-page"),
]
