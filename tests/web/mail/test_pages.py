"""The pages that show messages: /mail/ for trying out, and the previews of the admin."""

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import UserFactory
from tests.jobs_helper import run_waiting_jobs, waiting_jobs
from web import mail
from web.mail import folder, messages
from web.mail.delivery import MailFault, deliver
from web.mails import TEST

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def mail_folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "web.mail.folder.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.EMAIL_HOST = ""
    return tmp_path / "mail"


def write(sent_by: str = "ada") -> str:
    """Sends a message, and returns the address of its page."""
    deliver(messages.message(messages.render(TEST, {"sent_by": sent_by}), "bob@example.com", "test-1"))
    return re.findall(r"/mail/\d{20}-[0-9a-f]{8}", Client().get("/mail/").content.decode())[0]


def staff(**rights: bool) -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, **rights), backend="django.contrib.auth.backends.ModelBackend")
    return client


class TestFolder:
    def test_only_its_user_reads_a_message_and_none_is_half_written(self, mail_folder: Path) -> None:
        write()
        [file] = mail_folder.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(mail_folder.stat().st_mode) == 0o700

    def test_a_file_has_nothing_of_the_message_in_its_name(self, mail_folder: Path) -> None:
        write(sent_by="../../etc/passwd")
        assert [folder.NAME.fullmatch(file.stem) is not None for file in mail_folder.iterdir()] == [True]

    def test_the_oldest_are_deleted(self, mail_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folder, "MAX_FILES", 2)
        pages = [write() for _ in range(3)]
        assert [f"/mail/{name}" for name in folder.names(mail_folder)] == [pages[2], pages[1]]

    def test_files_of_others_stay(self, mail_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folder, "MAX_FILES", 0)
        mail_folder.mkdir()
        (mail_folder / "mine.eml").touch()
        deliver(messages.message(messages.render(TEST, {}), "bob@example.com", "test-1"))
        assert [file.name for file in mail_folder.iterdir()] == ["mine.eml"]

    def test_what_a_killed_process_has_left_is_deleted_after_an_hour(self, mail_folder: Path) -> None:
        mail_folder.mkdir()
        left, begun = (mail_folder / f"{folder.new_name()}.unfinished" for _ in range(2))
        for file in (left, begun, mail_folder / "mine.unfinished"):
            file.touch()
        for file in (left, mail_folder / "mine.unfinished"):
            os.utime(file, (0, 0))
        write()
        assert {file.name for file in mail_folder.glob("*.unfinished")} == {begun.name, "mine.unfinished"}

    def test_a_folder_that_cannot_be_written_is_named(self, mail_folder: Path) -> None:
        mail_folder.touch()
        with pytest.raises(MailFault, match="file cannot be written: File exists"):
            deliver(messages.message(messages.render(TEST, {}), "bob@example.com", "test-1"))


@pytest.mark.usefixtures("mail_folder")
class TestMailPages:
    def test_the_list_names_each_message_and_its_page_shows_both_parts(self, client: Client) -> None:
        path = write()
        listed = client.get("/mail/").content.decode()
        assert "A test message from Agent observability" in listed
        assert "bob@example.com" in listed
        page = client.get(path)
        shown = " ".join(page.content.decode().split())
        assert "From Agent observability &lt;observability@localhost&gt; to bob@example.com, " in shown
        assert "Open the dashboards: " in shown
        assert f'src="{path}/html"' in page.content.decode()
        assert "<h1" in client.get(f"{path}/html").content.decode()

    def test_without_messages_the_list_says_how_to_get_one(self, client: Client) -> None:
        assert "send_test_mail" in client.get("/mail/").content.decode()

    def test_the_html_part_can_run_nothing_and_load_nothing(self, client: Client) -> None:
        path = write()
        frame = client.get(f"{path}/html")
        policy = frame["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sandbox allow-popups" in policy
        assert "script" not in policy
        assert "frame-ancestors 'self'" in policy
        assert frame["X-Frame-Options"] == "SAMEORIGIN"
        page = client.get(path)
        assert "frame-src 'self'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.content.decode()

    @pytest.mark.parametrize("end", ["", "/html"])
    def test_what_people_typed_is_text(self, client: Client, end: str) -> None:
        shown = client.get(write("<script>alert(1)</script>") + end).content.decode()
        assert "<script>alert" not in shown
        assert "&lt;script&gt;" in shown

    @pytest.mark.parametrize("name", ["0", "..%2F..%2Fetc%2Fpasswd", "0" * 20 + "-00000000", "%00"])
    @pytest.mark.parametrize("end", ["", "/html"])
    def test_a_message_that_does_not_exist_is_404(self, client: Client, name: str, end: str) -> None:
        assert client.get(f"/mail/{name}{end}").status_code == 404

    @pytest.mark.parametrize(
        ("changes", "extra"),
        [
            ({"PRODUCTION": True}, {}),
            ({"EMAIL_FILE_PATH": None}, {}),
            ({}, {"REMOTE_ADDR": "192.0.2.7"}),
            ({}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}),
            ({}, {"HTTP_FORWARDED": "for=127.0.0.1"}),
            ({}, {"HTTP_X_REAL_IP": "127.0.0.1"}),
        ],
    )
    def test_in_production_and_for_others_there_is_nothing(
        self, client: Client, settings: Any, changes: dict[str, Any], extra: dict[str, str]
    ) -> None:
        path = write()
        for name, value in changes.items():
            setattr(settings, name, value)
        assert [client.get(one, **extra).status_code for one in ("/mail/", path, f"{path}/html")] == [404, 404, 404]


