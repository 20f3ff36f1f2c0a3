"""Records in the audit what operators change in the admin: each row that is saved or deleted while the admin answers.

Signals see everything that the admin's forms, inline rows and deletions do. Outside the admin they record nothing:
there the functions that make a change call `record` themselves. A saved budget is recorded so in the admin too.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from web.declared_access import View
from workspaces.audit import record
from workspaces.models import Workspace

SAVED = (
    *("workspaces.Workspace", "workspaces.Membership", "workspaces.ApiKey", "workspaces.LabelSource"),
    *("prices.PriceOverride", "auth.User", "auth.Group"),
)
"""Each by name: a receiver of all models would keep Django from deleting rows without loading them."""
DELETED = (*SAVED, "budgets.Budget")
KINDS = {"apikey": "key", "membership": "member", "labelsource": "label", "priceoverride": "price"}
"""The kind in an action, where it is not the name of the model."""
NOT_SHOWN = ("id", "epoch", "digest", "last_login", "last_used_at", "updated_at", "workspace")

_request: ContextVar[HttpRequest | None] = ContextVar("admin_request", default=None)
_deleted_workspaces: ContextVar[frozenset[UUID]] = ContextVar("deleted_workspaces", default=frozenset())


class AdminAuditMiddleware:
    """Remembers the request while the admin answers it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        tokens = _request.set(None), _deleted_workspaces.set(frozenset())
        try:
            return self.get_response(request)
        finally:
            _request.reset(tokens[0])
            _deleted_workspaces.reset(tokens[1])

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        if match and match.app_names[:1] == ["admin"]:
            _request.set(request)


def values_of(instance: models.Model) -> dict[str, Any]:
    fields = (field for field in instance._meta.concrete_fields if field.name not in NOT_SHOWN)
    return {field.name: plain(field.value_from_object(instance)) for field in fields}


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def write(instance: models.Model, verb: str, before: Any, after: Any) -> None:
    request = _request.get()
    workspace_id = getattr(instance, "workspace_id", None)
    # With a workspace everything in it goes, its audit too. One entry about that is enough, and stays.
    if request is None or workspace_id in _deleted_workspaces.get():
        return
    name = str(instance._meta.model_name)
    action, actor = f"{KINDS.get(name, name)}.{verb}", request.user.get_username()
    workspace = workspace_of(instance)
    record(workspace, actor, action, str(instance), before, after, in_admin=True)


def workspace_of(instance: models.Model) -> Workspace | None:
    """Returns its workspace; None for users and groups, and for a workspace that is deleted."""
    pk: Any = instance.pk if isinstance(instance, Workspace) else getattr(instance, "workspace_id", None)
    is_deleted = pk is None or pk in _deleted_workspaces.get()
    return None if is_deleted else Workspace.objects.filter(pk=pk).first()


def remember_before(sender: Any, instance: models.Model, **signal: Any) -> None:
    if _request.get() is not None:
        stored = sender._default_manager.filter(pk=instance.pk).first()
        instance._before_in_admin = values_of(stored) if stored else None  # type: ignore[attr-defined]


def record_saved(instance: models.Model, created: bool, **signal: Any) -> None:
    if _request.get() is not None:
        before = None if created else getattr(instance, "_before_in_admin", None)
        write(instance, "create" if created else "change", before, values_of(instance))


def record_deleted(instance: models.Model, **signal: Any) -> None:
    write(instance, "delete", values_of(instance), None)


@receiver(pre_delete, sender=Workspace)
def note_deleted_workspace(instance: Workspace, **signal: Any) -> None:
    """Runs before anything of the workspace is deleted."""
    if _request.get() is not None:
        _deleted_workspaces.set(_deleted_workspaces.get() | {instance.pk})


@receiver(m2m_changed)
def record_rights(instance: models.Model, action: str, pk_set: Any, model: Any, **signal: Any) -> None:
    """Records which groups and rights a user or group gets or loses."""
    if action not in ("post_add", "post_remove") or not isinstance(instance, User | Group):
        return
    names = [str(one) for one in model._default_manager.filter(pk__in=pk_set or ())]
    changed = {str(model._meta.verbose_name_plural): names}
    before, after = (None, changed) if action == "post_add" else (changed, None)
    write(instance, "change", before, after)


def connect() -> None:
    for name in SAVED:
        pre_save.connect(remember_before, sender=name, dispatch_uid="admin audit")
        post_save.connect(record_saved, sender=name, dispatch_uid="admin audit")
    for name in DELETED:
        post_delete.connect(record_deleted, sender=name, dispatch_uid="admin audit")
