"""Changes which of our models a provider's names are, for an invoice and for later files with its header."""

from collections.abc import Mapping

from django.db import transaction

from insights.invoices.models import NAME_LENGTH, Invoice, InvoiceMapping
from web.problems import FieldError, Problem


def name_models(invoice: Invoice, models: Mapping[str, str], author: str) -> None:
    """Stores our model for each name of the provider, or raises a 422 Problem for a name that the file lacks."""
    known = set(invoice.lines.values_list("model_named", flat=True))
    errors: list[FieldError] = [
        {"loc": ["body", "models", named[:NAME_LENGTH]], "msg": "the file has no such name"}
        for named in models
        if named not in known
    ]
    errors += [
        {"loc": ["body", "models", named], "msg": f"must have at most {NAME_LENGTH} characters and no NUL"}
        for named, model in models.items()
        if len(model) > NAME_LENGTH or "\0" in model
    ]
    if errors:
        raise Problem(422, "The names of models are not valid.", errors)
    store(invoice, {named: model.strip() for named, model in models.items()}, author)


@transaction.atomic
def store(invoice: Invoice, models: Mapping[str, str], author: str) -> None:
    for named, model in models.items():
        invoice.lines.filter(model_named=named).update(model=model)
    mapping = InvoiceMapping.objects.select_for_update().filter(
        workspace_id=invoice.workspace_id, fingerprint=invoice.fingerprint
    )
    for kept in mapping:
        kept.model_names |= models
        kept.changed_by = author
        kept.save()
