from django.urls import path

from settings import accept, api, audit_pages, member_pages, pages, workspace_pages

urlpatterns = [
    path("settings", pages.settings_page, name="settings-page"),
    path("settings/general", pages.general_page, name="settings-general"),
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
