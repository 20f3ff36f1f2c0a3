from insights.invoices.models import Invoice, InvoiceLine, InvoiceMapping, InvoiceUpload, Repricing

__all__ = ["Invoice", "InvoiceLine", "InvoiceMapping", "InvoiceUpload", "Repricing"]
