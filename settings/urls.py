from django.urls import path

from settings import accept, api, audit_pages, member_pages, pages, workspace_pages
from settings.content.api import content_view
from settings.content.pages import content_page
from settings.keys import api as keys_api
from settings.keys import pages as key_pages
from settings.labels import api as labels_api
from settings.labels.pages import labels_page
from settings.models import UpdateKind
from settings.prices import api as prices_api
from settings.prices import pages as price_pages
from settings.progress import progress_panel
from settings.usage.api import usage_view
from settings.usage.pages import usage_page

urlpatterns = [
    path("settings", pages.settings_page, name="settings-page"),
    path("settings/general", pages.general_page, name="settings-general"),
    path("settings/content", content_page, name="settings-content"),
    path("settings/usage", usage_page, name="settings-usage"),
    path("api/v1/settings/content", content_view, name="content-api"),
    path("api/v1/settings/usage", usage_view, name="usage-api"),
    path("settings/keys", key_pages.keys_page, name="settings-keys"),
    path("settings/keys/<uuid:key_id>", key_pages.key_page, name="settings-key"),
    path("settings/labels", labels_page, name="labels"),
    path("settings/labels/progress", progress_panel(UpdateKind.LABELS), name="settings-progress-labels"),
    path("api/v1/settings/labels", labels_api.labels_view, name="labels-api"),
    path("api/v1/settings/labels/refill", labels_api.refill_view, name="labels-refill"),
    path("settings/prices", price_pages.prices_page, name="settings-prices"),
    path("settings/prices/progress", progress_panel(UpdateKind.PRICES), name="settings-progress-prices"),
    path("api/v1/settings/prices", prices_api.prices_view, name="prices-api"),
    path("api/v1/settings/prices/preview", prices_api.preview_view, name="prices-preview"),
    path("api/v1/settings/prices/reprice", prices_api.reprice_view, name="prices-reprice"),
    path("api/v1/settings/prices/<int:price_id>", prices_api.price_view, name="price-api"),
    path("api/v1/settings/keys", keys_api.keys_view, name="keys-api"),
    path("api/v1/settings/keys/<uuid:key_id>", keys_api.key_view, name="key-api"),
    path("api/v1/settings/keys/<uuid:key_id>/rotate", keys_api.rotate_view, name="key-rotate"),
    path("settings/members", member_pages.members_page, name="settings-members"),
    path("settings/audit", audit_pages.audit_page, name="settings-audit"),
    path("settings/audit.csv", audit_pages.audit_file, name="settings-audit-file"),
    path("settings/new-workspace", workspace_pages.new_workspace, name="new-workspace"),
    path("settings/workspaces", workspace_pages.workspaces_page, name="workspaces-page"),
    path("invitations/<str:token>", accept.accept_page, name="invitation"),
    path("api/v1/settings", api.general_view, name="general"),
    path("api/v1/settings/members", api.members_view, name="members"),
    path("api/v1/settings/members/<int:member_id>", api.member_view, name="member"),
    path("api/v1/settings/invitations", api.invitations_view, name="invitations"),
    path("api/v1/settings/invitations/<uuid:invitation_id>", api.invitation_view, name="invitation-api"),
    path("api/v1/settings/invitations/<uuid:invitation_id>/send", api.send_view, name="invitation-send"),
    path("api/v1/settings/audit", api.audit_view, name="audit"),
]
