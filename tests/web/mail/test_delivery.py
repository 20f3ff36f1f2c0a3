"""Messages reach a mail server, or a sentence says why not."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction

from observability.mail_url import mail_settings, sender
from observability.variables import Variables
from tests.jobs_helper import retry_of, run_waiting_jobs, waiting_jobs
from tests.servers import free_port
from tests.smtp_server import SmtpServer
from tests.tools import tool
from web import mail
from web.mail import messages
from web.mail.delivery import MailFault, MailRefused, deliver
from web.mail.templates import MailTemplate, mail_templates
from web.mails import TEST

pytestmark = pytest.mark.django_db(databases="__all__")

TO = "ada@example.com"
FROM = "Agents <agents@example.com>"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes a certificate of 127.0.0.1 that nobody has signed but itself."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = f"{tool('openssl')} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def use(settings: Any) -> Any:
    def use(url: str, password: str = "") -> None:
        """Sets Django's settings to what the product makes of EMAIL_URL."""
        env = Variables(EMAIL_URL=url, EMAIL_PASSWORD=password, EMAIL_FROM=FROM)
        found = mail_settings(env, Path("/nowhere"))
        settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH, settings.MAIL_IS_ON = found.backend, found.folder, found.is_on
        settings.EMAIL_HOST, settings.EMAIL_PORT = found.host, found.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = found.user, found.password
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = found.tls == "starttls", found.tls == "from the start"
        settings.DEFAULT_FROM_EMAIL = sender(env)

    return use


@contextmanager
def trusting(certificate: Path) -> Iterator[None]:
    os.environ["SSL_CERT_FILE"] = str(certificate.with_suffix(".crt"))
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]


def a_message(**context: Any) -> Any:
    return messages.message(messages.render(TEST, {"sent_by": "ada", **context}), TO, "test-1")


class TestMessage:
    def test_it_arrives_with_both_parts_a_sender_and_an_id(self, use: Any) -> None:
        with SmtpServer().running() as server:
            use(f"smtp://127.0.0.1:{server.port}?tls=none")
            deliver(a_message())
        [message] = server.messages
        assert message["Subject"] == "A test message from Agent observability"
        assert (message["From"], message["To"]) == (FROM, TO)
        assert re.fullmatch(r"<[0-9a-f]{40}@example\.com>", message["Message-ID"])
        assert message["Auto-Submitted"] == "auto-generated"
        text, html = message.iter_parts()
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert "Mail works" in text.get_content()
        assert "Open the dashboards: http" in text.get_content()
        assert "<h1" in html.get_content()

    def test_the_same_key_and_address_give_the_same_id_and_others_another(self) -> None:
        ids = {messages.message_id(key, to) for key, to in [("1", TO), ("2", TO), ("1", "bob@example.com")]}
        assert len(ids) == 3
        assert messages.message_id("1", TO) in ids

    def test_another_installation_gives_other_ids(self, settings: Any) -> None:
        before = messages.message_id("1", TO)
        settings.SECRET_KEY = "another"
        assert messages.message_id("1", TO) != before


class TestTls:
    def test_starttls_and_a_password_are_used(self, use: Any, certificate: Path) -> None:
        with SmtpServer(str(certificate), password="a%/b").running() as server, trusting(certificate):
            use(f"smtp://ada%40example.com@127.0.0.1:{server.port}", "a%/b")
            deliver(a_message())
        assert len(server.messages) == 1
        assert [line.split()[0].upper() for line in server.commands][:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]

    def test_tls_from_the_start_is_used(self, use: Any, certificate: Path) -> None:
        with SmtpServer(str(certificate), tls_from_the_start=True).running() as server, trusting(certificate):
            use(f"smtps://127.0.0.1:{server.port}")
            deliver(a_message())
        assert len(server.messages) == 1

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    def test_a_certificate_that_nobody_trusts_stops_before_the_password(
        self, use: Any, certificate: Path, scheme: str
    ) -> None:
        server = SmtpServer(str(certificate), tls_from_the_start=scheme == "smtps", password="secret")
        with server.running():
            use(f"{scheme}://ada@127.0.0.1:{server.port}", "secret")
            with pytest.raises(
                MailFault, match=r"certificate of the mail server 127.0.0.1:.* is not valid: self-signed"
            ):
                deliver(a_message())
        assert not any(line.startswith("AUTH") for line in server.commands)

    def test_a_server_without_starttls_gets_no_message(self, use: Any) -> None:
        with SmtpServer().running() as server:
            use(f"smtp://127.0.0.1:{server.port}")
            with pytest.raises(MailFault, match="STARTTLS"):
                deliver(a_message())
        assert not server.messages


