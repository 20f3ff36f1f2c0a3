from django.urls import path

from settings import pages

urlpatterns = [
    path("settings", pages.settings_page, name="settings-page"),
    path("settings/general", pages.general_page, name="settings-general"),
]
