from django.urls import path

from alerts import api, pages

urlpatterns = [
    path("api/v1/alerts/channels", api.channels_view, name="channels"),
    path("api/v1/alerts/channels/<uuid:channel_id>", api.channel_view, name="channel"),
    path("api/v1/alerts/channels/<uuid:channel_id>/test", api.test_view, name="channel-test"),
    path("api/v1/alerts/deliveries", api.deliveries_view, name="deliveries"),
    path("dashboard/alerts/channels", pages.channels_page, name="channels-page"),
    path("dashboard/alerts/channels/new/<slug:kind>", pages.new_channel, name="new-channel"),
    path("dashboard/alerts/channels/<uuid:channel_id>", pages.channel_page, name="channel-page"),
    path("dashboard/alerts/channels/<uuid:channel_id>/edit", pages.edit_channel, name="edit-channel"),
    path("dashboard/alerts/deliveries", pages.deliveries_panel, name="deliveries-panel"),
]