class TestFaults:
    """Each is a sentence, and only what the server refuses for good is final."""

    def fault(self, use: Any, server: SmtpServer, **options: Any) -> MailFault:
        with server.running():
            use(f"smtp://{options.get('user', '')}127.0.0.1:{server.port}?tls=none", options.get("password", ""))
            with pytest.raises(MailFault) as raised:
                deliver(a_message())
        text = str(raised.value)
        assert text.endswith(".")
        assert "\n" not in text
        return raised.value

    def test_a_wrong_password(self, use: Any) -> None:
        fault = self.fault(use, SmtpServer(password="right"), user="ada@", password="wrong-word")
        assert "refused the user of EMAIL_URL or EMAIL_PASSWORD: 535 5.7.8 Bad credentials." in str(fault)
        assert "wrong-word" not in str(fault)
        assert not isinstance(fault, MailRefused)

    def test_a_recipient_who_does_not_exist(self, use: Any) -> None:
        fault = self.fault(use, SmtpServer(answers={"RCPT": "550 5.1.1 No such user"}))
        assert f"refused the recipient {TO}: 550 5.1.1 No such user." in str(fault)
        assert isinstance(fault, MailRefused)

    def test_a_recipient_whose_mailbox_is_busy(self, use: Any) -> None:
        assert not isinstance(self.fault(use, SmtpServer(answers={"RCPT": "450 busy"})), MailRefused)

    def test_a_sender_who_may_not_send(self, use: Any) -> None:
        fault = self.fault(use, SmtpServer(answers={"MAIL": "530 5.7.0 Authentication required"}))
        assert "refused the sender of EMAIL_FROM: 530" in str(fault)
        assert not isinstance(fault, MailRefused)

    def test_a_message_that_is_refused(self, use: Any) -> None:
        assert isinstance(self.fault(use, SmtpServer(answers={"DATA": "554 spam"})), MailRefused)

    def test_a_server_that_takes_nothing_now(self, use: Any) -> None:
        assert "421 too busy" in str(self.fault(use, SmtpServer(answers={"greeting": "421 too busy"})))

    @pytest.mark.parametrize("moment", ["greeting", "RCPT", "end of data"])
    def test_a_server_that_hangs(self, use: Any, settings: Any, moment: str) -> None:
        settings.EMAIL_TIMEOUT = 0.2
        fault = self.fault(use, SmtpServer(hangs_at=moment))
        assert "did not answer within 0.2 s" in str(fault)

    def test_a_server_that_is_down(self, use: Any) -> None:
        use(f"smtp://127.0.0.1:{free_port()}?tls=none")
        with pytest.raises(MailFault, match="cannot be reached: Connection refused"):
            deliver(a_message())

    def test_a_message_that_was_taken_is_sent_though_the_server_hangs_at_the_end(self, use: Any, settings: Any) -> None:
        settings.EMAIL_TIMEOUT = 0.2
        with SmtpServer(hangs_at="QUIT").running() as server:
            use(f"smtp://127.0.0.1:{server.port}?tls=none")
            deliver(a_message())
        assert len(server.messages) == 1


