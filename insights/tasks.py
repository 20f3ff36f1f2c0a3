from insights.invoices.tasks import delete_old_uploads, reprice

__all__ = ["delete_old_uploads", "reprice"]