class TestPreviews:
    def test_staff_see_every_message_with_made_up_values(self) -> None:
        client = staff()
        assert "/admin/mail/" in client.get("/admin/").content.decode()
        assert "/admin/mail/test" in client.get("/admin/mail/").content.decode()
        page = client.get("/admin/mail/test").content.decode()
        assert "A test message from Agent observability" in page
        assert "ada gave this address" in page
        assert "<h1" in client.get("/admin/mail/test/html").content.decode()

    def test_the_html_part_can_run_nothing(self) -> None:
        frame = staff().get("/admin/mail/test/html")
        assert "default-src 'none'" in frame["Content-Security-Policy"]
        assert frame["X-Frame-Options"] == "SAMEORIGIN"

    @pytest.mark.parametrize("path", ["/admin/mail/", "/admin/mail/test", "/admin/mail/test/html"])
    def test_others_have_to_sign_in(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 302
        client.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
        assert client.get(path).status_code == 302

    def test_an_unknown_message_is_404(self) -> None:
        assert staff().get("/admin/mail/none").status_code == 404


class TestTestMessage:
    def test_a_superuser_sends_one_through_the_queue(self, mailoutbox: list[Any]) -> None:
        client = staff(is_superuser=True)
        sent = client.post("/admin/mail/", {"address": "bob@example.com"})
        assert sent.status_code == 302
        assert "waits for a worker" in client.get(sent["Location"]).content.decode()
        assert run_waiting_jobs(mail.TASK) == 1
        assert [message.to for message in mailoutbox] == [["bob@example.com"]]
        assert "was handed over" in client.get(sent["Location"]).content.decode()

    def test_other_staff_may_not(self) -> None:
        client = staff()
        assert "Send a test message" not in client.get("/admin/mail/").content.decode()
        assert client.post("/admin/mail/", {"address": "bob@example.com"}).status_code == 403
        assert waiting_jobs() == []

    def test_another_site_may_not_send_one_for_a_superuser(self) -> None:
        user = UserFactory(is_staff=True, is_superuser=True)
        client = Client(enforce_csrf_checks=True)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        assert client.post("/admin/mail/", {"address": "bob@example.com"}).status_code == 403
        assert waiting_jobs() == []

    def test_what_is_no_address_is_said_at_the_field(self) -> None:
        page = staff(is_superuser=True).post("/admin/mail/", {"address": "bob"})
        assert "valid email address" in page.content.decode()
        assert waiting_jobs() == []

    def test_while_mail_is_off_the_page_says_so(self, settings: Any) -> None:
        settings.MAIL_IS_ON = False
        client = staff(is_superuser=True)
        page = client.get("/admin/mail/").content.decode()
        assert "EMAIL_URL is empty" in page
        assert "Send a test message" not in page
        assert client.post("/admin/mail/", {"address": "bob@example.com"}).status_code == 403

    @pytest.mark.parametrize("job", ["x", "-1", "9" * 30, "²", "1 OR 1=1", "None"])
    def test_a_job_that_is_no_number_shows_nothing(self, job: str) -> None:
        page = staff(is_superuser=True).get("/admin/mail/", {"job": job})
        assert page.status_code == 200
        assert "handed over" not in page.content.decode()