class TestQueue:
    def test_a_message_waits_for_the_commit_and_a_rollback_takes_it_back(self) -> None:
        with transaction.atomic():
            mail.send(TEST, to=TO, key="test-1", sent_by="ada")
            transaction.set_rollback(True)
        assert waiting_jobs() == []
        mail.send(TEST, to=TO, key="test-1", sent_by="ada")
        [job] = waiting_jobs(mail.TASK)
        assert job.args == {"template": "test", "to": TO, "key": "test-1", "arguments": {"sent_by": "ada"}}

    def test_a_job_that_runs_again_sends_the_same_message_id(self, mailoutbox: list[Any]) -> None:
        for _ in range(2):
            mail.send(TEST, to=TO, key="test-1", sent_by="ada")
        assert run_waiting_jobs() == 2
        ids = [message.extra_headers["Message-ID"] for message in mailoutbox]
        assert len(ids) == 2
        assert len(set(ids)) == 1

    def test_only_a_refusal_for_good_is_not_tried_again(self) -> None:
        mail.send(TEST, to=TO, key="test-1", sent_by="ada")
        [job] = waiting_jobs()
        assert retry_of(job, MailRefused("550")) is None
        assert retry_of(job, MailFault("450")) is not None
        job.attempts = 4
        assert retry_of(job, MailFault("450")) is None

    def test_a_message_without_reason_any_more_is_not_sent(
        self, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        withdrawn = MailTemplate("test", "Test", context=lambda **_: None, sample=dict)
        monkeypatch.setattr("web.tasks.mail_templates", lambda: {"test": withdrawn})
        mail.send(withdrawn, to=TO, key="test-1", sent_by="ada")
        assert run_waiting_jobs() == 1
        assert mailoutbox == []

    def test_while_mail_is_off_nothing_waits(self, settings: Any) -> None:
        settings.MAIL_IS_ON = False
        assert mail.send(TEST, to=TO, key="test-1", sent_by="ada") is None
        assert waiting_jobs() == []

    def test_a_job_from_before_mail_was_switched_off_fails_for_good(self, settings: Any) -> None:
        mail.send(TEST, to=TO, key="test-1", sent_by="ada")
        settings.MAIL_IS_ON = False
        with pytest.raises(MailRefused, match="EMAIL_URL is empty"):
            run_waiting_jobs()

    @pytest.mark.parametrize(
        "to",
        [
            "",
            "ada",
            "ada@example.com\nBcc: eve@example.com",
            "ada@example.com, eve@example.com",
            "Ada <ada@example.com>",
        ],
    )
    def test_a_recipient_is_exactly_one_address(self, to: str) -> None:
        with pytest.raises(ValidationError):
            mail.send(TEST, to=to, key="test-1", sent_by="ada")

    @pytest.mark.parametrize("key", ["", "k" * 201])
    def test_a_key_has_a_bounded_length(self, key: str) -> None:
        with pytest.raises(ValueError, match="key"):
            mail.send(TEST, to=TO, key=key, sent_by="ada")

    def test_arguments_are_ids_and_no_texts(self) -> None:
        with pytest.raises(ValueError, match="ids"):
            mail.send(TEST, to=TO, key="test-1", sent_by="a" * 5000)

    def test_every_template_has_a_sample_that_renders(self) -> None:
        for template in mail_templates().values():
            parts = messages.render(template, template.sample())
            assert parts.subject
            assert parts.text.strip()


class TestCommand:
    def test_it_sends_at_once(self, use: Any) -> None:
        with SmtpServer().running() as server:
            use(f"smtp://127.0.0.1:{server.port}?tls=none")
            out = StringIO()
            call_command("send_test_mail", TO, stdout=out)
        assert len(server.messages) == 1
        assert TO in out.getvalue()

    def test_it_says_what_failed(self, use: Any) -> None:
        use(f"smtp://127.0.0.1:{free_port()}?tls=none")
        with pytest.raises(CommandError, match="cannot be reached"):
            call_command("send_test_mail", TO)

    def test_it_refuses_what_is_no_address(self) -> None:
        with pytest.raises(CommandError, match="not an email address"):
            call_command("send_test_mail", "ada")

    def test_it_says_that_mail_is_off(self, settings: Any) -> None:
        settings.MAIL_IS_ON = False
        with pytest.raises(CommandError, match="EMAIL_URL"):
            call_command("send_test_mail", TO)
