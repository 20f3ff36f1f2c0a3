from reports.models.export import Export
from reports.models.schedule import ReportDelivery, ReportFile, ReportRun, Schedule, Unsubscribed

__all__ = ["Export", "ReportDelivery", "ReportFile", "ReportRun", "Schedule", "Unsubscribed"]
