from django.urls import path

from alerts import api, pages, rule_api, rule_pages

urlpatterns = [
    path("api/v1/alerts/channels", api.channels_view, name="channels"),
    path("api/v1/alerts/channels/<uuid:channel_id>", api.channel_view, name="channel"),
    path("api/v1/alerts/channels/<uuid:channel_id>/test", api.test_view, name="channel-test"),
    path("api/v1/alerts/deliveries", api.deliveries_view, name="deliveries"),
    path("api/v1/alerts/rules", rule_api.rules_view, name="rules"),
    path("api/v1/alerts/rules/preview", rule_api.preview_view, name="rules-preview"),
    path("api/v1/alerts/rules/<uuid:rule_id>", rule_api.rule_view, name="rule"),
    path("api/v1/alerts/events", rule_api.events_view, name="events"),
    path("api/v1/alerts/events/<uuid:event_id>", rule_api.event_view, name="event"),
    path("api/v1/alerts/events/<uuid:event_id>/acknowledge", rule_api.acknowledge_view, name="event-acknowledge"),
    path("dashboard/alerts", rule_pages.alerts_page, name="alerts-page"),
    path("dashboard/alerts/new", rule_pages.new_rule, name="new-rule"),
    path("dashboard/alerts/backtest", rule_pages.backtest_panel, name="rule-backtest"),
    path("dashboard/alerts/rules/<uuid:rule_id>", rule_pages.rule_page, name="rule-page"),
    path("dashboard/alerts/rules/<uuid:rule_id>/edit", rule_pages.edit_rule, name="edit-rule"),
    path("dashboard/alerts/events/<uuid:event_id>", rule_pages.event_page, name="alert-event"),
    path("dashboard/alerts/channels", pages.channels_page, name="channels-page"),
    path("dashboard/alerts/channels/new/<slug:kind>", pages.new_channel, name="new-channel"),
    path("dashboard/alerts/channels/<uuid:channel_id>", pages.channel_page, name="channel-page"),
    path("dashboard/alerts/channels/<uuid:channel_id>/edit", pages.edit_channel, name="edit-channel"),
]
