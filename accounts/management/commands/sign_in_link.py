from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.tokens import SIGN_IN_LINK_LASTS, sign_in_token
from web.addresses import public_address


class Command(BaseCommand):
    help = "Prints a link that signs a superuser in once, for when no other way works. A second factor stays needed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects.filter(username=options["username"], is_superuser=True, is_active=True)
        user = users.first()
        if user is None:
            raise CommandError(f"There is no active superuser {options['username']}.")
        self.stdout.write(public_address("sign-in-link", token=sign_in_token(user)))
        minutes = SIGN_IN_LINK_LASTS.total_seconds() / 60
        self.stderr.write(f"It works once, within {minutes:.0f} minutes.")
