"""Hands messages to the mail server, and says in a sentence what failed."""

import smtplib
import socket
import ssl
from contextlib import suppress

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from web import mail
from web.queue import FailedForGood

MAX_REASON_LENGTH = 200


class MailFault(Exception):
    """A message could not be sent. The text says why in one sentence."""


class MailRefused(MailFault, FailedForGood):
    """The server refuses this message or recipient for good."""


def deliver(message: EmailMultiAlternatives) -> None:
    if not mail.is_on():
        raise MailRefused("Mail is off: EMAIL_URL is empty.")
    connection = get_connection()
    try:
        connection.open()
        connection.send_messages([message])
    except OSError as error:
        raise fault(error, message.to[0]) from error
    finally:
        # The server has taken the message. Whatever goes wrong now must not send it again.
        with suppress(OSError):
            connection.close()


def fault(error: OSError, to: str) -> MailFault:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [(code, reason)] = error.recipients.values()
        return refusal(code, f"refused the recipient {to}: {answer(code, reason)}")
    if isinstance(error, smtplib.SMTPDataError):
        return refusal(error.smtp_code, f"refused the message: {answer(error.smtp_code, error.smtp_error)}")
    return MailFault(sentence(error))


def refusal(code: int, words: str) -> MailFault:
    kind = MailRefused if 500 <= code < 600 else MailFault
    return kind(f"The mail server {server()} {words}")


def sentence(error: OSError) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            reason = answer(error.smtp_code, error.smtp_error)
            return f"The mail server {server()} refused the user of EMAIL_URL or EMAIL_PASSWORD: {reason}"
        case smtplib.SMTPSenderRefused():
            reason = answer(error.smtp_code, error.smtp_error)
            return f"The mail server {server()} refused the sender of EMAIL_FROM: {reason}"
        case smtplib.SMTPResponseException():
            return f"The mail server {server()} answered {answer(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected() if not isinstance(error.__context__, TimeoutError):
            return f"The mail server {server()} ended the connection."
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return f"The mail server {server()} did not answer within {settings.EMAIL_TIMEOUT} s."
        case smtplib.SMTPException():
            return f"The mail server {server()} cannot take the message: {full_stop(str(error))}"
        case ssl.SSLCertVerificationError():
            return f"The certificate of the mail server {server()} is not valid: {full_stop(error.verify_message)}"
        case ssl.SSLError():
            return f"There is no TLS with the mail server {server()}: {full_stop(error.reason or 'no reason given')}"
        case socket.gaierror():
            return f"The name of the mail server {server()} is not known."
    where = f"The mail server {server()} cannot be reached" if settings.EMAIL_HOST else "The file cannot be written"
    return f"{where}: {full_stop(error.strerror or type(error).__name__)}"


def server() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def answer(code: int, reason: bytes | str) -> str:
    """Returns the words of the server as one line of a bounded length."""
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    return full_stop(f"{code} {text}")


def full_stop(text: str) -> str:
    line = " ".join(text.split())[:MAX_REASON_LENGTH]
    return line if line.endswith(".") else f"{line}."
