"""Says how long the rows of each table are stored. A test finds every table of both databases here."""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings

from alerts.tasks import DELIVERIES_STORED
from alerts.tasks import EVENTS_STORED as ALERTS_STORED
from budgets.tasks import EVENTS_STORED
from insights.experiments.tasks import SUMS_STORED
from insights.invoices.tasks import UPLOADS_STORED
from insights.tasks import FINDINGS_STORED
from jobs.tasks import ADMIN_LOG, FAILURES, SIGN_INS, SUCCESSES, UNUSED_PERIODS
from reports.tasks import EXPORTS_STORED, FILES_STORED, RUNS_STORED
from traces import scores, session_summaries, trace_totals
from traces.rollups.catalogue import ALL_TABLES
from workspaces.tasks import AUDIT_STORED, INVITATIONS_STORED


class Rule(NamedTuple):
    rows: str
    stored: str
    tables: str
    """Their names, with spaces between them."""


def days(length: timedelta) -> str:
    return f"{length.days} days"


DELETED_BY_PEOPLE = "until somebody deletes them"
FOR_EVER = "as long as the database"
FAILED = f"those that failed {days(FAILURES)}"
RETENTION = (
    Rule(
        "Traces and scores",
        f"{settings.RETENTION_DAYS} days; prompts, completions and other contents"
        f" {settings.CONTENT_RETENTION_DAYS} days",
        f"traces {scores.TABLE} {trace_totals.TABLE} {session_summaries.TABLE}",
    ),
    Rule("Sums", f"{settings.ROLLUP_RETENTION_DAYS} days", " ".join([*ALL_TABLES, *scores.SUM_TABLES])),
    Rule(
        "Users and labels in their order, and how far sums are filled",
        FOR_EVER,
        "user_numbers label_values label_months rollup_state",
    ),
    Rule(
        "Workspaces, members, keys and choices of labels",
        DELETED_BY_PEOPLE,
        "workspaces_workspace workspaces_membership workspaces_apikey workspaces_labelsource",
    ),
    Rule(
        "Budgets and prices",
        DELETED_BY_PEOPLE,
        "budgets_budget budgets_budgetchange budgets_budgetraise prices_priceoverride",
    ),
    Rule("Orders to price or label stored rows again", "the newest 20 of each workspace", "settings_rowsupdate"),
    Rule(
        "Invoices of providers",
        DELETED_BY_PEOPLE,
        "insights_invoice insights_invoiceline insights_invoicemapping insights_repricing",
    ),
    Rule("Files of providers that are not imported yet", days(UPLOADS_STORED), "insights_invoiceupload"),
    Rule("Invitations", f"until {days(INVITATIONS_STORED)} after they expire", "workspaces_invitation"),
    Rule("Audit", days(AUDIT_STORED), "workspaces_auditentry"),
    Rule("Annotations", DELETED_BY_PEOPLE, "workspaces_annotation"),
    Rule("Anomalies, and what people decided about them", days(FINDINGS_STORED), "insights_finding"),
    Rule("Experiments and what they showed", DELETED_BY_PEOPLE, "insights_experiment insights_experimentlook"),
    Rule("Sums of experiments", f"until {days(SUMS_STORED)} after the end", "insights_experimentsum"),
    Rule("Thresholds that budgets reached", days(EVENTS_STORED), "budgets_budgetevent"),
    Rule("Who exported what", days(EXPORTS_STORED), "reports_export"),
    Rule(
        "Schedules of reports, and who has unsubscribed",
        DELETED_BY_PEOPLE,
        "reports_schedule reports_schedule_channels reports_unsubscribed",
    ),
    Rule("Reports that were made, and who got them", days(RUNS_STORED), "reports_reportrun reports_reportdelivery"),
    Rule("Files of reports", days(FILES_STORED), "reports_reportfile"),
    Rule(
        "Savings",
        "as long as they are found; those that somebody dismissed or did, as long as the workspace",
        "insights_saving insights_savingrun",
    ),
    Rule(
        "Dashboards, and the newest 100 revisions and 50 public links of each",
        DELETED_BY_PEOPLE,
        "dashboards_dashboard dashboards_star dashboards_revision dashboards_publiclink dashboards_sharingpolicy",
    ),
    Rule("Channels of alerts", DELETED_BY_PEOPLE, "alerts_channel"),
    Rule("Rules and their states", DELETED_BY_PEOPLE, "alerts_rule alerts_rulestate alerts_rule_channels"),
    Rule(
        "What rules and budgets have told",
        days(ALERTS_STORED),
        "alerts_alertevent alerts_notice alerts_notice_channels",
    ),
    Rule("Deliveries of messages", days(DELIVERIES_STORED), "alerts_delivery"),
    Rule(
        "Users of the product, groups and rights",
        DELETED_BY_PEOPLE,
        "auth_user auth_group auth_permission auth_user_groups auth_user_user_permissions auth_group_permissions"
        " django_content_type",
    ),
    Rule("Sessions", "until they expire, after two weeks", "django_session accounts_signedinsession"),
    Rule(
        "Profiles, second factors and accounts at the provider of the sign-in",
        "as long as the user",
        "accounts_profile accounts_provideraccess accounts_groupgrant mfa_authenticator socialaccount_socialaccount"
        " socialaccount_socialtoken socialaccount_socialapp account_emailaddress account_emailconfirmation",
    ),
    Rule("Changes of addresses that wait to be confirmed", "1 day", "accounts_emailchange"),
    Rule(
        "Attempts to sign in",
        days(SIGN_INS),
        "axes_accessattempt axes_accessattemptexpiration axes_accessfailurelog axes_accesslog",
    ),
    Rule("Changes in the admin", days(ADMIN_LOG), "django_admin_log"),
    Rule("Runs of jobs", f"{days(SUCCESSES)}; {FAILED}", "jobs_run"),
    Rule("Jobs", f"until they succeed; {FAILED}", "procrastinate_jobs procrastinate_events"),
    Rule(
        "Periods of the timetable",
        f"the last of each; {days(UNUSED_PERIODS)} where it no longer comes",
        "jobs_dueperiod procrastinate_periodic_defers",
    ),
    Rule("Tasks, workers and their clock", FOR_EVER, "jobs_taskstate jobs_clock procrastinate_workers"),
    Rule("Messages, where they are files", "the newest 1,000", ""),
    Rule("Migrations", FOR_EVER, "django_migrations"),
)
