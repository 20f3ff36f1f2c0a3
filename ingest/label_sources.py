"""Chooses the attributes whose values become labels, and records who chose them."""

import logging

from django.core.exceptions import ValidationError
from django.db import transaction

from ingest.attribute_names import is_content
from workspaces import audit
from workspaces.models import LabelSource, Workspace

logger = logging.getLogger(__name__)


def check_is_no_content(attribute: str) -> None:
    """Raises a ValidationError for prompts, completions and other contents: labels stay when contents are deleted."""
    if is_content(attribute):
        raise ValidationError({"attribute": "This attribute holds prompts or completions, which are never labels."})


@transaction.atomic
def add_label_source(workspace: Workspace, attribute: str, label: str, changed_by: str) -> LabelSource:
    """Adds the choice. Raises a ValidationError that says what is wrong with it."""
    # The row of the workspace is the lock: otherwise two requests could go past the limits together.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    source = LabelSource(workspace=workspace, attribute=attribute, label=label)
    source.full_clean()
    check_is_no_content(attribute)
    source.save()
    audit.record(workspace, changed_by, "label.choose", attribute, after={"label": label})
    logger.info("labels of workspace %s: %s added %s", workspace.pk, changed_by, source)
    return source


@transaction.atomic
def change_label_source(workspace: Workspace, attribute: str, label: str, changed_by: str) -> None:
    """Gives the label of the attribute another name. Raises a ValidationError that says what is wrong with it."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    source = chosen_source(workspace, attribute)
    before, source.label = source.label, label
    source.full_clean()
    source.save()
    audit.record(workspace, changed_by, "label.change", attribute, {"label": before}, {"label": label})
    logger.info("labels of workspace %s: %s changed %s to %s", workspace.pk, changed_by, before, source)


def chosen_source(workspace: Workspace, attribute: str) -> LabelSource:
    source = LabelSource.objects.filter(workspace=workspace, attribute=attribute).first()
    if source is None:
        raise ValidationError({"attribute": "This attribute is not chosen."})
    return source


@transaction.atomic
def remove_label_source(workspace: Workspace, attribute: str, changed_by: str) -> None:
    """Removes the choice. Raises a ValidationError if there is none for this attribute."""
    source = chosen_source(workspace, attribute)
    source.delete()
    audit.record(workspace, changed_by, "label.remove", attribute, before={"label": source.label})
    logger.info("labels of workspace %s: %s removed %s", workspace.pk, changed_by, source)


def remove_label(workspace: Workspace, label: str, changed_by: str) -> None:
    """Removes all choices for the label. Raises a ValidationError if there is none."""
    sources = LabelSource.objects.filter(workspace=workspace, label=label)
    if not sources:
        raise ValidationError({"label": "No attribute is chosen for this label."})
    for source in sources:
        remove_label_source(workspace, source.attribute, changed_by)
