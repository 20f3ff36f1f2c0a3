"""Lists every route of the product and its guard. A new route fails `test_every_route_is_classified` until it is here:
add it to its table, and the tests of this folder try it."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from analytics.catalogue import METRICS
from analytics.catalogue import PAGES as DASHBOARDS
from traces.filters import DIMENSIONS

PUBLIC = {
    *("", "livez", "readyz", "sign-in", "sign-out", "api/v1/openapi.json", "api/v1/docs", "docs/", "docs/<slug:name>"),
    "api/v1/docs/<slug:name>",
    "favicon.ico",
    "dashboard/",  # leads to the first page
    "metrics",  # guarded by a token of its own: test_metrics_need_their_token
}
LOCAL = {"mail/", "mail/<str:name>", "mail/<str:name>/html"}
"""Only this machine, and only outside production: tests/web/mail/test_pages.py."""
LABELS_PAGE = "settings/labels"
LISTS = ("sessions", "users", "agents", "tools")
PAGES = {f"dashboard/{page.domain}" for page in DASHBOARDS} | {"dashboard/query", "dashboard/traces", LABELS_PAGE}
PAGES |= {f"dashboard/{name}" for name in LISTS} | {"dashboard/insights", "dashboard/insights/why"}
PAGES |= {"dashboard/cost/ledger", "dashboard/cost/invoices", "dashboard/reports", "dashboard/find"}
PAGES |= {"dashboard/insights/savings", "dashboard/insights/what-if", "dashboard/insights/compare"}
LABELS = "api/v1/settings/labels"
"""GET reads, POST and DELETE write."""
READ_AND_INGEST = {"api/v1/scores", "api/v1/scores/", "api/v1/traces", "api/v1/traces/"}
"""GET reads, POST ingests."""
TRACE_LISTS = {"dashboard/traces-count", "dashboard/traces-news"}
"""Parts of the page of the list of traces."""
READS = {f"api/v1/{route}" for route in METRICS} | READ_AND_INGEST | {"api/v1/query"} | TRACE_LISTS
READS |= {f"api/v1/{name}" for name in LISTS} | {"api/v1/insights/changes", "api/v1/cost/ledger"}
READS |= {"api/v1/insights/compare"}
SLICE_VALUES = "dashboard/slice-values"
"""Values for the form of the page that compares slices: it has no filters."""
BUDGETS = "api/v1/budgets"
"""GET reads, POST writes."""
BUDGET_ROUTES = {
    BUDGETS: "read, or write to POST",
    f"{BUDGETS}/preview": "read",
    f"{BUDGETS}/check": "read or ingest",
    f"{BUDGETS}/<uuid:budget_id>/raise": "write",
    f"{BUDGETS}/<uuid:budget_id>": "read, or write to PATCH and DELETE",
    "dashboard/budgets": "page",
    "dashboard/budgets/new": "page",
    "dashboard/budgets/<uuid:budget_id>": "page",
    "dashboard/budgets/<uuid:budget_id>/edit": "page",
    "dashboard/budget-values": "read",
    "dashboard/budget-preview": "read",
}
"""Every route of budgets, and who may use it: tests/budgets/test_api.py and test_pages.py."""
INVOICES = "api/v1/cost/invoices"
INVOICE_ROUTES = {
    INVOICES: "read, or write to POST",
    f"{INVOICES}/<uuid:invoice_id>": "read, or write to PATCH and DELETE",
    f"{INVOICES}/<uuid:invoice_id>/prices": "write",
    "dashboard/cost/invoices/files/<uuid:upload_id>": "page",
    "dashboard/cost/invoices/<uuid:invoice_id>": "page",
    "dashboard/cost/invoices/<uuid:invoice_id>/price": "page",
}
"""Routes of invoices, and who may use them: tests/insights/test_invoices.py and test_invoice_pages.py."""
ANNOTATIONS = "api/v1/insights/annotations"
INSIGHTS_ROUTES = {
    "api/v1/insights/anomalies": "read",
    "api/v1/insights/anomalies/<uuid:finding_id>": "write",
    ANNOTATIONS: "read, or write to POST",
    f"{ANNOTATIONS}/<uuid:annotation_id>": "read, or write to PATCH and DELETE",
    "dashboard/insights/anomalies": "page",
    "dashboard/insights/annotations": "page",
    "dashboard/insights/annotations/<uuid:annotation_id>": "page",
}
"""Anomalies and annotations, and who may use them: tests/insights."""
SAVING_ROUTES = {
    "api/v1/insights/savings": "read, or write to POST",
    "api/v1/insights/savings/decisions": "write",
    "api/v1/insights/what-if": "read",
}
"""The savings, and what if, whose filters begin with from_: tests/insights/test_savings.py and test_what_if.py."""
EXPERIMENTS = "api/v1/insights/experiments"
EXPERIMENT_ROUTES = {
    EXPERIMENTS: "read, or write to POST",
    f"{EXPERIMENTS}/<uuid:experiment_id>": "read, or write to PATCH and DELETE",
    "dashboard/insights/experiments": "page",
    "dashboard/insights/experiments/new": "page",
    "dashboard/insights/experiments/<uuid:experiment_id>": "page",
}
"""Every route of experiments, and who may use it: tests/insights/test_experiments.py."""
RULES, EVENTS = "api/v1/alerts/rules", "api/v1/alerts/events"
"""GET reads, POST writes."""
RULE_ROUTES = {
    RULES: "read, or write to POST",
    f"{RULES}/preview": "read",
    f"{RULES}/<uuid:rule_id>": "read, or write to PATCH and DELETE",
    EVENTS: "read",
    f"{EVENTS}/<uuid:event_id>": "read",
    f"{EVENTS}/<uuid:event_id>/acknowledge": "write",
    "dashboard/alerts": "page",
    "dashboard/alerts/new": "page",
    "dashboard/alerts/backtest": "read",
    "dashboard/alerts/rules/<uuid:rule_id>": "page",
    "dashboard/alerts/rules/<uuid:rule_id>/edit": "page",
    "dashboard/alerts/events/<uuid:event_id>": "page",
}
"""Every route of rules and their events, and who may use it: tests/alerts/test_rules_api.py and test_rule_pages.py."""
CHANNELS = "api/v1/alerts/channels"
CHANNEL_ROUTES = {
    CHANNELS: "read, or write to POST",
    f"{CHANNELS}/<uuid:channel_id>": "read, or write to PATCH and DELETE",
    f"{CHANNELS}/<uuid:channel_id>/test": "write",
    "api/v1/alerts/deliveries": "read",
    "dashboard/alerts/channels": "page",
    "dashboard/alerts/channels/new/<slug:kind>": "page",
    "dashboard/alerts/channels/<uuid:channel_id>": "page",
    "dashboard/alerts/channels/<uuid:channel_id>/edit": "page",
}
"""Every route of channels, and who may use it: tests/alerts/test_channels_api.py and test_channel_pages.py."""
SCHEDULES = "api/v1/reports"
SCHEDULE_ROUTES = {
    SCHEDULES: "read, or write to POST",
    f"{SCHEDULES}/<uuid:schedule_id>": "read, or write to PATCH and DELETE",
    f"{SCHEDULES}/<uuid:schedule_id>/run": "write",
    f"{SCHEDULES}/<uuid:schedule_id>/runs": "read",
    **{f"{SCHEDULES}/runs/<uuid:run_id>.{name}": "read" for name in ("pdf", "csv", "xlsx", "html")},
    "dashboard/report-schedules": "read",
    "dashboard/reports/schedules/new": "page",
    "dashboard/reports/schedules/<uuid:schedule_id>": "page",
    "dashboard/reports/schedules/<uuid:schedule_id>/edit": "page",
    "dashboard/report-files/<uuid:file_id>": "page",
    # The signed link is the right.
    **{f"reports/{what}/<str:token>": "public" for what in ("files", "unsubscribe", "subscribe")},
}
"""Every route of reports that go out, and who may use it: tests/reports/test_schedules_api.py."""
SETTINGS = "api/v1/settings"
SETTINGS_ROUTES = {
    "settings": "page",
    "settings/general": "page",
    "settings/labels/progress": "page",
    "api/v1/settings/labels/refill": "write",
    "settings/prices": "page",
    "settings/prices/progress": "page",
    "api/v1/settings/prices": "read, or write to POST",
    "api/v1/settings/prices/preview": "read",
    "api/v1/settings/prices/reprice": "write",
    "api/v1/settings/prices/<int:price_id>": "read, or write to PATCH and DELETE",
    "settings/content": "page",
    "settings/usage": "page",
    "api/v1/settings/content": "read, or manage to PATCH",
    "api/v1/settings/usage": "read",
    "settings/keys": "page",
    "settings/keys/<uuid:key_id>": "page",
    "api/v1/settings/keys": "read, or manage to POST",
    "api/v1/settings/keys/<uuid:key_id>": "read, or manage to PATCH and DELETE",
    "api/v1/settings/keys/<uuid:key_id>/rotate": "manage",
    "settings/members": "page",
    "settings/audit": "page",
    "settings/audit.csv": "page",
    "settings/workspaces": "page",
    "settings/new-workspace": "signed in",
    "invitations/<str:token>": "public",
    SETTINGS: "read, or manage to PATCH",
    f"{SETTINGS}/members": "read",
    f"{SETTINGS}/members/<int:member_id>": "manage to PATCH, or read to DELETE",
    f"{SETTINGS}/invitations": "manage",
    f"{SETTINGS}/invitations/<uuid:invitation_id>": "manage",
    f"{SETTINGS}/invitations/<uuid:invitation_id>/send": "manage",
    f"{SETTINGS}/audit": "manage, or read with a key",
}
"""Every route of the settings, and who may use it: tests/settings_pages/test_role_matrix.py."""
DASHBOARD = "api/v1/dashboards/<uuid:dashboard_id>"
DASHBOARD_PAGE = "dashboard/dashboards/<uuid:dashboard_id>"
DASHBOARD_ROUTES = {
    "api/v1/dashboards": "read, or write to POST",
    "api/v1/dashboards/schema.json": "public",
    "api/v1/dashboards/sharing": "read, or manage to PUT",
    DASHBOARD: "read, or write to PATCH and PUT and DELETE",
    f"{DASHBOARD}/export": "read",
    f"{DASHBOARD}/duplicate": "write",
    f"{DASHBOARD}/star": "read",
    f"{DASHBOARD}/revisions": "read",
    f"{DASHBOARD}/revisions/<int:number>/restore": "write",
    f"{DASHBOARD}/links": "manage",
    f"{DASHBOARD}/links/<uuid:link_id>": "manage",
    f"{DASHBOARD}/panels": "write",
    f"{DASHBOARD}/panels/<slug:panel_id>": "read, or write to PATCH and DELETE",
    "dashboard/dashboards": "page",
    "dashboard/dashboards/add": "page",
    DASHBOARD_PAGE: "page",
    f"{DASHBOARD_PAGE}/file": "page",
    f"{DASHBOARD_PAGE}/history": "page",
    f"{DASHBOARD_PAGE}/share": "page",
    f"{DASHBOARD_PAGE}/act": "page",
    **dict.fromkeys((f"{DASHBOARD_PAGE}/{part}" for part in ("form", "preview", "filter-values")), "read"),
    f"{DASHBOARD_PAGE}/values/<slug:name>": "read",
    "d/<str:token>": "public",
    "d/<str:token>/panels/<slug:panel_id>": "public",
}
"""Every route of dashboards, and who may use it: tests/dashboards. The token of a public link is its credential."""
MCP = "mcp"
"""Reads by the Model Context Protocol, with a key: tests/assistants/test_mcp.py."""
ACCOUNT_ROUTES = {
    **dict.fromkeys(("sign-in/code", "sign-in/inactive", "sign-in/link", "sign-in/forgotten"), "public"),
    **dict.fromkeys(("sign-in/reset", "sign-in/email", "sign-in/provider", "sign-in/provider/callback"), "public"),
    **dict.fromkeys(("sign-in/provider/again", "sign-in/again", "sign-in/again/code"), "signed in"),
    **dict.fromkeys(("sign-in/again/passkey", "settings/profile", "settings/profile/email"), "signed in"),
    **dict.fromkeys(("settings/sessions", "settings/sessions/end", "settings/security"), "signed in"),
    **dict.fromkeys(("settings/security/password", "settings/security/provider"), "signed in"),
    **dict.fromkeys(("settings/security/app", "settings/security/app/remove"), "signed in"),
    **dict.fromkeys(("settings/security/codes", "settings/security/codes/new"), "signed in"),
    **dict.fromkeys(("settings/security/passkey", "settings/security/passkey/<int:pk>/remove"), "signed in"),
    "settings/general/second-factor": "page",
}
"""Every route of a person's own account, and who may use it: tests/accounts."""
FORECAST = "api/v1/insights/forecast"
"""Takes filters and no window."""
TRACES_FILE = "dashboard/traces-csv"
EXPORTS = {
    f"api/v1/exports/{kind}.{name}" for kind in ("calls", "traces", "scores") for name in ("csv", "jsonl", "xlsx")
}
REPORTS = {
    f"api/v1/reports/{kind}.{name}"
    for kind in ("cost", "performance", "statement", "usage")
    for name in ("json", "html", "csv", "xlsx", "pdf")
}
"""Reports of a window: tests/reports/test_reports.py."""
REPORT_PAGE, REPORT_FILE = "dashboard/report", "dashboard/report-file"
EXPORT_FILE, EXPORT_HISTORY = "dashboard/export-file", "dashboard/export-history"
"""The download of the page, and its list: tests/reports/test_exports.py."""
PROMETHEUS = "api/v1/prometheus/metrics"
"""Its key selects the workspace: tests/reports/test_prometheus.py."""
FOUND = "dashboard/found"
"""What the search of all pages finds: tests/explorer/test_find.py."""
CHOICES = "dashboard/choices/<str:name>"
TRACE_READS = {
    "api/v1/traces/<id:trace_id>",
    "api/v1/traces/<id:trace_id>/spans/<id:span_id>",
    "dashboard/traces/<id:trace_id>/spans/<id:span_id>",
    *(f"dashboard/trace-{part}/<id:trace_id>" for part in ("rows", "head", "conversation")),
}
"""Reads of one trace, which have no window."""
TRACE_SCORES = "dashboard/trace-scores/<id:trace_id>"
"""POST by a person with the right to read; never by a key."""
TRACE_PAGES = {"dashboard/traces/<id:trace_id>", "dashboard/trace-json/<id:trace_id>"}
SESSION_READS = {"api/v1/sessions/<id:session_id>", "dashboard/session-conversation/<id:key>"}
"""Reads of one session, which have no window."""
ENTITY_READS = {
    *("api/v1/users/<id:user_id>", "api/v1/agents/<id:agent_id>", "api/v1/tools/<id:tool>"),
    "dashboard/entity/<str:part>/<str:name>/<id:key>",
}
"""Reads of one user, agent or tool: every name has an answer, as every value of a filter has."""
ENTITY_PAGES = {f"dashboard/{name}/<id:key>" for name in LISTS}
READ_PATHS = sorted(
    {f"/{route}" for route in READS}
    | {
        f"/{CHOICES}".replace("<str:name>", name)
        for name in ("label", "tool", *(dimension.name for dimension in DIMENSIONS))
    }
)
"""Every read of a workspace's rows."""
TEXT_FILTERS = (*(dimension.name for dimension in DIMENSIONS if not dimension.one_of), "label.customer")
"""The filters that take any text."""
BUDGET = "api/v1/cost/budget"
"""GET reads, PUT writes."""
INGESTION = {
    "v1/traces": "application/json",
    "v1/logs": "application/json",
    "v1/metrics": "application/json",
    "v1/traces/ingest": "application/json",
    "api/public/otel/v1/traces": "application/json",
    "api/public/otel/v1/metrics": "application/json",
    "api/public/scores": "application/json",
    "api/public/ingestion": "application/json",
}
INGESTION |= {f"{route}/": content_type for route, content_type in INGESTION.items()}
"""Every path that takes a POST with the scope ingest, and its content type."""
INGESTION_READS = {"api/public/projects", "api/public/projects/"}
ADMIN = "admin/"
"""Every view below it checks for staff and permissions."""


def routes() -> Iterator[tuple[str, URLPattern]]:
    yield from below(get_resolver(), "")


def below(resolver: URLResolver, start: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from below(pattern, route)
        else:
            yield route, pattern


def paths() -> list[str]:
    """Returns one path for each route."""
    return sorted({"/" + a_path(route) for route, _ in routes()})


def a_path(route: str, value: str = "1") -> str:
    """Returns a path of the route: each placeholder is `value`, a regular expression its first alternative."""
    route = re.sub(r"<[^>]*>", value, route)
    return re.sub(r"\^\(\?P1\w+.*|\(\?P1.*|\^\(\?P<.*", "auth/", route).replace("$", "")
