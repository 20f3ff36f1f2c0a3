"""The messages of reports by email."""

from collections.abc import Sequence

from reports.models import ReportDelivery, ReportFile, ReportRun
from reports.models.schedule import RECIPIENTS
from reports.schedules.message import PartLinks, files_of, part_links, period_words, schedule_url, until_words
from web.addresses import public_address
from web.mail.templates import Context, MailTemplate, register


def report_context(delivery: ReportDelivery, attached: Sequence[ReportFile], leave: str) -> Context:
    run = delivery.run
    return {
        "name": run.schedule.name,
        "period": period_words(run),
        "workspace": run.schedule.workspace.name,
        "parts": part_links(run, files_of(run), {*attached}),
        "note": run.note,
        "until": until_words(run),
        "leave_url": leave if run.receivers == RECIPIENTS else "",
    }


def context_of_delivery(delivery_id: str) -> Context | None:
    """Returns what the mail of a delivery shows; None where it was deleted."""
    found = ReportDelivery.objects.select_related("run__schedule__workspace").filter(pk=delivery_id).first()
    return report_context(found, (), "") if found else None


def sample() -> Context:
    link = public_address("report-file", "a-signed-link")
    sentence = "Spend was $1,204.50 in October 2026, 12 % more than in September."
    return {
        "name": "Cost for finance",
        "period": "October 2026",
        "workspace": "Acme",
        "parts": [PartLinks("Cost", sentence, [("PDF", link, True), ("XLSX", link, False)])],
        "note": "",
        "until": "8 Nov",
        "leave_url": public_address("report-unsubscribe", "a-signed-link"),
    }


def failed_context(run_id: str) -> Context | None:
    run = ReportRun.objects.select_related("schedule__workspace").filter(pk=run_id).first()
    if run is None:
        return None
    return failed_shown(run.schedule.name, period_words(run), run.schedule.workspace.name, run.error, schedule_url(run))


def failed_shown(name: str, period: str, workspace: str, error: str, url: str) -> Context:
    return {"name": name, "period": period, "workspace": workspace, "error": error, "url": url}


def failed_sample() -> Context:
    error = "2 of 3 messages could not be sent."
    return failed_shown("Cost for finance", "October 2026", "Acme", error, public_address("reports-page"))


REPORT = register(MailTemplate("report", "Report", context=context_of_delivery, sample=sample))
REPORT_FAILED = register(
    MailTemplate("report_failed", "Report that failed", context=failed_context, sample=failed_sample)
)
