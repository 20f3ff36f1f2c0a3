from django.urls import path

from settings import pages
from settings.keys import api as keys_api
from settings.keys import pages as key_pages

urlpatterns = [
    path("settings", pages.settings_page, name="settings-page"),
    path("settings/general", pages.general_page, name="settings-general"),
    path("settings/keys", key_pages.keys_page, name="settings-keys"),
    path("settings/keys/<uuid:key_id>", key_pages.key_page, name="settings-key"),
    path("api/v1/settings/keys", keys_api.keys_view, name="keys-api"),
    path("api/v1/settings/keys/<uuid:key_id>", keys_api.key_view, name="key-api"),
    path("api/v1/settings/keys/<uuid:key_id>/rotate", keys_api.rotate_view, name="key-rotate"),
]
