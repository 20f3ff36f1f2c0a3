import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from web.mail import messages
from web.mail.delivery import MailFault, deliver
from web.mails import TEST, test_context


class Command(BaseCommand):
    help = "Sends a test message at once, without the queue, and says what failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="who gets it")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"]
        try:
            validate_email(address)
            parts = messages.render(TEST, test_context(sent_by="Somebody with the command send_test_mail"))
            deliver(messages.message(parts, address, key=f"test-{secrets.token_hex(8)}"))
        except ValidationError as error:
            raise CommandError(f"{address} is not an email address.") from error
        except MailFault as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"The test message to {address} was handed over.")
