from django.contrib import admin
from django.urls import path

from web.mail import admin_pages, pages

urlpatterns = [
    path("mail/", pages.messages, name="mail"),
    path("mail/<str:name>", pages.message, name="mail-message"),
    path("mail/<str:name>/html", pages.message_html, name="mail-html"),
    path("admin/mail/", admin.site.admin_view(admin_pages.templates), name="mail-templates"),
    path("admin/mail/<str:name>", admin.site.admin_view(admin_pages.preview), name="mail-preview"),
    path("admin/mail/<str:name>/html", admin.site.admin_view(admin_pages.preview_html), name="mail-preview-html"),
]
