from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.forms import ModelForm, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from workspaces import users as users  # registers users and groups
from workspaces.models import ApiKey, AuditEntry, Membership, Workspace

admin.site.index_title = "Administration"
admin.site.site_title = "Agent observability"


# A form has fields for each row below it, and Django refuses a form of more than 1,000 fields: nobody could save it.
MAX_ROWS_SHOWN = 50


def first_rows_of_each(parent: str, rows: QuerySet[Any], *order: str) -> QuerySet[Any]:
    """Returns the first rows of each parent, by a window function: one query for all parents."""
    row_number = Window(RowNumber(), partition_by=F(parent), order_by=order)
    first: QuerySet[Any] = rows.order_by(*order).annotate(row_number=row_number).filter(row_number__lte=MAX_ROWS_SHOWN)
    return first


class MemberInline(admin.TabularInline):
    """Shows a member's user as text, because a field to choose another user takes a query for each member."""

    model = Membership
    verbose_name_plural = f"members, the first {MAX_ROWS_SHOWN}"
    fields = ("user", "role", "created_at")
    readonly_fields = ("user", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        members: QuerySet[Membership] = super().get_queryset(request)
        # The oldest first: a member who joins while the form is open must not move another one out of it.
        return first_rows_of_each("workspace", members.select_related("user", "workspace"), "created_at", "id")

    def has_add_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return False


class NewMemberInline(admin.TabularInline):
    model = Membership
    verbose_name_plural = "new members"
    fields = ("user", "role")
    extra = 1
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return Membership.objects.none()


class KeyInline(admin.TabularInline):
    """Lists the keys of a workspace. A key is added on a page of its own, which shows the secret."""

    model = ApiKey
    verbose_name_plural = f"API keys, the newest {MAX_ROWS_SHOWN}"
    fields = readonly_fields = ("name", "prefix", "scope_list", "state", "last_used_at", "expires_at", "clock")
    show_change_link = True
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return first_rows_of_each("workspace", super().get_queryset(request), "-created_at", "id")

    def has_add_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return False

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return scope_list(key)

    @admin.display
    def state(self, key: ApiKey) -> str:
        return key.state

    @admin.display(description="clients' clocks", empty_value="")
    def clock(self, key: ApiKey) -> str:
        return key.clock_fault


def scope_list(key: ApiKey) -> str:
    return ", ".join(sorted(key.scopes)) or "none"


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ("name", "id", "time_zone", "members", "keys", "created_at")
    search_fields = ("name", "id")
    list_filter = ("content_visible_to", "time_zone")
    readonly_fields = ("id", "created_at")
    ordering = ("name", "id")  # again: the counts of get_queryset drop the model's order
    inlines = (MemberInline, NewMemberInline, KeyInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        workspaces: QuerySet[Workspace] = super().get_queryset(request)
        return workspaces.annotate(
            member_count=Count("memberships", distinct=True), key_count=Count("api_keys", distinct=True)
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Lists what goes with workspaces. Their audit goes too, though nobody may delete it alone."""
        shown, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set(forbidden) - {AuditEntry._meta.verbose_name}, protected

    @admin.display(ordering="member_count")
    def members(self, workspace: Any) -> int:
        return int(workspace.member_count)

    @admin.display(ordering="key_count", description="API keys")
    def keys(self, workspace: Any) -> int:
        return int(workspace.key_count)


class MembershipForm(ModelForm):
    class Meta:
        help_texts: ClassVar = {
            "user": "Whoever signs in with this name.",
            "role": "Viewers read, editors also change budgets and alerts, owners also manage members and keys.",
        }


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    form = MembershipForm
    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role", ("workspace", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "workspace")
    search_fields = ("user__username", "user__email", "workspace__name")
    autocomplete_fields = ("user", "workspace")


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """Shows the audit of all workspaces, and of what belongs to none. Nobody changes it."""

    list_display = ("at", "actor", "action", "subject", "workspace", "in_admin")
    list_filter = ("in_admin", ("workspace", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("workspace",)
    search_fields = ("actor", "action", "subject")
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # An address may not ask for JSON: not every text of an address is JSON that PostgreSQL takes.
        return not lookup.startswith(("before", "after")) and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("valid", "Valid"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        match self.value():
            case "valid":
                return queryset.filter(revoked_at=None).exclude(expires_at__lte=now)
            case "expired":
                return queryset.filter(revoked_at=None, expires_at__lte=now)
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


class ApiKeyForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not any(values.get(scope) for scope in ("can_ingest", "can_read", "can_write")):
            raise ValidationError("Choose at least one of ingest, read and write.")
        if values.get("can_read_content") and not values.get("can_read"):
            raise ValidationError({"can_read_content": "A key that reads content also needs read."})
        return values

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and "expires_at" in self.changed_data and expires_at <= timezone.now():
            raise ValidationError("This is past. Choose a later time, or leave it empty.")
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Shows a key's secret once, after the form that adds the key. The secret is never stored or sent again."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "workspace", "scope_list", "state", "last_used_at", "expires_at", "clock")
    list_filter = (
        *(StateFilter, "can_ingest", "can_read", "can_write", "can_read_content"),
        ("workspace", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("workspace",)
    search_fields = ("name", "prefix", "workspace__name")
    autocomplete_fields = ("workspace",)
    readonly_fields = ("prefix", "created_at", "last_used_at", "revoked_at", "clock")
    actions = ("revoke",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        # Django accepts any text in the URL as a time and then fails to show it.
        return {
            name: value for name, value in super().get_changeform_initial_data(request).items() if name != "expires_at"
        }

    def get_actions(self, request: HttpRequest) -> Any:
        # Keys are revoked, not deleted: a deleted key is missing from the list of those that had access.
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Otherwise a digest could be guessed character by character: ?digest__startswith=
        return not lookup.startswith("digest") and super().lookup_allowed(lookup, value, request)

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return scope_list(key)

    @admin.display
    def state(self, key: ApiKey) -> str:
        return key.state

    @admin.display(description="clients' clocks", empty_value="")
    def clock(self, key: ApiKey) -> str:
        return key.clock_fault

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        # A key never moves to another workspace: the traces it has ingested would stay in the old one.
        return [*self.readonly_fields, "workspace"] if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        key, secret = ApiKey.objects.issue(obj.workspace, obj.name, sorted(obj.scopes), obj.expires_at)
        obj.pk, obj.prefix = key.pk, key.prefix
        obj.secret = secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": "Copy the key now", "key": obj}
        return TemplateResponse(request, "admin/workspaces/apikey/issued.html", context)

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        count = 0
        # One after the other, and not by an update: the audit sees rows that are saved.
        for key in keys.filter(revoked_at=None):
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            count += 1
        messages.success(request, f"Revoked {count} keys. They are refused from now on.")
