import pytest

from alerts.delivery import send
from alerts.models import Channel, Delivery
from tests.alerts.test_message import message
from tests.factories import WorkspaceFactory
from tests.jobs_helper import waiting_jobs

pytestmark = pytest.mark.django_db


def make_channel(workspace, name="Team", **changes):
    return Channel.objects.create(**{"workspace": workspace, "name": name, "kind": "email"} | changes)


def test_each_channel_has_a_delivery_and_a_job():
    workspace = WorkspaceFactory()
    channels = [make_channel(workspace, "Team"), make_channel(workspace, "Chiefs")]

    send(message(workspace_id=workspace.pk), channels)

    assert Delivery.objects.count() == 2
    assert {job.args["delivery_id"] for job in waiting_jobs("alerts.deliver")} == {
        str(one.pk) for one in Delivery.objects.all()
    }


def test_a_channel_is_told_of_an_event_once():
    workspace = WorkspaceFactory()
    channel = make_channel(workspace)
    event = message(workspace_id=workspace.pk)

    assert len(send(event, [channel])) == 1
    assert send(event, [channel]) == []
    assert len(waiting_jobs("alerts.deliver")) == 1


def test_a_channel_that_is_off_is_told_nothing():
    workspace = WorkspaceFactory()

    assert send(message(workspace_id=workspace.pk), [make_channel(workspace, is_active=False)]) == []


def test_a_message_does_not_leave_its_workspace():
    with pytest.raises(ValueError, match="another workspace"):
        send(
            message(workspace_id=WorkspaceFactory().pk),
            [make_channel(WorkspaceFactory())],
        )
